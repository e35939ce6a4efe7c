// The two sides of the one entry: what the shell tells a node, and what a node wants done.

/// How a node takes its leave.
public enum Farewell: Equatable, Sendable {
    /// SIGTERM: dead at once for work and take-over, redialled, still a member for key rotation.
    case restarting
    /// Decommissioned: never redialled.
    case left
}

/// How a link ended.
public enum LinkEnd: Equatable, Sendable {
    /// The peer said so.
    case closed
    /// Without a word: reset, or unacknowledged for too long.
    case broken
}

/// Why a dial led to no link.
public enum DialFailure: Equatable, Sendable {
    /// The host answers and nobody listens.
    case refused
    /// Silence for the connect limit (3 s).
    case timedOut
    /// The handshake met our own key and our own start id.
    case ourselves
    /// The handshake met our own key with another start id.
    case otherStart
}

/// A fact that must survive a restart.
public enum DurableFact: Equatable, Sendable {
    /// Our epoch; on disk before the first packet that carries it.
    case epoch(UInt32)
    /// A peer to dial after a restart; kept 30 days.
    case peer(AliveRecord)
    case keys(KeyTable)
    /// A peer left, or was dead for longer than it is kept: not to be dialled after a restart.
    case gone(NodeID)
}

/// What a node reads from its disk when it starts.
public struct Persisted: Equatable, Sendable {
    /// The last epoch on disk; this start uses the next.
    public var epoch: UInt32
    public var peers: [AliveRecord]
    public var keys: KeyTable

    public init(epoch: UInt32, peers: [AliveRecord], keys: KeyTable) {
        self.epoch = epoch
        self.peers = peers
        self.keys = keys
    }
}

/// Why a node stops by its own decision.
public enum ExitReason: Equatable, Sendable {
    case farewellSaid
    /// "Another machine runs with this node's key."
    case anotherMachineHasOurKey
    case denied
}

/// A message that was not used, and why; for the log and for counters.
public enum DropReason: Equatable, Sendable {
    case wrongTarget
    case implausible
    case loopbackAddress
    case tableFull
    case deniedNode
}

/// What the shell tells a node.
public enum Input: Equatable, Sendable {
    /// The process starts. The first call.
    case start
    /// A datagram whose seal and records the shell has verified.
    case datagram(Datagram, from: Address)
    case frame(Frame, from: NodeID, start: StartID)
    /// A link stands. `target` is what we dialled, nil if the peer dialled us.
    case linkUp(NodeID, StartID, seenAt: Address, target: DialTarget?)
    case linkLost(NodeID, LinkEnd)
    case dialFailed(DialTarget, DialFailure)
    /// The answer to `.sign`.
    case signed(AliveRecord)
    /// The answer to `.persist` with this ticket.
    case persisted(UInt64)
    case persistFailed(UInt64)
    case keys(KeyRequest)
    case job(JobEvent)
    case shutDown(Farewell)
    /// `nextDeadline` is reached. Inputs that wait are handed in before it.
    case timer
}

/// What a node wants done, in order.
public enum Effect: Equatable, Sendable {
    case sendDatagram(Datagram, to: Address)
    /// A node was not found where this address led: if it is a name, look it up anew before the next use.
    case lookUp(Address)
    /// On the link to this peer, which stands.
    case sendFrame(Frame, to: NodeID)
    case dial(DialTarget)
    /// Ends the link with a goodbye.
    case closeLink(NodeID)
    /// Sign this with the node's key and hand it back.
    case sign(AliveClaim)
    /// Write this; the ticket comes back.
    case persist(DurableFact, ticket: UInt64)
    /// A member's row changed.
    case publish(MemberChange)
    /// The keys changed: seal with the one in use, open with the others.
    case useKeys(KeyTable)
    case keysRefused(KeyRefusal)
    /// What a job needs; each case names the event that answers it.
    case job(JobAction)
    /// A job was not taken, and why.
    case jobRefused(JobID, String)
    /// Every seed was tried once.
    case ready
    /// A peer's message was not used.
    case dropped(NodeID, DropReason)
    case exit(ExitReason)
}
