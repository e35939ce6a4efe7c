/// One entry of a TIFF directory with its values as little-endian bytes (TIFF 6.0, section 2; BigTIFF adds
/// LONG8).
struct TiffTag: Equatable {
    /// The field types used here, by their numbers in the specification.
    enum FieldType: UInt16 {
        case ascii = 2
        case short = 3
        case long = 4
        case double = 12
        case long8 = 16

        var bytes: Int {
            switch self {
            case .ascii: 1
            case .short: 2
            case .long: 4
            case .double, .long8: 8
            }
        }
    }

    let id: UInt16
    let type: FieldType
    let bytes: [UInt8]

    var count: Int { bytes.count / type.bytes }

    init(_ id: UInt16, _ type: FieldType, bytes: [UInt8]) {
        self.id = id
        self.type = type
        self.bytes = bytes
    }

    static func short(_ id: UInt16, _ values: [UInt16]) -> TiffTag {
        TiffTag(id, .short, bytes: packed(values))
    }

    static func long(_ id: UInt16, _ values: [UInt32]) -> TiffTag {
        TiffTag(id, .long, bytes: packed(values))
    }

    static func double(_ id: UInt16, _ values: [Double]) -> TiffTag {
        TiffTag(id, .double, bytes: packed(values.map(\.bitPattern)))
    }

    /// Text with its closing zero.
    static func ascii(_ id: UInt16, _ text: String) -> TiffTag {
        TiffTag(id, .ascii, bytes: Array(text.utf8.filter { $0 != 0 }) + [0])
    }

    /// File offsets: LONG8 in a BigTIFF, LONG in a classic TIFF.
    static func offsets(_ id: UInt16, _ values: [Int], big: Bool) -> TiffTag {
        big
            ? TiffTag(id, .long8, bytes: packed(values.map { UInt64($0) }))
            : TiffTag(id, .long, bytes: packed(values.map { UInt32($0) }))
    }

    /// Integers as little-endian bytes.
    static func packed<Value: FixedWidthInteger>(_ values: [Value]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * MemoryLayout<Value>.size)
        for value in values { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
        return bytes
    }
}

/// A TIFF image file directory: its entries in order of id, then the values that do not fit in an entry.
struct TiffDirectory {
    let tags: [TiffTag]
    let big: Bool

    init(_ tags: [TiffTag], big: Bool) {
        self.tags = tags.sorted { $0.id < $1.id }
        self.big = big
    }

    /// Bytes of an entry's value field: longer values stand behind the directory.
    private var inlineBytes: Int { big ? 8 : 4 }

    private var fixedBytes: Int { big ? 8 + tags.count * 20 + 8 : 2 + tags.count * 12 + 4 }

    /// Bytes of the directory and its values, a multiple of 8 when it begins at one.
    var byteCount: Int {
        tags.reduce(Self.aligned(fixedBytes)) { sum, tag in
            sum + (tag.bytes.count > inlineBytes ? Self.aligned(tag.bytes.count) : 0)
        }
    }

    /// The bytes for a place in the file; `next` is the offset of the following directory, 0 for none.
    func bytes(at offset: Int, next: Int) -> [UInt8] {
        var entries = big ? TiffTag.packed([UInt64(tags.count)]) : TiffTag.packed([UInt16(tags.count)])
        var values: [UInt8] = []
        let valuesStart = offset + Self.aligned(fixedBytes)
        for tag in tags {
            entries += TiffTag.packed([tag.id, tag.type.rawValue])
            entries += word(tag.count)
            if tag.bytes.count > inlineBytes {
                entries += word(valuesStart + values.count)
                values += tag.bytes
                values += [UInt8](repeating: 0, count: Self.aligned(values.count) - values.count)
            } else {
                entries += tag.bytes + [UInt8](repeating: 0, count: inlineBytes - tag.bytes.count)
            }
        }
        entries += word(next)
        entries += [UInt8](repeating: 0, count: Self.aligned(fixedBytes) - entries.count)
        return entries + values
    }

    private func word(_ value: Int) -> [UInt8] {
        big ? TiffTag.packed([UInt64(value)]) : TiffTag.packed([UInt32(value)])
    }

    private static func aligned(_ count: Int) -> Int { (count + 7) & ~7 }

    /// The tags of the first directory of a small classic little-endian TIFF that are of a type known here;
    /// nil when the bytes are no such file.
    static func firstTags(of file: UnsafeRawBufferPointer) -> [TiffTag]? {
        func short(_ at: Int) -> Int? {
            guard at >= 0, at + 2 <= file.count else { return nil }
            return Int(UInt16(littleEndian: file.loadUnaligned(fromByteOffset: at, as: UInt16.self)))
        }
        func long(_ at: Int) -> Int? {
            guard at >= 0, at + 4 <= file.count else { return nil }
            return Int(UInt32(littleEndian: file.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
        }
        guard short(0) == 0x4949, short(2) == 42, let start = long(4), let entries = short(start) else {
            return nil
        }
        var tags: [TiffTag] = []
        for entry in 0..<entries {
            let at = start + 2 + entry * 12
            guard let id = short(at), let number = short(at + 2), let count = long(at + 4) else { return nil }
            guard let type = TiffTag.FieldType(rawValue: UInt16(number)) else { continue }
            let length = count * type.bytes
            guard let place = length <= 4 ? at + 8 : long(at + 8), place + length <= file.count else {
                return nil
            }
            tags.append(TiffTag(UInt16(id), type, bytes: Array(file[place..<place + length])))
        }
        return tags
    }
}
