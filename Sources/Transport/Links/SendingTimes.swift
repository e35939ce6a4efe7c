import NIOCore

// What the kernel keeps of each TCP connection: how long it had bytes to send, and whom they waited for.

/// The times of one connection's sending since it stands.
struct SendingTimes: Sendable {
    /// Linux's `struct tcp_info` (uapi/linux/tcp.h) up to these times, which the C library's own declaration
    /// lacks: the lower half of eight-byte word 18 is `tcpi_notsent_bytes`, words 21 to 23 are
    /// `tcpi_busy_time`, `tcpi_rwnd_limited` and `tcpi_sndbuf_limited`, in microseconds. Kernels before 4.10
    /// leave them 0.
    private typealias Words = InlineArray<24, UInt64>

    /// Seconds in which bytes were on their way or waited for the network: neither for the peer to read nor
    /// for this process.
    let heldByNetwork: Double
    /// The kernel has bytes that it has not sent yet: more than a long way alone explains.
    let hasUnsent: Bool

    private init(_ words: Words) {
        heldByNetwork = Double(words[21] &- min(words[21], words[22] &+ words[23])) / 1e6
        hasUnsent = UInt32(truncatingIfNeeded: words[18]) > 0
    }

    /// Asks the kernel; the result fails when the connection is gone.
    static func read(of channel: any Channel) -> EventLoopFuture<SendingTimes> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(LinkEnded())
        }
        let words: EventLoopFuture<Words> = provider.unsafeGetSocketOption(
            level: .tcp, name: .tcp_info)
        return words.map { SendingTimes($0) }
    }
}
