import Cluster

// What the transport tells its owner. All events come from one thread, in the order in which they happened,
// so the owner can feed them straight into `Cluster.Node`; it must not block there.

/// Something that happened on the network.
public enum TransportEvent: Sendable {
    /// The control link to a peer stands. It may be said again while it stands: another dial met the same
    /// peer.
    case linkUp(LinkUp)
    /// The control link ended.
    case linkLost(LinkPeer, LinkLoss)
    /// The dial of that number led to no link.
    case dialFailed(UInt64, FailedDial)
    /// A control frame's payload.
    case control([UInt8], stream: UInt32, from: LinkPeer)
    /// A datagram, opened; for us or, by its target, for another node that had our address.
    case datagram(SealedDatagram, from: Address)
    /// A connection or a link was refused or cut for what the peer did; for the log.
    case refused(Address, String)
}

/// A link that stands.
public struct LinkUp: Sendable {
    /// Who is at the other end.
    public let peer: LinkPeer
    /// Where we see the peer: its address with the port of its connection, not of its listener, if it called.
    public let seenAt: Address
    /// The number of the dial that led to it; nil when the peer called.
    public let dial: UInt64?
    /// The cluster key that admitted it. If it is not the one in use, the peer is to be given that.
    public let key: KeyID
    /// The version that both speak.
    public let version: UInt8
    /// The features that both have.
    public let features: UInt32
}

/// How a link ended.
public enum LinkLoss: Equatable, Sendable, CustomStringConvertible {
    /// The peer said so.
    case goodbye(Goodbye)
    /// We said so.
    case closedHere
    /// Another connection of the same peer took its place.
    case replaced
    /// Without a word; why is for the log.
    case broken(String)

    public var description: String {
        switch self {
        case .goodbye(let reason): "the peer said goodbye (\(reason))"
        case .closedHere: "closed from here"
        case .replaced: "replaced by a newer link"
        case .broken(let reason): reason
        }
    }
}

/// What a goodbye says.
public enum Goodbye: UInt8, Sendable {
    /// The link is not needed, or the process ends.
    case done = 0
    /// Two dials crossed, and the other link stays.
    case duplicate = 1
    /// The peer may not have a link, or not another one.
    case unwelcome = 2
}

/// Why a dial led to no link.
public enum FailedDial: Error, Equatable, Sendable, CustomStringConvertible {
    /// The host answers and nobody listens there.
    case refused
    /// Silence for the connect limit or the handshake limit.
    case timedOut
    /// The network knows no way there.
    case unreachable(String)
    /// The name has no address.
    case unresolved(String)
    /// Somebody listens, but no link came of it.
    case handshake(HandshakeFailure)
    /// A link stands, but to another node than the one that was dialled.
    case otherNode(NodeID)
    /// The connection ended before the link stood.
    case cut
    /// Another dial to the same node is under way.
    case crossed
    /// The node wants no link, or no further one.
    case unwelcome
    /// The transport is shutting down.
    case closing

    public var description: String {
        switch self {
        case .refused: "nobody listens there"
        case .timedOut: "no answer in time"
        case .unreachable(let reason): "the network knows no way there: \(reason)"
        case .unresolved(let name): "the name \(name) has no address"
        case .handshake(let failure): failure.description
        case .otherNode(let node): "node \(node) lives there"
        case .cut: "the connection was cut during the handshake"
        case .crossed: "another dial to the same node is under way"
        case .unwelcome: "the node wants no further link"
        case .closing: "this node is shutting down"
        }
    }
}

/// Counts of what went over the network, since the transport was opened.
public struct TransportCounts: Equatable, Sendable {
    /// Datagrams sealed and handed to the network, and their bytes.
    public var datagramsSent = 0
    public var datagramBytesSent = 0
    /// Datagrams that could be opened, and their bytes.
    public var datagramsReceived = 0
    public var datagramBytesReceived = 0
    /// Packets that were dropped, by why.
    public var datagramsOfWrongSize = 0
    public var datagramsOfOtherVersion = 0
    public var datagramsUnderUnknownKey = 0
    public var datagramsForged = 0
    /// Datagrams that could not be sent: too long, no key, no address, or a full socket.
    public var datagramsUnsent = 0
    /// Connections refused because too many handshakes were unfinished.
    public var connectionsTurnedAway = 0
    /// Handshakes that failed.
    public var handshakesFailed = 0
    /// Of links that have ended; a running link is added when it ends.
    public var frames = FrameCounts()

    public init() {}

    /// The datagrams of these counts with the links of those.
    func adding(_ links: TransportCounts) -> TransportCounts {
        var all = self
        all.connectionsTurnedAway = links.connectionsTurnedAway
        all.handshakesFailed = links.handshakesFailed
        all.frames = links.frames
        return all
    }

    mutating func add(_ sums: FrameCounts) {
        frames.framesSent += sums.framesSent
        frames.bytesSent += sums.bytesSent
        frames.framesReceived += sums.framesReceived
        frames.bytesReceived += sums.bytesReceived
    }
}

/// Frames, and bytes of their payloads.
public struct FrameCounts: Equatable, Sendable {
    /// Frames sealed.
    public var framesSent = 0
    public var bytesSent = 0
    /// Frames opened.
    public var framesReceived = 0
    public var bytesReceived = 0

    public init() {}
}
