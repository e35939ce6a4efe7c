// Fixed fields on the wire, big endian.

/// Takes fields off the front of bytes; nil when they run out.
struct ByteReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func bytes(_ count: Int) -> [UInt8]? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func uint8() -> UInt8? { rest.popFirst() }

    mutating func uint16() -> UInt16? { number() }

    mutating func uint32() -> UInt32? { number() }

    mutating func uint64() -> UInt64? { number() }

    private mutating func number<Number: FixedWidthInteger & UnsignedInteger>() -> Number? {
        bytes(Number.bitWidth / 8)?.reduce(0) { $0 << 8 | Number($1) }
    }
}

/// Puts fields one after another.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    mutating func write(_ number: some FixedWidthInteger & UnsignedInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
