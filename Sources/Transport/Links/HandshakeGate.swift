import Synchronization

/// Counts unfinished handshakes, so that a flood of connections costs neither memory nor key agreements
/// (PROTOCOL section 7, schedule 16). The lock is held for a count and nothing else.
final class HandshakeGate: Sendable {
    private struct Counts {
        var byHost: [String: Int] = [:]
        var all = 0
    }

    private let counts = Mutex(Counts())
    private let perAddress: Int
    private let inAll: Int

    init(_ limits: LinkLimits) {
        perAddress = limits.handshakesPerAddress
        inAll = limits.handshakes
    }

    /// Whether one more handshake with this host may begin; then `leave` must follow.
    func enter(_ host: String) -> Bool {
        counts.withLock { counts in
            guard counts.all < inAll, counts.byHost[host, default: 0] < perAddress else { return false }
            counts.all += 1
            counts.byHost[host, default: 0] += 1
            return true
        }
    }

    /// A handshake that was let in is over.
    func leave(_ host: String) {
        counts.withLock { counts in
            counts.all -= 1
            let left = counts.byHost[host, default: 1] - 1
            counts.byHost[host] = left > 0 ? left : nil
        }
    }

    /// Unfinished handshakes now.
    var unfinished: Int { counts.withLock { $0.all } }
}
