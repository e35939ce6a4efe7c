// What a node says of itself. Only its own key can sign it; everybody else relays it as it is. That is why no
// exchange of tables can bring a dead node back: the others cannot make the record that would do it.

/// Where a node can be reached: the string of its configuration, resolved by the receiver ("vm1:7480").
public struct Address: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) { self.text = text }

    /// Whether only processes on the same machine can reach it (Debian resolves its own name to 127.0.1.1).
    public var isLoopback: Bool {
        text.hasPrefix("127.") || text.hasPrefix("localhost:") || text.hasPrefix("[::1]")
    }

    public var description: String { text }
}

/// The fields of an alive record before its subject signs them.
public struct AliveClaim: Hashable, Sendable {
    public let id: NodeID
    public let start: StartID
    public let version: Version
    /// The configured or observed address; empty until either is known.
    public let address: Address
    /// The cluster keys that the node holds, ascending (PROTOCOL section 6, rotation).
    public let keys: [KeyID]
    /// What it offers to jobs.
    public let engine: Engine?

    public init(
        id: NodeID, start: StartID, version: Version, address: Address, keys: [KeyID], engine: Engine? = nil
    ) {
        self.id = id
        self.start = start
        self.version = version
        self.address = address
        self.keys = keys
        self.engine = engine
    }
}

/// A claim with its subject's signature. The shell verifies it before the core sees it (PROTOCOL sections 1
/// and 2).
///
/// The content stands once in memory however many tables hold it; a copy is one reference.
public struct AliveRecord: Equatable, Sendable {
    private final class Content: Sendable {
        let claim: AliveClaim
        let sealed: [UInt8]

        init(claim: AliveClaim, sealed: [UInt8]) {
            self.claim = claim
            self.sealed = sealed
        }
    }

    private let content: Content

    /// - Parameter sealed: the signed bytes as they arrived, relayed as they are; opaque to the core.
    public init(claim: AliveClaim, sealed: [UInt8]) { content = Content(claim: claim, sealed: sealed) }

    /// What the subject says of itself.
    public var claim: AliveClaim { content.claim }
    /// The signed bytes, as they are relayed.
    public var sealed: [UInt8] { content.sealed }
    public var id: NodeID { content.claim.id }
    /// The subject's start.
    public var start: StartID { content.claim.start }
    /// Epoch and incarnation.
    public var version: Version { content.claim.version }
    /// Where the subject listens.
    public var address: Address { content.claim.address }
    /// The keys that the subject holds.
    public var keys: [KeyID] { content.claim.keys }

    /// A record beats another by its version; between two starts with one version the higher start id wins.
    public func beats(_ version: Version, _ start: StartID) -> Bool {
        self.version == version ? self.start > start : self.version > version
    }

    /// Whether a receiver should keep it: absurd counters and sizes are dropped (PROTOCOL section 7, S11).
    public var isPlausible: Bool {
        version.isPlausible && claim.keys.count <= KeyTable.mostKeys && claim.address.text.utf8.count <= 255
    }

    /// Bytes on the wire: public key 32, signature 64, id 8, start id 8, version 8, address, keys, engine, 4
    /// of framing; more if a newer version's record says more.
    public var encodedSize: Int {
        let known =
            32 + 64 + 8 + 8 + 8 + claim.address.text.utf8.count + KeyID.encodedSize * claim.keys.count + 4
            + (claim.engine == nil ? 0 : Engine.encodedSize)
        return max(sealed.count, known)
    }

    public static func == (a: AliveRecord, b: AliveRecord) -> Bool {
        a.content === b.content || (a.claim == b.claim && a.sealed == b.sealed)
    }
}
