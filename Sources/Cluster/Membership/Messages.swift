// What crosses the network, with the size that it takes there. The transport encodes exactly these and keeps
// to the sizes; the simulator counts bytes by them. Signatures and seals are the shell's: what arrives here
// was verified.

/// A sealed UDP packet of at most 1200 bytes: probes, gossip and other short questions (PROTOCOL sections 2
/// and 6).
public struct Datagram: Equatable, Sendable {
    /// What a datagram says.
    public enum Message: Equatable, Sendable {
        /// Answer me, with this fresh random.
        case ping(UInt64)
        /// The answer to a ping, its random echoed; also relayed for an indirect probe.
        case ack(UInt64)
        /// Ping `target` for me; answer with an ack of this random, or a nack.
        case pingRequest(NodeID, UInt64)
        /// The relay lives but the target has not answered it (Lifeguard section IV-A).
        case nack(UInt64)
        /// Rumours only.
        case gossip
        /// My table's digest, and that of my keys.
        case digest(MemberTable.Root, keys: UInt64)
        /// You sent this to that node, and I am another.
        case notMe(NodeID)
        /// Is another start of our own key at this address?
        case echo(UInt64)
        /// Yes: with its epoch when it started, which decides between clones.
        case echoReply(UInt64, epochAtStart: UInt32)
        /// Try to connect to `target`, and say whether its host refuses.
        case dialRequest(NodeID, UInt64)
        case dialReport(UInt64, refused: Bool)
        /// A job's header changed (PROTOCOL section 3).
        case job(JobRumour)
    }

    public let sender: NodeID
    public let start: StartID
    public let target: NodeID
    public let message: Message
    public var rumours: [Rumour]

    public init(sender: NodeID, start: StartID, target: NodeID, message: Message, rumours: [Rumour] = []) {
        self.sender = sender
        self.start = start
        self.target = target
        self.message = message
        self.rumours = rumours
    }

    /// IPv4 and UDP 28; version 1 and key id 4 in clear; nonce 24 and tag 16; sender, start, target 24; tag
    /// 1.
    public static let overhead = 28 + 5 + 40 + 24 + 1

    /// Bytes on the wire, IP and UDP headers included.
    public var encodedSize: Int {
        var size = Datagram.overhead + message.encodedSize
        for rumour in rumours { size += rumour.encodedSize }
        return size
    }
}

extension Datagram.Message {
    /// The most bytes of a message that carries gossip: a digest.
    static let mostBesideRumours = 28

    /// Bytes of the message's own fields.
    var encodedSize: Int {
        switch self {
        case .ping, .ack, .nack, .echo, .notMe: 8
        case .pingRequest, .dialRequest: 19
        case .gossip: 1
        case .digest: 28
        case .echoReply: 13
        case .dialReport: 12
        case .job: JobRumour.encodedSize
        }
    }
}

/// One row of a table as anti-entropy carries it.
public struct TableEntry: Equatable, Sendable {
    public let record: AliveRecord
    public let version: Version
    public let standing: Standing

    public init(record: AliveRecord, version: Version, standing: Standing) {
        self.record = record
        self.version = version
        self.standing = standing
    }

    /// Record, version and standing 8, and 6 of framing.
    public var encodedSize: Int { record.encodedSize + 14 }
}

/// A message on a link, in order and sealed by the session (PROTOCOL section 6).
public enum Frame: Equatable, Sendable {
    /// The first frame of both sides: who I am, my digests, what I believe of you, and where I see you.
    case hello(AliveRecord, MemberTable.Root, keys: UInt64, ofYou: Rumour?, seenAt: Address?)
    /// A datagram's content, when datagrams do not get through.
    case packet(Datagram.Message, [Rumour])
    /// The 256 digests of my table, after two roots differed.
    case buckets([UInt64])
    /// My rows in the buckets that differ; `wanted` asks for yours in them.
    case entries([TableEntry], wanted: [UInt8])
    /// My keys, after two key digests differed.
    case keys(KeyTable)
    /// About one job.
    case job(JobMessage)
    /// About the headers of all jobs.
    case book(BookMessage)

    /// Bytes on the wire: length 4, type and stream 5, tag 16, TCP and IP headers 40, the content, and 4 that
    /// say what it is.
    public var encodedSize: Int {
        let content =
            switch self {
            case .hello(let record, _, _, let rumour, let seen):
                record.encodedSize + 32 + (rumour?.encodedSize ?? 0) + (seen?.text.utf8.count ?? 0)
            case .packet(let message, let rumours):
                message.encodedSize + rumours.reduce(1) { $0 + $1.encodedSize }
            case .buckets(let digests): 3 + 8 * digests.count
            case .entries(let entries, let wanted): entries.reduce(3 + wanted.count) { $0 + $1.encodedSize }
            case .keys(let table): table.encodedSize
            case .job(let message): message.encodedSize
            case .book(let message): message.encodedSize
            }
        return 69 + content
    }
}
