import Cluster
import NIOCore

// One TCP connection, from its handshake to its end. Everything here runs on the connection's own event loop;
// other threads reach it through `Link`. What concerns all links together is told to the `ConnectionOwner`.

/// What a connection reports, on its own event loop.
protocol ConnectionOwner: AnyObject, Sendable {
    /// A control connection whose peer is known: our call before its proof, or a peer's call after its proof.
    /// It waits for `decide`.
    func asks(_ connection: Connection, _ session: LinkSession)
    /// The peer confirmed our call; a bulk link stands.
    func established(_ connection: Connection, _ session: LinkSession)
    /// A frame of a control link.
    func received(_ bytes: [UInt8], stream: UInt32, on connection: Connection, _ session: LinkSession)
    /// The connection is gone; `session` is nil if the peer did not become known.
    func ended(_ connection: Connection, _ session: LinkSession?, _ end: Connection.End, _ sums: FrameCounts)
    /// Who receives the frames of this bulk link; nil refuses it.
    func bulkReceiver(_ link: BulkLink) -> (any BulkReceiver)?
}

/// One TCP connection. Confined to its event loop, but for what is immutable.
final class Connection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How a connection ended.
    enum End: Equatable, Sendable {
        case handshakeFailed(HandshakeFailure)
        case handshakeTimedOut
        /// The connection was cut before it was a link.
        case cut
        /// It gave way to another connection before it was a link.
        case gaveWay
        /// The peer did not want it before it was a link.
        case unwelcome
        case link(LinkLoss)
    }

    /// What becomes of a connection that asked.
    enum Decision: Sendable {
        case goOn
        /// Another connection is the link.
        case giveWay
    }

    /// handshaking → asking → confirming (callers only) → open → leaving → ended.
    private enum Phase {
        case handshaking(LinkHandshake)
        /// The peer is known; the owner decides. A caller's proof waits with it.
        case asking(OpenLink, proof: [UInt8])
        /// We called and proved ourselves; the peer may still refuse us.
        case confirming(OpenLink)
        case open(OpenLink)
        /// Goodbye was said; what still arrives is taken.
        case leaving(OpenLink, LinkLoss)
        case ended
    }

    let number: UInt64
    /// The number of the dial that made it; nil if the peer called.
    let dial: UInt64?
    /// The node that the dial meant.
    let expected: NodeID?
    let remote: Address
    let loop: any EventLoop
    let limits: LinkLimits
    private let owner: any ConnectionOwner
    private let gate: (HandshakeGate, host: String)?
    private var phase: Phase
    private var pendingActions: [LinkHandshake.Action]
    private var context: ChannelHandlerContext?
    private var deadline: Scheduled<Void>?
    private var ticking: RepeatedTask?
    private(set) var bulk: (link: BulkLink, receiver: any BulkReceiver)?

    /// - Parameter gate: where the handshake is counted, for a connection that the peer made.
    init(
        number: UInt64, handshake: LinkHandshake, actions: [LinkHandshake.Action] = [], dial: UInt64? = nil,
        expected: NodeID? = nil, remote: Address, loop: any EventLoop, limits: LinkLimits,
        gate: (HandshakeGate, host: String)? = nil, owner: any ConnectionOwner
    ) {
        self.number = number
        self.dial = dial
        self.expected = expected
        self.remote = remote
        self.loop = loop
        self.limits = limits
        self.gate = gate
        self.owner = owner
        phase = .handshaking(handshake)
        pendingActions = actions
    }

    // MARK: The channel's events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        deadline = loop.scheduleTask(in: .nanoseconds(seconds: limits.handshake)) { self.handshakeTimedOut() }
        if context.channel.isActive { begin() }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        switch phase {
        case .handshaking(var handshake):
            let actions = handshake.received(buffer.readableBytesView)
            phase = .handshaking(handshake)
            run(actions)
        case .asking(let link, _), .confirming(let link), .open(let link), .leaving(let link, _):
            buffer.withUnsafeReadableBytes { feed($0, to: link) }
        case .ended: break
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        bulk?.receiver.writabilityChanged(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.broken("the connection was closed without a goodbye"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.broken("the connection failed: \(error)"))
    }

    /// Also the end of a connection that never became active.
    func handlerRemoved(context: ChannelHandlerContext) {
        end(.broken("the connection was closed without a goodbye"))
        self.context = nil
    }

    // MARK: The handshake

    private func begin() {
        let actions = pendingActions
        pendingActions = []
        run(actions)
    }

    private func run(_ actions: [LinkHandshake.Action]) {
        var proof: [UInt8] = []
        let isDone = actions.contains { if case .established = $0 { true } else { false } }
        for action in actions {
            switch action {
            case .send(let bytes): if isDone { proof = bytes } else { write(bytes) }
            case .failed(let failure): finish(.handshakeFailed(failure))
            case .established(let session, let rest): know(session, proof: proof, rest)
            }
        }
    }

    private func write(_ bytes: [UInt8]) {
        guard let context, !bytes.isEmpty else { return }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    }

    private func know(_ session: LinkSession, proof: [UInt8], _ rest: [UInt8]) {
        guard let context else { return }
        let link = OpenLink(session, context: context, limits: limits)
        phase = .asking(link, proof: proof)
        if session.purpose == .bulk { decide(.goOn) } else { owner.asks(self, session) }
        if !rest.isEmpty { rest.withUnsafeBytes { feed($0, to: link) } }
    }

    /// The owner's answer, on the event loop.
    func decide(_ decision: Decision) {
        guard case .asking(let link, let proof) = phase else { return }
        switch (decision, link.session.isCaller) {
        case (.giveWay, true): finish(.gaveWay)
        case (.giveWay, false):
            link.send(.goodbye, stream: 0, [Goodbye.duplicate.rawValue]) { self.finish(.gaveWay) }
        case (.goOn, true):
            phase = .confirming(link)
            write(proof)
        case (.goOn, false):
            // The owner knows of the link before the peer does: what the peer does next comes after it.
            phase = .open(link)
            opened(link)
            send(.alive, stream: 0, [])
        }
    }

    private func opened(_ link: OpenLink) {
        handshakeIsOver()
        let second = TimeAmount.nanoseconds(seconds: 1)
        ticking = loop.scheduleRepeatedTask(initialDelay: second, delay: second) { _ in
            self.tick()
        }
        if link.session.purpose == .bulk {
            let bulkLink = BulkLink(self, link.session, seenAt: remote, dial: dial)
            guard let receiver = owner.bulkReceiver(bulkLink) else {
                leave(.unwelcome, as: .closedHere)
                return
            }
            bulk = (bulkLink, receiver)
        }
        if link.session.purpose == .bulk || link.session.isCaller { owner.established(self, link.session) }
    }

    private func handshakeIsOver() {
        deadline?.cancel()
        guard deadline != nil else { return }
        deadline = nil
        if let gate { gate.0.leave(gate.host) }
    }

    private func handshakeTimedOut() {
        guard deadline != nil else { return }
        finish(.handshakeTimedOut)
    }

    // MARK: Frames

    private func feed(_ bytes: UnsafeRawBufferPointer, to link: OpenLink) {
        do throws(FrameError) {
            try link.feed(bytes) { kind, stream, payload in
                self.take(kind, stream, payload, link)
            }
        } catch {
            switch phase {
            case .asking, .confirming: finish(.handshakeFailed(.malformed))
            default: end(.broken("cut: the peer sent \(error)"))
            }
        }
    }

    /// False once the connection takes no more.
    private func take(
        _ kind: FrameKind, _ stream: UInt32, _ payload: UnsafeRawBufferPointer, _ link: OpenLink
    )
        -> Bool
    {
        if kind == .goodbye {
            saidGoodbye(Goodbye(rawValue: payload.first ?? 0) ?? .done, link)
            return false
        }
        switch phase {
        case .confirming:
            phase = .open(link)
            opened(link)
        case .asking where kind != .alive:
            // Nobody has confirmed the link: there is nothing to be said on it.
            finish(.handshakeFailed(.malformed))
            return false
        default: break
        }
        switch (kind, phase) {
        case (.control, .open), (.control, .leaving):
            if let bulk {
                bulk.receiver.received(.control, stream: stream, payload)
            } else if link.session.purpose == .control {
                owner.received(Array(payload), stream: stream, on: self, link.session)
            }
        case (.data, .open), (.data, .leaving):
            guard let bulk else {
                end(.broken("cut: the peer sent bulk bytes over a control link"))
                return false
            }
            bulk.receiver.received(.data, stream: stream, payload)
        default: break
        }
        if case .ended = phase { return false }
        return true
    }

    private func saidGoodbye(_ reason: Goodbye, _ link: OpenLink) {
        switch phase {
        case .confirming, .asking:
            finish(reason == .duplicate ? .gaveWay : reason == .unwelcome ? .unwelcome : .cut)
        case .open:
            phase = .leaving(link, .goodbye(reason))
            link.send(.goodbye, stream: 0, [reason.rawValue]) { self.finish(.link(.goodbye(reason))) }
        case .leaving(_, let loss): finish(.link(loss))
        case .handshaking, .ended: break
        }
    }

    /// Says goodbye and reads on until the peer does.
    func leave(_ reason: Goodbye, as loss: LinkLoss) {
        loop.assertInEventLoop()
        switch phase {
        case .confirming(let link), .open(let link):
            phase = .leaving(link, loss)
            link.send(.goodbye, stream: 0, [reason.rawValue])
            loop.scheduleTask(in: .nanoseconds(seconds: limits.goodbye)) { self.finish(.link(loss)) }
        case .handshaking, .asking: finish(.cut)
        case .leaving, .ended: break
        }
    }

    /// Seals and sends, on the event loop. False when the link has ended or its peer does not keep up.
    @discardableResult
    func send(
        _ kind: FrameKind, stream: UInt32, _ payload: [UInt8], whenSent: (() -> Void)? = nil
    ) -> Bool {
        loop.assertInEventLoop()
        guard case .open(let link) = phase else { return false }
        link.send(kind, stream: stream, payload, whenSent: whenSent)
        if link.session.purpose == .control, link.waitingBytes > limits.controlQueue {
            end(.broken("cut: the peer does not keep up, \(link.waitingBytes) bytes wait"))
            return false
        }
        return true
    }

    /// Bytes that wait for the network.
    var waitingBytes: Int {
        switch phase {
        case .asking(let link, _), .confirming(let link), .open(let link), .leaving(let link, _):
            link.waitingBytes
        case .handshaking, .ended: 0
        }
    }

    var isOpen: Bool {
        if case .open = phase { return true }
        return false
    }

    /// Back-pressure towards the peer: stops or resumes reading.
    func setReading(_ isReading: Bool) {
        guard let context else { return }
        if case .open(let link) = phase { link.isReading = isReading }
        context.channel.setOption(.autoRead, value: isReading).whenFailure { _ in self.end(.broken("closed"))
        }
    }

    /// What the kernel says of our sending.
    func sendingTimes() -> EventLoopFuture<SendingTimes> {
        guard let context else { return loop.makeFailedFuture(LinkEnded()) }
        return SendingTimes.read(of: context.channel)
    }

    // MARK: Time

    private func tick() {
        guard case .open(let link) = phase else { return }
        if let flaw = link.flaw() {
            end(.broken("cut: \(flaw)"))
        } else if link.wantsKeepAlive {
            link.send(.alive, stream: 0, [])
        }
    }

    // MARK: The end

    private func end(_ loss: LinkLoss) {
        switch phase {
        case .handshaking(let handshake) where handshake.lacksCallersKey:
            finish(.handshakeFailed(.noCommonKey))
        case .handshaking, .asking, .confirming: finish(.cut)
        case .open: finish(.link(loss))
        case .leaving(_, let said): finish(.link(said))
        case .ended: break
        }
    }

    private func finish(_ end: End) {
        let link: OpenLink?
        switch phase {
        case .ended: return
        case .handshaking: link = nil
        case .asking(let open, _), .confirming(let open), .open(let open), .leaving(let open, _): link = open
        }
        phase = .ended
        handshakeIsOver()
        ticking?.cancel()
        ticking = nil
        owner.ended(self, link?.session, end, link?.counts ?? FrameCounts())
        if let bulk, case .link(let loss) = end { bulk.receiver.ended(loss) }
        bulk?.link.ended()
        bulk = nil
        context?.close(promise: nil)
    }
}

extension TimeAmount {
    static func nanoseconds(seconds: Double) -> TimeAmount { .nanoseconds(Int64(seconds * 1e9)) }
}
