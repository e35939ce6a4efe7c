import Cluster
import NIOCore

/// The UDP socket: opens packets and hands them on, seals and sends. Confined to the transport's home loop.
final class DatagramPort: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    /// A datagram that was opened, and from where it came.
    private let received: (SealedDatagram, Address) -> Void
    let names: NameCache
    private var channel: (any Channel)?
    private var family = NIOBSDSocket.ProtocolFamily.inet
    var keys: SealingKeys
    private(set) var counts = TransportCounts()

    init(keys: SealingKeys, names: NameCache, received: @escaping (SealedDatagram, Address) -> Void) {
        self.keys = keys
        self.names = names
        self.received = received
    }

    func handlerAdded(context: ChannelHandlerContext) { channel = context.channel }

    func channelActive(context: ChannelHandlerContext) {
        family = context.channel.localAddress?.protocol ?? .inet
    }

    func channelInactive(context: ChannelHandlerContext) { channel = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let packet = Array(envelope.data.readableBytesView)
        do throws(DatagramError) {
            let datagram = try SealedDatagram.open(packet, with: keys)
            counts.datagramsReceived += 1
            counts.datagramBytesReceived += packet.count
            received(datagram, Address(envelope.remoteAddress))
        } catch {
            switch error {
            case .size: counts.datagramsOfWrongSize += 1
            case .version: counts.datagramsOfOtherVersion += 1
            case .unknownKey: counts.datagramsUnderUnknownKey += 1
            case .notAuthentic: counts.datagramsForged += 1
            }
        }
    }

    /// Errors of single packets (a port that nobody listens on) end nothing.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { counts.datagramsUnsent += 1 }

    func send(_ datagram: SealedDatagram, to address: Address) {
        guard let packet = datagram.sealed(with: keys) else {
            counts.datagramsUnsent += 1
            return
        }
        names.resolve(address, for: family) { socket in
            guard let socket, let channel = self.channel, channel.isWritable else {
                self.counts.datagramsUnsent += 1
                return
            }
            let data = channel.allocator.buffer(bytes: packet)
            let sent = channel.writeAndFlush(AddressedEnvelope(remoteAddress: socket, data: data))
            self.counts.datagramsSent += 1
            self.counts.datagramBytesSent += packet.count
            sent.assumeIsolated().whenFailure { _ in
                self.counts.datagramsUnsent += 1
                self.names.forget(address)
            }
        }
    }
}
