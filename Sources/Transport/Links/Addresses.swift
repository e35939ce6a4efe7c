import Cluster
import Glibc
import NIOCore
import NIOPosix

// An address is the text of somebody's configuration, "vm1:7480" or "[fd00::1]:7480". It is resolved where it
// is used, again and again, because names move.

extension Address {
    /// Host and port; nil unless the text has both.
    var parts: (host: String, port: Int)? {
        guard let parts = listeningParts, parts.port > 0 else { return nil }
        return parts
    }

    /// The same, where port 0 stands for a free one.
    var listeningParts: (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        return host.isEmpty ? nil : (String(host), port)
    }

    /// What the network says; an IPv4 address inside an IPv6 one is shown as the former.
    init(_ socket: SocketAddress?) {
        guard let socket, let host = Address.host(of: socket), let port = socket.port else {
            self.init("")
            return
        }
        self.init(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
    }

    /// The host's address as text.
    static func host(of socket: SocketAddress) -> String? {
        guard let host = socket.ipAddress else { return nil }
        let mapped = "::ffff:"
        return host.hasPrefix(mapped) && host.contains(".") ? String(host.dropFirst(mapped.count)) : host
    }
}

extension SocketAddress {
    /// The same address for a socket of that family; nil if it cannot be reached from there.
    func usable(from family: NIOBSDSocket.ProtocolFamily) -> SocketAddress? {
        if self.protocol == family { return self }
        guard family == .inet6, self.protocol == .inet, let host = ipAddress, let port else { return nil }
        do {
            return try SocketAddress(ipAddress: "::ffff:\(host)", port: port)
        } catch {
            return nil
        }
    }
}

extension FailedDial {
    /// What the network's error means for a dial.
    init(_ error: any Error, _ address: Address) {
        switch error {
        case let error as NIOConnectionError where error.connectionErrors.isEmpty:
            self = .unresolved(address.text)
        case let error as NIOConnectionError:
            let failures = error.connectionErrors.map { FailedDial($0.error, address) }
            // Refused is a fact about the host only if every address of it refuses.
            self = failures.first { $0 != .refused } ?? .refused
        case let error as IOError where error.errnoCode == ECONNREFUSED: self = .refused
        case let error as IOError where error.errnoCode == ETIMEDOUT: self = .timedOut
        case ChannelError.connectTimeout: self = .timedOut
        case ChannelError.alreadyClosed, ChannelError.ioOnClosedChannel, ChannelError.eof: self = .cut
        default: self = .unreachable("\(error)")
        }
    }
}
