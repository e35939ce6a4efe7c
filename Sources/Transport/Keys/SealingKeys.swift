import Cluster
import Sodium

// What the cluster's keys open and seal at this moment: a snapshot that the owner replaces when the protocol
// says so. One secret gives two keys, one for links and one for datagrams, so that neither can be played
// against the other.

/// The cluster's keys, ready for use.
public struct SealingKeys: Sendable {
    /// Bytes that a cluster secret must have at least, and at most.
    public static let secretSizes = 16...64

    /// One key, opened up.
    struct Entry: Sendable {
        let stage: ClusterKey.Stage
        /// The shared secret of handshakes, 32 bytes.
        let link: Secret
        let datagram: Secret
    }

    /// Datagrams are sealed with it and links are asked for with it first.
    public let inUse: KeyID
    private let entries: [KeyID: Entry]
    private let denied: Set<NodeID>
    private let members: Set<NodeID>

    /// - Parameters:
    /// - table: the keys as the protocol holds them; retired ones open nothing, and a secret of an impossible
    ///   size neither.
    ///   - members: nodes that were members when the last one was denied: a narrowed key admits only these.
    public init(_ table: KeyTable, members: Set<NodeID> = []) {
        inUse = table.keyInUse
        var entries: [KeyID: Entry] = [:]
        for key in table.keys where key.stage < .retired && Self.secretSizes.contains(key.secret.count) {
            entries[key.id] = Entry(
                stage: key.stage, link: Self.derive("arbutus link", key.secret),
                datagram: Self.derive("arbutus datagram", key.secret))
        }
        self.entries = entries
        denied = Set(table.denied)
        self.members = members
    }

    /// The name of a new secret: the first four bytes of its hash.
    public static func name(of secret: [UInt8]) -> KeyID {
        let hash = Blake2b.digest(Array("arbutus key name".utf8), secret, size: 32)
        return KeyID(bits: hash.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
    }

    /// The keys with which a caller asks for a link, in this order.
    var asked: [KeyID] {
        let others = entries.keys.filter { $0 != inUse }.sorted {
            (entries[$0]?.stage.rawValue ?? 0, $0) < (entries[$1]?.stage.rawValue ?? 0, $1)
        }
        return (entries[inUse] == nil ? [] : [inUse]) + others
    }

    subscript(id: KeyID) -> Entry? { entries[id] }

    /// Whether a link to this node may stand under this key (PROTOCOL section 6, denying).
    func admits(_ node: NodeID, under key: KeyID) -> Bool {
        guard let entry = entries[key], !denied.contains(node) else { return false }
        return entry.stage == .installed || members.contains(node)
    }

    /// The key for datagrams of that name, if it still opens them.
    func datagramKey(_ id: KeyID) -> Secret? {
        guard let entry = entries[id], entry.stage == .installed else { return nil }
        return entry.datagram
    }

    private static func derive(_ purpose: String, _ secret: [UInt8]) -> Secret {
        Secret(copying: Blake2b.digest(Array(purpose.utf8), secret, size: 32))
    }
}
