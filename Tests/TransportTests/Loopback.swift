import Cluster
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Transport

/// A transport on 127.0.0.1 that remembers its events.
final class Station: Sendable {
    let transport: Transport
    let identity: NodeIdentity
    let port: Int
    private let log: Log

    /// Events in their order; bulk frames by stream.
    final class Log: Sendable {
        private let events = Mutex<[TransportEvent]>([])

        var all: [TransportEvent] { events.withLock { $0 } }

        func add(_ event: TransportEvent) { events.withLock { $0.append(event) } }
    }

    var address: Address { Address("127.0.0.1:\(port)") }
    var events: [TransportEvent] { log.all }

    init(
        _ number: UInt8, start: UInt64 = 1, _ table: KeyTable = Fixture.tableA,
        listen: String = "127.0.0.1:0",
        limits: LinkLimits = LinkLimits(), bulk: (@Sendable (BulkLink) -> (any BulkReceiver)?)? = nil
    ) async throws {
        identity = Fixture.identity(number)
        var options = Transport.Options(
            identity: identity, start: StartID(bits: start), keys: SealingKeys(table), listen: Address(listen)
        )
        options.limits = limits
        let log = Log()
        self.log = log
        transport = Transport(options, bulk: bulk ?? { _ in nil }, report: { log.add($0) })
        port = try await transport.open()
    }

    /// Waits until the events hold what `find` looks for.
    func first<Found>(
        _ what: String, within seconds: Double = 10, _ find: (TransportEvent) -> Found?
    ) async throws -> Found {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            for event in events { if let found = find(event) { return found } }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw Missing(what: "\(what) among \(events.map { String(describing: $0).prefix(200) })")
    }

    struct Missing: Error { let what: String }

    func linkUp(to other: Station) async throws -> LinkUp {
        try await first("link to \(other.port)") {
            if case .linkUp(let up) = $0, up.peer.id == other.identity.id { up } else { nil }
        }
    }

    func linkLost() async throws -> LinkLoss {
        try await first("link lost") { if case .linkLost(_, let loss) = $0 { loss } else { nil } }
    }

    func dialFailure(_ number: UInt64) async throws -> FailedDial {
        try await first("failed dial \(number)") {
            if case .dialFailed(number, let failure) = $0 { failure } else { nil }
        }
    }

    func refusal() async throws -> String {
        try await first("refusal") { if case .refused(_, let why) = $0 { why } else { nil } }
    }

    /// Payloads of control frames so far.
    var heard: [[UInt8]] {
        events.compactMap { if case .control(let bytes, _, _) = $0 { bytes } else { nil } }
    }

    /// Events but the messages, in short, for failures.
    var story: String {
        let lines = events.compactMap { event -> String? in
            switch event {
            case .linkUp(let up): "up \(up.peer.id) dial \(up.dial ?? 0) \(up.seenAt)"
            case .linkLost(let peer, let loss): "lost \(peer.id): \(loss)"
            case .dialFailed(let dial, let failure): "dial \(dial) failed: \(failure)"
            case .refused(let address, let why): "refused \(address): \(why)"
            case .control, .datagram: nil
            }
        }
        return "\(identity.id) at \(port): " + lines.joined(separator: "; ")
    }

    var ups: Int { events.count { if case .linkUp = $0 { true } else { false } } }
    var losses: Int { events.count { if case .linkLost = $0 { true } else { false } } }
}

/// Waits until something is true.
func eventually(_ what: String, within seconds: Double = 10, _ condition: () async -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    throw Station.Missing(what: what)
}

/// A TCP client without manners.
final class RawClient: Sendable {
    private let channel: any Channel
    private let collector: Collector

    final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let state = Mutex((bytes: [UInt8](), isClosed: false))

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            state.withLock { $0.bytes += Array(buffer.readableBytesView) }
        }

        func channelInactive(context: ChannelHandlerContext) { state.withLock { $0.isClosed = true } }

        var bytes: [UInt8] { state.withLock { $0.bytes } }
        var isClosed: Bool { state.withLock { $0.isClosed } }
    }

    init(port: Int) async throws {
        let collector = Collector()
        self.collector = collector
        channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { $0.pipeline.addHandler(collector) }
            .connect(host: "127.0.0.1", port: port).get()
    }

    var bytes: [UInt8] { collector.bytes }
    var isClosed: Bool { collector.isClosed }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(channel.allocator.buffer(bytes: bytes))
    }

    func stopReading() async throws { try await channel.setOption(.autoRead, value: false).get() }

    func close() { channel.close(promise: nil) }

    /// Holds the cluster key and talks Noise as `number`; the session once the handshake is complete.
    func shakeHands(_ number: UInt8) async throws -> LinkSession {
        let (handshake, actions) = LinkHandshake.call(as: Fixture.own(number), purpose: .control)
        var caller = handshake
        try await send(Outcome(actions).sent)
        try await eventually("the answer") { bytes.count >= 148 }
        let outcome = Outcome(caller.received(bytes.prefix(148)))
        try await send(outcome.sent)
        return try #require(outcome.session)
    }
}
