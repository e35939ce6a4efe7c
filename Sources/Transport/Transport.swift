import Cluster
import NIOCore
import NIOPosix
import Synchronization

// Value → sealed bytes → peer. One port number carries TCP for links and UDP for datagrams; what is said
// there is the protocol's affair (PROTOCOL section 6). The owner hears events in one order from one thread,
// and asks from any thread.

/// Why the transport could not listen; a sentence.
public struct ListenFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// What failed, at which address, why, and what to do.
    public let description: String
}

/// A node's connection to the other nodes. It has threads of its own from its making until `shutDown`, which
/// is to be called also when `open` fails.
public final class Transport: Sendable {
    /// Who we are and how we behave.
    public struct Options: Sendable {
        /// The node's key.
        public var identity: NodeIdentity
        /// This start of the process.
        public var start: StartID
        /// The cluster keys.
        public var keys: SealingKeys
        /// Where to listen, "0.0.0.0:7480"; port 0 takes a free one.
        public var listen: Address
        /// Times and bounds.
        public var limits = LinkLimits()
        /// Versions and features.
        public var terms = LinkTerms.current
        /// Threads for connections; one more carries datagrams and events.
        public var threads = 2

        /// Options with the defaults for the rest.
        public init(identity: NodeIdentity, start: StartID, keys: SealingKeys, listen: Address) {
            (self.identity, self.start, self.keys, self.listen) = (identity, start, keys, listen)
        }
    }

    private struct State {
        var keys: SealingKeys
        var lastNumber: UInt64 = 0
        var listener: (any Channel)?
        var datagrams: (any Channel)?
        var isClosed = false
    }

    private let options: Options
    private let homeGroup: MultiThreadedEventLoopGroup
    private let group: MultiThreadedEventLoopGroup
    private let names: NIOThreadPool
    private let board: Switchboard
    private let gate: HandshakeGate
    private let port: DatagramPort
    private let state: Mutex<State>

    /// - Parameters:
    ///   - options: who we are.
    /// - bulk: called for each bulk link that stands, on its event loop: who takes its frames; nil refuses
    ///   it.
    ///   - report: called for each event, one at a time and in order, on one thread that must not block.
    public init(
        _ options: Options, bulk: @escaping @Sendable (BulkLink) -> (any BulkReceiver)?,
        report: @escaping @Sendable (TransportEvent) -> Void
    ) {
        self.options = options
        homeGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, options.threads))
        names = NIOThreadPool(numberOfThreads: 1)
        names.start()
        let home = homeGroup.next()
        let board = Switchboard(
            me: options.identity.id, home: home, limits: options.limits, makeReceiver: bulk, report: report)
        self.board = board
        gate = HandshakeGate(options.limits)
        state = Mutex(State(keys: options.keys))
        let cache = NameCache(loop: home, pool: names, limits: options.limits)
        port = DatagramPort(keys: options.keys, names: cache) { board.hear($0, from: $1) }
    }

    // MARK: Listening

    /// Listens on TCP and UDP.
    ///
    /// - Returns: the port, the same for both.
    /// - Throws: `ListenFailure` when the address cannot be bound.
    public func open() async throws(ListenFailure) -> Int {
        guard let (host, wanted) = options.listen.listeningParts else {
            throw ListenFailure(
                description:
                    "cannot listen on \(options.listen): it is no address with a port, like 0.0.0.0:7480")
        }
        // A free port of TCP need not be free for UDP; a few tries find one that is.
        var triesLeft = wanted == 0 ? 16 : 1
        while true {
            triesLeft -= 1
            do {
                let listener = try await bindLinks(host, wanted)
                guard let port = listener.localAddress?.port else {
                    throw ListenFailure(
                        description: "cannot listen on \(options.listen): the socket has no port")
                }
                do {
                    let datagrams = try await bindDatagrams(host, port)
                    state.withLock { ($0.listener, $0.datagrams) = (listener, datagrams) }
                    return port
                } catch {
                    try await listener.close()
                    if triesLeft == 0 { throw error }
                }
            } catch {
                throw ListenFailure(
                    description:
                        "cannot listen on \(options.listen): \(error); stop what listens there, or choose "
                        + "another address (cluster.listen)")
            }
        }
    }

    private func bindLinks(_ host: String, _ port: Int) async throws -> any Channel {
        try await ServerBootstrap(group: homeGroup, childGroup: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: waterMark)
            .childChannelOption(.recvAllocator, value: readAllocator)
            .childChannelInitializer { channel in self.accept(channel) }
            .bind(host: host, port: port).get()
    }

    private func bindDatagrams(_ host: String, _ port: Int) async throws -> any Channel {
        try await DatagramBootstrap(group: homeGroup)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 2048))
            .channelInitializer { channel in channel.pipeline.addHandler(self.port) }
            .bind(host: host, port: port).get()
    }

    private var waterMark: ChannelOptions.Types.WriteBufferWaterMark {
        .init(low: options.limits.lowWatermark, high: options.limits.highWatermark)
    }

    private var readAllocator: any RecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 16_384, maximum: options.limits.largestRead)
    }

    private var own: LinkHandshake.Own {
        LinkHandshake.Own(
            identity: options.identity, start: options.start, keys: state.withLock { $0.keys },
            terms: options.terms)
    }

    private func nextNumber() -> UInt64 {
        state.withLock {
            $0.lastNumber += 1
            return $0.lastNumber
        }
    }

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        let remote = Address(channel.remoteAddress)
        let host = channel.remoteAddress.flatMap(Address.host) ?? ""
        let handler: any ChannelHandler & Sendable
        if gate.enter(host) {
            handler = Connection(
                number: nextNumber(), handshake: LinkHandshake(answeringAs: own), remote: remote,
                loop: channel.eventLoop, limits: options.limits, gate: (gate, host), owner: board)
        } else {
            handler = TurnedAway(LinkHandshake.busyAnswer(options.terms))
            board.home.execute { self.board.turnedAway(remote) }
        }
        return channel.pipeline.addHandler(handler)
    }

    // MARK: Dialling

    /// Calls a node. The answer is an event: a link that is up with this number, or why not.
    ///
    /// - Parameters:
    ///   - number: the caller's; unique among the dials of this process.
    ///   - expected: the node that is meant; a link to another one stands, and the dial has failed.
    public func dial(
        _ number: UInt64, _ address: Address, expecting expected: NodeID? = nil,
        purpose: LinkPurpose = .control
    ) {
        board.home.execute {
            self.board.dialBegins(number)
            guard !self.board.isClosing else { return self.board.dialFailed(number, .closing) }
            guard let (host, port) = address.parts else {
                return self.board.dialFailed(number, .unresolved(address.text))
            }
            let connected = ClientBootstrap(group: self.group)
                .connectTimeout(.nanoseconds(seconds: self.options.limits.connect))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.writeBufferWaterMark, value: self.waterMark)
                .channelOption(.recvAllocator, value: self.readAllocator)
                .connect(host: host, port: port)
                .flatMap { self.call($0, number, address, expected, purpose) }
            connected.whenFailure { error in
                self.board.home.execute { self.board.dialFailed(number, FailedDial(error, address)) }
            }
        }
    }

    /// The name may have had several addresses: only the connection that stands begins a handshake.
    private func call(
        _ channel: any Channel, _ number: UInt64, _ address: Address, _ expected: NodeID?,
        _ purpose: LinkPurpose
    ) -> EventLoopFuture<Void> {
        let (handshake, actions) = LinkHandshake.call(as: own, purpose: purpose)
        return channel.pipeline.addHandler(
            Connection(
                number: nextNumber(), handshake: handshake, actions: actions, dial: number,
                expected: expected,
                remote: Address(channel.remoteAddress), loop: channel.eventLoop, limits: options.limits,
                owner: board))
    }

    // MARK: Talking

    /// Sends a control message over the link to a peer; nothing happens without one.
    ///
    /// - Parameter bytes: at most 1 MiB.
    public func send(_ bytes: [UInt8], stream: UInt32 = 0, to peer: NodeID) {
        precondition(bytes.count <= FrameKind.control.payloadLimit, "a message of \(bytes.count) bytes")
        board.home.execute { self.board.send(bytes, stream: stream, to: peer) }
    }

    /// Seals a datagram and sends it to an address, which is resolved if it is a name. It may be lost.
    public func send(_ body: [UInt8], to target: NodeID, at address: Address) {
        let datagram = SealedDatagram(
            sender: options.identity.id, start: options.start, target: target, body: body)
        board.home.execute { self.port.send(datagram, to: address) }
    }

    /// The next datagram to this address has its name looked up anew, however long it was to be remembered.
    public func forget(_ address: Address) { board.home.execute { self.port.names.forget(address) } }

    /// Says goodbye to a peer and ends the control link; no event follows.
    public func close(_ peer: NodeID) { board.home.execute { self.board.close(peer) } }

    /// Uses these keys from now on, and ends the links that they do not admit.
    public func use(_ keys: SealingKeys) {
        state.withLock { $0.keys = keys }
        board.home.execute {
            self.port.keys = keys
            self.board.closeUnadmitted(keys)
        }
    }

    /// What went over the network so far.
    public func counts() async -> TransportCounts {
        await withCheckedContinuation { continuation in
            board.home.execute {
                continuation.resume(returning: self.port.counts.adding(self.board.counts))
            }
        }
    }

    /// Says goodbye everywhere, stops listening and ends the threads. No event follows its return.
    public func shutDown() async {
        let channels: [any Channel]? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.isClosed = true
            return [state.listener, state.datagrams].compactMap(\.self)
        }
        guard let channels else { return }
        await withCheckedContinuation { continuation in
            board.home.execute {
                let limit = TimeAmount.nanoseconds(seconds: self.options.limits.goodbye)
                self.board.shutDown(within: limit) { continuation.resume() }
            }
        }
        for channel in channels { channel.close(promise: nil) }
        for group in [group, homeGroup] {
            await withCheckedContinuation { continuation in
                group.shutdownGracefully { _ in continuation.resume() }
            }
        }
        await withCheckedContinuation { continuation in
            names.shutdownGracefully { _ in continuation.resume() }
        }
    }
}

/// A connection that there is no room for: it is told so and closed.
final class TurnedAway: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: [UInt8]

    init(_ answer: [UInt8]) { self.answer = answer }

    func channelActive(context: ChannelHandlerContext) {
        let buffer = context.channel.allocator.buffer(bytes: answer)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in channel.close(promise: nil) }
    }
}
