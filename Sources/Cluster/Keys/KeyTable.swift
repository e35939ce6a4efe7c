// The cluster's keys as every node knows them. The table only grows in its order, so two tables are united
// without asking who is right: secrets are added, a key once retired stays retired, a node once denied stays
// denied, and of two decisions about the key in use the later one wins (PROTOCOL section 6).

/// The name of a cluster key, sent in clear before a handshake.
public struct KeyID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let bits: UInt32
    /// Bytes on the wire.
    public static let encodedSize = 4

    public init(bits: UInt32) { self.bits = bits }

    public static func < (a: KeyID, b: KeyID) -> Bool { a.bits < b.bits }

    public var description: String { String(bits, radix: 16) }
}

/// One key and how far it has come. Stages only rise.
public struct ClusterKey: Equatable, Sendable {
    /// How far a rotation has come with the key; each stage includes those before it.
    public enum Stage: UInt8, Comparable, Sendable {
        /// Opens datagrams and admits nodes.
        case installed
        /// Since a node was denied: opens no datagram, and admits only who was a member before and is not
        /// denied.
        case narrowed
        /// Opens nothing; the secret is gone, the name stays so that the key cannot come back.
        case retired

        public static func < (a: Stage, b: Stage) -> Bool { a.rawValue < b.rawValue }
    }

    public let id: KeyID
    /// Opaque to the core; empty once retired.
    public internal(set) var secret: [UInt8]
    public internal(set) var stage: Stage

    /// A key as it was stored or received.
    public init(id: KeyID, secret: [UInt8], stage: Stage) {
        (self.id, self.secret, self.stage) = (id, secret, stage)
    }
}

/// Every key, the one in use, and who is denied.
public struct KeyTable: Equatable, Sendable {
    /// Keys kept, retired names included; more are refused.
    public static let mostKeys = 16
    /// Nodes denied; more are refused.
    public static let mostDenied = 1024

    /// A decision about the key in use. The higher (round, author) wins.
    public struct Use: Equatable, Sendable {
        public let key: KeyID
        public let round: UInt32
        public let author: NodeID

        /// A decision as it was stored or received.
        public init(key: KeyID, round: UInt32, author: NodeID) {
            (self.key, self.round, self.author) = (key, round, author)
        }

        func beats(_ other: Use) -> Bool { (round, author, key) > (other.round, other.author, other.key) }
    }

    /// Ascending by id.
    public internal(set) var keys: [ClusterKey]
    public internal(set) var use: Use
    /// Ascending.
    public internal(set) var denied: [NodeID] = []

    /// The table of a cluster with one key.
    public init(first key: KeyID, secret: [UInt8]) {
        keys = [ClusterKey(id: key, secret: secret, stage: .installed)]
        use = Use(key: key, round: 0, author: NodeID(short: 0))
    }

    /// A table as it was stored or received, in any order; nil if no node can have such a one.
    public init?(keys: [ClusterKey], use: Use, denied: [NodeID]) {
        self.keys = keys
        self.use = use
        self.denied = denied
        guard isPlausible, Set(keys.map(\.id)).count == keys.count, Set(denied).count == denied.count else {
            return nil
        }
        tidy()
    }

    /// The key of that id; nil when the table lacks it.
    public subscript(id: KeyID) -> ClusterKey? { keys.first { $0.id == id } }

    /// The key to seal with: the one decided upon. A decision that crossed another node's to narrow or retire
    /// that key would open nothing anywhere; then it is the highest that is installed, the same on nodes with
    /// equal tables.
    public var keyInUse: KeyID {
        guard let used = self[use.key], used.stage > .installed else { return use.key }
        return keys.last { $0.stage == .installed }?.id ?? use.key
    }

    /// Ids of the keys whose secret we hold, ascending: what our alive record says.
    public var held: [KeyID] { keys.filter { $0.stage < .retired }.map(\.id) }

    /// Whether a node was denied (section 6).
    public func isDenied(_ node: NodeID) -> Bool { denied.contains(node) }

    /// Equal on two nodes exactly when (up to collisions of 64 bits) their tables are equal.
    public var digest: UInt64 {
        var state = SeededGenerator.scramble(UInt64(use.key.bits) << 32 | UInt64(use.round))
        state = SeededGenerator.scramble(state ^ use.author.short)
        for key in keys {
            state = SeededGenerator.scramble(state ^ (UInt64(key.id.bits) << 8 | UInt64(key.stage.rawValue)))
        }
        for node in denied { state = SeededGenerator.scramble(state &+ node.short) }
        return state
    }

    /// Bytes on the wire: a key is id 5, stage 2, secret 34, framing 2; the decision 18; a denied node 8.
    public var encodedSize: Int { 21 + keys.reduce(0) { $0 + 11 + $1.secret.count } + 8 * denied.count }

    /// Whether a receiver should look at it at all (PROTOCOL section 7, S11).
    public var isPlausible: Bool {
        keys.count <= KeyTable.mostKeys && denied.count <= KeyTable.mostDenied && use.round < 1 << 30
            && keys.allSatisfy { $0.secret.count <= 64 }
    }

    /// Unites two tables; true if ours changed. Keys beyond the bound are left out, the highest names first.
    public mutating func unite(_ other: KeyTable) -> Bool {
        let before = self
        for key in other.keys {
            if let at = keys.firstIndex(where: { $0.id == key.id }) {
                keys[at].stage = max(keys[at].stage, key.stage)
                if keys[at].secret.isEmpty { keys[at].secret = key.secret }
            } else if keys.count < KeyTable.mostKeys {
                keys.append(key)
            }
        }
        if other.use.beats(use) { use = other.use }
        for node in other.denied where !denied.contains(node) && denied.count < KeyTable.mostDenied {
            denied.append(node)
        }
        tidy()
        return self != before
    }

    /// Restores the order and forgets the secrets of retired keys.
    mutating func tidy() {
        keys.sort { $0.id < $1.id }
        denied.sort()
        for at in keys.indices where keys[at].stage == .retired { keys[at].secret = [] }
    }
}
