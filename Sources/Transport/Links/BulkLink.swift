import Cluster
import NIOCore

// Bulk bytes: blobs, outputs, scene ranges. They have connections of their own, so that a heartbeat is never
// behind a gigabyte. A message in a control frame opens a stream, the bytes follow raw in data frames, and
// the sender pauses when the network does not keep up.

/// Who takes the frames of a bulk link. Called on the link's event loop, one call at a time; it must not
/// block.
public protocol BulkReceiver: AnyObject, Sendable {
    /// A frame; `kind` is control or data. The bytes live for the length of the call.
    func received(_ kind: FrameKind, stream: UInt32, _ payload: UnsafeRawBufferPointer)
    /// Whether the network takes more bytes for now.
    func writabilityChanged(_ isWritable: Bool)
    /// Nothing more comes or goes.
    func ended(_ loss: LinkLoss)
}

/// The link ended before the bytes were sent.
public struct LinkEnded: Error, Equatable, Sendable, CustomStringConvertible {
    public init() {}

    public var description: String { "the link to the peer ended; ask another holder" }
}

/// A link for bulk bytes, usable from any thread.
public final class BulkLink: @unchecked Sendable {
    /// Who is at the other end.
    public let peer: LinkPeer
    /// Where we see the peer.
    public let seenAt: Address
    /// The number of the dial that made it; nil if the peer called.
    public let dial: UInt64?
    private let connection: Connection
    /// Senders that pause; confined to the connection's event loop.
    private var waiting: [CheckedContinuation<Void, any Error>] = []

    init(_ connection: Connection, _ session: LinkSession, seenAt: Address, dial: UInt64?) {
        self.connection = connection
        self.seenAt = seenAt
        self.dial = dial
        peer = session.peer
    }

    /// Sends one frame, and returns when the next one may come: at once, or after the network took what
    /// waits.
    ///
    /// - Parameters:
    ///   - kind: control (at most 1 MiB) or data (at most 256 KiB).
    ///   - stream: what the frame belongs to; chosen by whoever opens the stream.
    /// - Throws: `LinkEnded`.
    public func send(_ kind: FrameKind, stream: UInt32, _ payload: [UInt8]) async throws {
        precondition(payload.count <= kind.payloadLimit, "a \(kind) frame of \(payload.count) bytes")
        try await withCheckedThrowingContinuation { continuation in
            connection.loop.execute { self.send(kind, stream, payload, continuation) }
        }
    }

    private func send(
        _ kind: FrameKind, _ stream: UInt32, _ payload: [UInt8],
        _ continuation: CheckedContinuation<Void, any Error>
    ) {
        guard connection.send(kind, stream: stream, payload, whenSent: { self.release() }) else {
            return continuation.resume(throwing: LinkEnded())
        }
        if connection.waitingBytes < connection.limits.highWatermark {
            continuation.resume()
        } else {
            waiting.append(continuation)
        }
    }

    private func release() {
        guard !waiting.isEmpty, connection.waitingBytes <= connection.limits.lowWatermark else { return }
        let ready = waiting
        waiting = []
        for continuation in ready { continuation.resume() }
    }

    /// Seconds since the link stands in which bytes for the peer were on their way or waited for the network,
    /// neither for the peer to read nor for this process (0 where the system keeps no account), and whether
    /// some wait now. Nil when the link has ended.
    public func sending() async -> (heldByNetwork: Double, isWaiting: Bool)? {
        let connection = connection
        let answer = connection.loop.flatSubmit {
            connection.sendingTimes().map { ($0, connection.waitingBytes > 0) }
        }
        do {
            let (times, isWaiting) = try await answer.get()
            return (times.heldByNetwork, isWaiting || times.hasUnsent)
        } catch {
            return nil
        }
    }

    /// Stops or resumes taking bytes from the peer, which pauses in turn.
    public func setReading(_ isReading: Bool) {
        connection.loop.execute { self.connection.setReading(isReading) }
    }

    /// Says goodbye and ends the link, after what was sent before.
    public func close() {
        connection.loop.execute { self.connection.leave(.done, as: .closedHere) }
    }

    /// On the connection's event loop.
    func ended() {
        let lost = waiting
        waiting = []
        for continuation in lost { continuation.resume(throwing: LinkEnded()) }
    }
}
