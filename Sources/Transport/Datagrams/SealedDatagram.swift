import Cluster
import Sodium

// A datagram stands alone: there is no session behind it, so the cluster key seals it, a random nonce makes
// it unlike any other, and who sent it to whom is inside. Replay is harmless by what datagrams say, not by
// memory (PROTOCOL section 6).
//
//     version 1 | key id 4 | nonce 24 | sealed: sender 8, start 8, target 8, body | tag 16

/// Why a packet was dropped.
public enum DatagramError: Error, Equatable, Sendable {
    /// Shorter than the empty datagram, or longer than any.
    case size(Int)
    /// Another version of the format.
    case version(UInt8)
    /// No key of that name opens datagrams here.
    case unknownKey(KeyID)
    /// The seal does not fit.
    case notAuthentic
}

/// What a sealed datagram says, and between whom.
public struct SealedDatagram: Equatable, Sendable {
    /// Who sealed it. Any holder of the cluster key could have: records inside carry their own signatures.
    public let sender: NodeID
    /// The sender's start.
    public let start: StartID
    /// For whom it is.
    public let target: NodeID
    /// What it says.
    public let body: [UInt8]

    /// Bytes of a packet at most, IP and UDP headers not counted.
    public static let sizeLimit = 1200
    /// Bytes that a packet has beside the body.
    public static let overhead = 5 + XChaChaPoly.nonceByteCount + 24 + XChaChaPoly.tagByteCount
    /// Bytes of a body at most.
    public static let bodyLimit = sizeLimit - overhead
    static let version: UInt8 = 1

    /// A datagram with these contents; `body` has at most `bodyLimit` bytes.
    public init(sender: NodeID, start: StartID, target: NodeID, body: [UInt8]) {
        (self.sender, self.start, self.target, self.body) = (sender, start, target, body)
    }

    /// The packet, sealed with the key in use; nil when that key's secret is not known here, or the body is
    /// too long for a packet.
    public func sealed(with keys: SealingKeys) -> [UInt8]? {
        guard body.count <= Self.bodyLimit, let key = keys.datagramKey(keys.inUse) else { return nil }
        var header = ByteWriter()
        header.write(Self.version)
        header.write(keys.inUse.bits)
        let nonce = RandomBytes.make(XChaChaPoly.nonceByteCount)
        var inside = ByteWriter()
        inside.write(sender.short)
        inside.write(start.bits)
        inside.write(target.short)
        inside.write(body)
        return header.bytes + nonce
            + XChaChaPoly.seal(inside.bytes, header: header.bytes, key: key, nonce: nonce)
    }

    /// Opens a packet from the network.
    public static func open(_ packet: [UInt8], with keys: SealingKeys) throws(DatagramError) -> SealedDatagram
    {
        guard (overhead...sizeLimit).contains(packet.count) else { throw .size(packet.count) }
        guard packet[0] == version else { throw .version(packet[0]) }
        let header = Array(packet.prefix(5))
        let id = KeyID(bits: header.dropFirst().reduce(0) { $0 << 8 | UInt32($1) })
        guard let key = keys.datagramKey(id) else { throw .unknownKey(id) }
        let nonce = Array(packet[5..<29])
        guard let inside = XChaChaPoly.open(packet[29...], header: header, key: key, nonce: nonce) else {
            throw .notAuthentic
        }
        var reader = ByteReader(inside)
        guard let sender = reader.uint64(), let start = reader.uint64(), let target = reader.uint64() else {
            throw .size(packet.count)
        }
        return SealedDatagram(
            sender: NodeID(short: sender), start: StartID(bits: start), target: NodeID(short: target),
            body: Array(reader.rest))
    }
}
