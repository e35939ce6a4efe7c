import Cluster
import NIOCore
import NIOPosix

/// Where datagrams to an address go. Names are looked up on a thread that may wait, and remembered for a
/// while. Confined to the transport's home loop.
final class NameCache {
    private enum Entry {
        case known(SocketAddress?, until: NIODeadline)
        /// Being looked up; the callers wait.
        case sought([(SocketAddress?) -> Void])
    }

    /// Callers that may wait for one name; further datagrams are dropped, as the network would.
    private static let mostWaiting = 32

    private var entries: [Address: Entry] = [:]
    private let loop: any EventLoop
    private let pool: NIOThreadPool
    private let limits: LinkLimits

    init(loop: any EventLoop, pool: NIOThreadPool, limits: LinkLimits) {
        self.loop = loop
        self.pool = pool
        self.limits = limits
    }

    /// Calls `use` with the address for a socket of that family, at once if it is known; nil if there is
    /// none.
    func resolve(
        _ address: Address, for family: NIOBSDSocket.ProtocolFamily, _ use: @escaping (SocketAddress?) -> Void
    ) {
        let now = NIODeadline.now()
        switch entries[address] {
        case .known(let socket, let until) where until > now: return use(socket)
        case .sought(var callers):
            guard callers.count < Self.mostWaiting else { return use(nil) }
            callers.append(use)
            entries[address] = .sought(callers)
            return
        case .known, nil: break
        }
        guard let (host, port) = address.parts else { return use(nil) }
        if let literal = Self.literal(host, port) {
            return remember(literal.usable(from: family), address, use)
        }
        makeRoom(now)
        entries[address] = .sought([use])
        let found = pool.runIfActive(eventLoop: loop) { try Self.lookUp(host, port, family) }
        found.assumeIsolated().whenComplete { result in
            let socket: SocketAddress? = if case .success(let socket) = result { socket } else { nil }
            guard case .sought(let callers) = self.entries[address] else { return }
            self.remember(socket, address) { socket in
                for caller in callers { caller(socket) }
            }
        }
    }

    /// A datagram to it could not be sent, or met another node: look it up anew next time.
    func forget(_ address: Address) {
        if case .known = entries[address] { entries[address] = nil }
    }

    private func remember(_ socket: SocketAddress?, _ address: Address, _ use: (SocketAddress?) -> Void) {
        let now = NIODeadline.now()
        makeRoom(now)
        // A name that was not found is asked for again sooner.
        let seconds = socket == nil ? min(5, limits.resolvedFor) : limits.resolvedFor
        entries[address] = .known(socket, until: now + .nanoseconds(seconds: seconds))
        use(socket)
    }

    private func makeRoom(_ now: NIODeadline) {
        guard entries.count >= limits.resolvedNames else { return }
        entries = entries.filter {
            if case .known(_, let until) = $0.value { return until > now }
            return true
        }
        if entries.count >= limits.resolvedNames {
            entries = entries.filter { if case .sought = $0.value { true } else { false } }
        }
    }

    private static func literal(_ host: String, _ port: Int) -> SocketAddress? {
        do {
            return try SocketAddress(ipAddress: host, port: port)
        } catch {
            return nil
        }
    }

    /// getaddrinfo, which may block for seconds.
    private static func lookUp(_ host: String, _ port: Int, _ family: NIOBSDSocket.ProtocolFamily)
        throws -> SocketAddress?
    {
        try SocketAddress.makeAddressResolvingHost(host, port: port).usable(from: family)
    }
}
