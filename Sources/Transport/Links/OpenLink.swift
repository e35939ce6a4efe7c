import NIOCore

/// The two directions of a link whose handshake is complete: keys, counters, and when something last moved.
/// Confined to its connection's event loop.
final class OpenLink {
    let session: LinkSession
    private let context: ChannelHandlerContext
    private let limits: LinkLimits
    private var sealer: FrameSealer
    private let opener: FrameOpener
    /// Buffers that were written, to be used again.
    private var spare: [ByteBuffer] = []
    private static let mostSpare = 8

    /// Sealed bytes that the network has not taken.
    private(set) var waitingBytes = 0
    /// False while the owner has stopped reading: then silence says nothing about the peer.
    var isReading = true {
        didSet { lastHeard = .now() }
    }
    private var lastHeard = NIODeadline.now()
    private var lastSaid = NIODeadline.now()
    /// When the network last took bytes, or had none to take.
    private var lastMoved = NIODeadline.now()
    /// When the frame that is still incomplete began.
    private var partialSince: NIODeadline?
    private(set) var counts = FrameCounts()

    init(_ session: LinkSession, context: ChannelHandlerContext, limits: LinkLimits) {
        self.session = session
        self.context = context
        self.limits = limits
        sealer = FrameSealer(session.sending)
        opener = FrameOpener(session.receiving)
    }

    /// Bytes from the network; whole frames go to `deliver` until it returns false.
    func feed(
        _ bytes: UnsafeRawBufferPointer, _ deliver: (FrameKind, UInt32, UnsafeRawBufferPointer) -> Bool
    ) throws(FrameError) {
        lastHeard = .now()
        var hasFrame = false
        try opener.feed(bytes) { kind, stream, payload in
            hasFrame = true
            counts.framesReceived += 1
            counts.bytesReceived += payload.count
            return deliver(kind, stream, payload)
        }
        if opener.partialCount == 0 {
            partialSince = nil
        } else if hasFrame || partialSince == nil {
            partialSince = lastHeard
        }
    }

    /// Seals a frame into a buffer and hands it to the network.
    func send(
        _ kind: FrameKind, stream: UInt32, _ payload: [UInt8], whenSent: (() -> Void)? = nil
    ) {
        let size = FrameSealer.size(payloadCount: payload.count)
        var buffer = spare.popLast() ?? context.channel.allocator.buffer(capacity: size)
        buffer.clear(minimumCapacity: size)
        var failure: NoiseError?
        payload.withUnsafeBytes { payload in
            _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { memory in
                do throws(NoiseError) {
                    try sealer.seal(
                        kind, stream: stream, payload,
                        into: UnsafeMutableRawBufferPointer(rebasing: memory[..<size]))
                    return size
                } catch {
                    failure = error
                    return 0
                }
            }
        }
        guard failure == nil else { return context.close(promise: nil) }
        let now = NIODeadline.now()
        if waitingBytes == 0 { lastMoved = now }
        lastSaid = now
        waitingBytes += size
        counts.framesSent += 1
        counts.bytesSent += payload.count
        let promise = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(NIOAny(buffer), promise: promise)
        promise.futureResult.assumeIsolated().whenComplete { [buffer] _ in
            self.waitingBytes -= size
            self.lastMoved = .now()
            if self.spare.count < Self.mostSpare { self.spare.append(buffer) }
            whenSent?()
        }
    }

    /// Why the link should be cut, if it should.
    func flaw() -> String? {
        let now = NIODeadline.now()
        if isReading, now - lastHeard > .nanoseconds(seconds: limits.silence) {
            return "nothing was heard for \(limits.silence) s"
        }
        if isReading, let partialSince, now - partialSince > .nanoseconds(seconds: limits.stall) {
            return "a frame took longer than \(limits.stall) s"
        }
        if waitingBytes > 0, now - lastMoved > .nanoseconds(seconds: limits.stall) {
            return "the peer took no bytes for \(limits.stall) s, \(waitingBytes) wait"
        }
        return nil
    }

    /// Whether the peer has heard nothing for as long as it should.
    var wantsKeepAlive: Bool { NIODeadline.now() - lastSaid >= .nanoseconds(seconds: limits.keepAlive) }
}
