// Every number of the transport in one place. A number is a default, and configurable.

/// How long the transport waits and how much it holds. Times are in seconds.
public struct LinkLimits: Equatable, Sendable {
    /// A dial without a connection fails after this time (PROTOCOL section 2, reconnect).
    public var connect = 3.0
    /// A connection without a complete handshake is cut after this time, however busily it sends.
    public var handshake = 5.0
    /// Unfinished handshakes from one address at a time; further ones are answered "busy".
    public var handshakesPerAddress = 16
    /// Unfinished handshakes from all addresses together.
    public var handshakes = 512
    /// Something is sent at least this often.
    public var keepAlive = 5.0
    /// A link on which nothing arrives for this long is broken.
    public var silence = 20.0
    /// A frame that has begun must be complete, and bytes that wait must move, within this time.
    public var stall = 15.0
    /// A link that was told goodbye is cut after this time, whether the peer answers or not.
    public var goodbye = 2.0
    /// A call that crosses ours arrives within this time after ours was confirmed.
    public var crossing = 5.0
    /// Bytes that wait for the network: senders of bulk pause above the high mark, until the low one.
    public var highWatermark = 4 << 20
    public var lowWatermark = 1 << 20
    /// A control link with more bytes waiting is cut: its peer does not keep up.
    public var controlQueue = 16 << 20
    /// The largest piece that is read at once.
    public var largestRead = 1 << 20
    /// Bulk links that one peer may have here at a time.
    public var bulkLinksPerPeer = 8
    /// Names of which addresses are remembered, and for how long.
    public var resolvedNames = 4096
    public var resolvedFor = 60.0

    public init() {}
}
