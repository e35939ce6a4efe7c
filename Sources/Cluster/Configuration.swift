// Every number of PROTOCOL section 2 in one place. A number is a default, and configurable.

/// The timing and the bounds of membership. All nodes of a cluster should run with equal values.
public struct Configuration: Equatable, Sendable {
    /// One random and one ring target are probed each period (SWIM section 3.1).
    public var probePeriod = Span.seconds(1)
    /// Pings to the target itself before relays are asked.
    public var directPings = 3
    /// How long the direct pings take together.
    public var directSpan = Span.milliseconds(400)
    /// When a probe has failed.
    public var verdictSpan = Span.milliseconds(800)
    /// Relays asked by a failing probe (SWIM's k).
    public var relays = 3

    /// A node gossips at most this often.
    public var gossipInterval = Span.milliseconds(200)
    /// Targets of a gossip round.
    public var gossipFanout = 3
    /// Up to this many members, a round goes to all of them.
    public var gossipToAllUpTo = 16
    /// Each rumour is sent for this many times ⌈log₁₀(N + 1)⌉ rounds.
    public var gossipFactor = 4
    /// Datagrams to one target in one round, when rumours have piled up.
    public var datagramsPerTarget = 4
    /// Bytes of a datagram, its seal included.
    public var datagramLimit = 1200

    /// A suspicion that enough members share lasts this long (Lifeguard section IV-B).
    public var suspicionFloor = Span.seconds(5)
    /// A suspicion that nobody shares lasts this long.
    public var suspicionCeiling = Span.seconds(20)
    /// Independent confirmations that bring a suspicion from the ceiling to the floor, at most.
    public var mostConfirmations = 3
    /// The suspicion of a member whose host refused a connection.
    public var refusedSuspicion = Span.seconds(1)
    /// The hearers of a suspicion that probe its subject themselves, on average.
    public var curiousHearers = 8.0
    /// Relays that are asked whether they, too, are refused.
    public var refusalWitnesses = 3
    /// How long witnesses may take.
    public var witnessSpan = Span.milliseconds(700)

    /// The highest local health score (Lifeguard's S).
    public var worstHealth = 7
    /// A step this late means that we stalled.
    public var stallThreshold = Span.milliseconds(250)
    /// One suspicion is extended by at most this much for our own stalls.
    public var mostExtension = Span.seconds(10)
    /// A step this late is a suspend: we rejoin with a new incarnation.
    public var suspendThreshold = Span.seconds(30)

    /// How often a digest of the table is compared with one member's.
    public var antiEntropyInterval = Span.seconds(10)
    /// Bytes of table entries in one frame, after which it ends with its bucket: together they stay below
    /// the 1 MiB that a control frame may have.
    public var chunkLimit = 512 << 10
    /// How many members may be probed because a table that we merged called them dead.
    public var doubtsPerMerge = 32

    /// What a table of more rows than this taught us is not gossiped: it spreads by tables.
    public var gossipedMerge = 64

    /// First and last interval of reconnecting.
    public var reconnectFirst = Span.seconds(1)
    public var reconnectLast = Span.seconds(8)
    /// Dials in flight.
    public var reconnectAtOnce = 8
    /// An unused link that we dialled is closed after this time, unless it goes to the ring successor.
    public var idleLink = Span.seconds(10)

    /// How long another start of our own key may take to answer an echo.
    public var echoSpan = Span.seconds(5)
    /// How long a farewell is repeated before the process ends.
    public var farewellSpan = Span.milliseconds(600)

    /// A member that left is forgotten after this time.
    public var forgetLeft = Span.seconds(3600)
    /// A dead member is forgotten after this time of our own uptime.
    public var forgetDead = Span.seconds(24 * 3600)
    /// Tombstones kept, the newest.
    public var mostTombstones = 1024
    /// Members kept; further ones are refused.
    public var mostMembers = 16_384
    /// Probes that we relay for others at one time.
    public var mostRelayed = 256

    /// What a link between two nodes is taken to give, while it is not measured.
    public var link = LinkMeasure(roundTrip: .milliseconds(2), bytesPerSecond: 100e6)

    /// The protocol fault that is switched on: for tests only, `nil` in every real node.
    public var fault: DeliberateFault?

    public init() {}
}
