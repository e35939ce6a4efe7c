import Cluster

// The one part of the wire format that is not Protocol Buffers. A signature needs one encoding of what is
// signed, and whoever relays a record relays these bytes as they came: a node of version N−1 that knows only
// the first fields still hands on all of them.
//
// - record: public key 32, signature 64, claim
// - claim: format 1, id 8, start 8, epoch 4, incarnation 4, length 1, address, count 1, key ids 4 each,
//   flags 1; with an engine: fingerprint 32, slots 4, memory 8; then what later versions add
//
// Numbers are big endian. Flags: 1 an engine follows, 2 it has room. Key ids ascend.

extension AliveClaim {
    /// What the subject signs: the canonical bytes of the claim. The address has at most 255 bytes, and at
    /// most `KeyTable.mostKeys` keys are named; the settings and the key table see to it.
    public var signedBytes: [UInt8] {
        let text = Array(address.text.utf8)
        precondition(text.count <= 255 && keys.count <= 255, "a claim that cannot be told: \(self)")
        var bytes: [UInt8] = [WireRecord.format]
        bytes.append(number: id.short)
        bytes.append(number: start.bits)
        bytes.append(number: version.epoch)
        bytes.append(number: version.incarnation)
        bytes.append(UInt8(text.count))
        bytes += text
        bytes.append(UInt8(keys.count))
        for key in keys { bytes.append(number: key.bits) }
        guard let engine else { return bytes + [0] }
        bytes.append(WireRecord.engineFlag | (engine.hasRoom ? WireRecord.roomFlag : 0))
        let print = engine.fingerprint.words
        for word in [print.0, print.1, print.2, print.3] { bytes.append(number: word) }
        bytes.append(number: UInt32(clamping: engine.slots))
        bytes.append(number: UInt64(clamping: engine.memory))
        return bytes
    }
}

/// Alive records: a claim with its subject's key and signature. What verifies a signature is the shell's.
public enum WireRecord {
    static let format: UInt8 = 1
    static let engineFlag: UInt8 = 1
    static let roomFlag: UInt8 = 2
    static let keyByteCount = 32
    static let signatureByteCount = 64
    /// Bytes of a record at most, so that one always fits into a datagram.
    public static let byteLimit = 768

    /// What there is to verify in a record: that `publicKey` belongs to the claim's id, and that it signed
    /// `signed`.
    public struct Seal: Equatable, Sendable {
        /// Ed25519, 32 bytes.
        public let publicKey: [UInt8]
        /// 64 bytes.
        public let signature: [UInt8]
        /// The bytes that the signature is over.
        public let signed: [UInt8]
    }

    /// The record of a claim that was signed.
    ///
    /// - Parameter signature: over `claim.signedBytes`.
    public static func make(_ claim: AliveClaim, publicKey: [UInt8], signature: [UInt8]) -> AliveRecord {
        precondition(
            publicKey.count == keyByteCount && signature.count == signatureByteCount,
            "a key of \(publicKey.count) and a signature of \(signature.count) bytes")
        return AliveRecord(claim: claim, sealed: publicKey + signature + claim.signedBytes)
    }

    /// A record's bytes, as the journal keeps them and as messages carry them.
    public static func encode(_ record: AliveRecord) -> [UInt8] { record.sealed }

    /// Reads a record. Its signature is not verified.
    public static func decode(_ bytes: [UInt8]) throws(WireError) -> AliveRecord {
        guard bytes.count <= byteLimit else { throw .refused("record", "\(bytes.count) bytes") }
        var reader = ClaimReader(bytes)
        _ = try reader.bytes(keyByteCount + signatureByteCount)
        return AliveRecord(claim: try reader.claim(), sealed: bytes)
    }

    /// The parts of a record that was decoded or made.
    public static func seal(of record: AliveRecord) throws(WireError) -> Seal {
        var reader = ClaimReader(record.sealed)
        let key = try reader.bytes(keyByteCount)
        let signature = try reader.bytes(signatureByteCount)
        return Seal(publicKey: Array(key), signature: Array(signature), signed: Array(reader.rest))
    }
}

/// Takes the fields of a record off the front.
private struct ClaimReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func bytes(_ count: Int) throws(WireError) -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw .malformed("record") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func number<Number: FixedWidthInteger & UnsignedInteger>(
        _ type: Number.Type
    ) throws(WireError) -> Number {
        try bytes(Number.bitWidth / 8).reduce(0) { $0 << 8 | Number($1) }
    }

    mutating func claim() throws(WireError) -> AliveClaim {
        guard try number(UInt8.self) == WireRecord.format else { throw .unknown("format of a record") }
        let id = NodeID(short: try number(UInt64.self))
        let start = StartID(bits: try number(UInt64.self))
        let version = try Field.version(number(UInt32.self), number(UInt32.self), "record.version")
        let length = Int(try number(UInt8.self))
        guard let address = String(validating: try bytes(length), as: UTF8.self) else {
            throw .refused("record.address", "no UTF-8")
        }
        let keyCount = Int(try number(UInt8.self))
        try Field.count(keyCount, most: KeyTable.mostKeys, "record.keys")
        var keys: [KeyID] = []
        for _ in 0..<keyCount {
            let key = KeyID(bits: try number(UInt32.self))
            if let last = keys.last, last >= key { throw .refused("record.keys", "they do not ascend") }
            keys.append(key)
        }
        let flags = try number(UInt8.self)
        return AliveClaim(
            id: id, start: start, version: version, address: Address(address), keys: keys,
            engine: flags & WireRecord.engineFlag == 0 ? nil : try engine(flags))
    }

    private mutating func engine(_ flags: UInt8) throws(WireError) -> Engine {
        let fingerprint = Digest(
            try number(UInt64.self), try number(UInt64.self), try number(UInt64.self),
            try number(UInt64.self))
        let slots = Int(try number(UInt32.self))
        return Engine(
            fingerprint: fingerprint, slots: slots,
            memory: try Field.int(number(UInt64.self), "record.memory"),
            hasRoom: flags & WireRecord.roomFlag != 0)
    }
}

extension [UInt8] {
    fileprivate mutating func append(number: some FixedWidthInteger & UnsignedInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }
}
