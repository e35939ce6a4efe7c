// Rotation without a stop: a key is installed everywhere, used once every live node holds it, and the old one
// retired by hand. Who holds what is read from the members' own signed records, so no round of questions is
// needed.

/// Why a request about keys was not carried out; the text is for the user.
public enum KeyRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case unknown(KeyID)
    case alreadyRetired(KeyID)
    case narrowed(KeyID)
    case known(KeyID)
    case inUse(KeyID)
    case tooMany
    case notHeldBy(KeyID, [NodeID])
    case ourselves

    public var description: String {
        switch self {
        case .unknown(let key): "no key \(key) is installed; install it first"
        case .alreadyRetired(let key): "key \(key) was retired and cannot come back; make a new one"
        case .narrowed(let key):
            "a denied node knows key \(key), and it cannot be used again; install a new one"
        case .known(let key):
            "the cluster has key \(key) already, and the node to be denied may too; make a new one"
        case .inUse(let key): "key \(key) is in use; use another one first"
        case .tooMany:
            "the cluster holds \(KeyTable.mostKeys) keys or denies \(KeyTable.mostDenied) nodes already"
        case .notHeldBy(let key, let nodes):
            "key \(key) is not held by \(nodes.map(\.description).joined(separator: ", ")); "
                + "wait for them, or force it"
        case .ourselves: "a node cannot deny itself; deny it from another node"
        }
    }
}

/// What a user asks of the keys.
public enum KeyRequest: Equatable, Sendable {
    case install(KeyID, secret: [UInt8])
    case use(KeyID)
    case retire(KeyID, forced: Bool)
    /// Shuts `node` out: the new key is used at once, and without it.
    case deny(NodeID, newKey: KeyID, secret: [UInt8])
}

/// This node's keys: decides requests and unites tables.
public struct KeyRing: Equatable, Sendable {
    /// What the ring needs to know of a member.
    public struct Holder: Equatable, Sendable {
        public let id: NodeID
        public let standing: Standing
        /// From its newest signed record.
        public let keys: [KeyID]

        public init(id: NodeID, standing: Standing, keys: [KeyID]) {
            self.id = id
            self.standing = standing
            self.keys = keys
        }
    }

    public let me: NodeID
    public private(set) var table: KeyTable
    var fault: DeliberateFault?

    public init(me: NodeID, table: KeyTable, fault: DeliberateFault? = nil) {
        self.me = me
        self.table = table
        self.fault = fault
    }

    /// Carries out a request, or says why not. `members` are all others, dead ones too.
    public mutating func decide(_ request: KeyRequest, members: [Holder]) throws(KeyRefusal) {
        switch request {
        case .install(let key, let secret): try install(key, secret)
        case .use(let key): try use(key, members)
        case .retire(let key, let forced): try retire(key, forced, members)
        case .deny(let node, let key, let secret): try deny(node, key, secret)
        }
    }

    /// Another node's table; true if ours changed. Implausible ones are ignored.
    public mutating func unite(_ other: KeyTable) -> Bool { other.isPlausible && table.unite(other) }

    private mutating func install(_ key: KeyID, _ secret: [UInt8]) throws(KeyRefusal) {
        if let known = table[key] {
            if known.stage == .retired { throw .alreadyRetired(key) }
            return
        }
        guard table.keys.count < KeyTable.mostKeys else { throw .tooMany }
        table.keys.append(ClusterKey(id: key, secret: secret, stage: .installed))
        table.tidy()
    }

    /// Suspects count as live: a node in doubt must not be locked out by a rotation.
    private mutating func use(_ key: KeyID, _ members: [Holder]) throws(KeyRefusal) {
        guard let known = table[key] else { throw .unknown(key) }
        if known.stage == .retired { throw .alreadyRetired(key) }
        if known.stage == .narrowed { throw .narrowed(key) }
        let lacking = members.filter { $0.standing.isPresent && !$0.keys.contains(key) }
        guard lacking.isEmpty || fault == .keyUsedTooEarly else {
            throw .notHeldBy(key, lacking.map(\.id).sorted())
        }
        table.use = KeyTable.Use(key: key, round: table.use.round + 1, author: me)
    }

    /// Refused while a member that has not left, dead ones included, lacks the key in use: it could not come
    /// back.
    private mutating func retire(_ key: KeyID, _ forced: Bool, _ members: [Holder]) throws(KeyRefusal) {
        guard let at = table.keys.firstIndex(where: { $0.id == key }) else { throw .unknown(key) }
        if table.keyInUse == key { throw .inUse(key) }
        let lacking = members.filter { $0.standing != .left && !$0.keys.contains(table.keyInUse) }
            .filter { !table.isDenied($0.id) }
        guard forced || lacking.isEmpty || fault == .keyRetiredTooEarly else {
            throw .notHeldBy(table.keyInUse, lacking.map(\.id).sorted())
        }
        table.keys[at].stage = .retired
        table.tidy()
    }

    private mutating func deny(_ node: NodeID, _ key: KeyID, _ secret: [UInt8]) throws(KeyRefusal) {
        guard node != me else { throw .ourselves }
        guard table.denied.count < KeyTable.mostDenied else { throw .tooMany }
        if let known = table[key] {
            // The same once more changes nothing; otherwise who is denied may know the key.
            if table.isDenied(node), table.use.key == key { return }
            throw known.stage == .retired ? .alreadyRetired(key) : .known(key)
        }
        try install(key, secret)
        if !table.isDenied(node) { table.denied.append(node) }
        for at in table.keys.indices where table.keys[at].id != key {
            table.keys[at].stage = max(table.keys[at].stage, .narrowed)
        }
        table.use = KeyTable.Use(key: key, round: table.use.round + 1, author: me)
        table.tidy()
    }
}
