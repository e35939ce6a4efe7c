import Cluster
import Foundation
import Logging
import Transport

/// Whether this node's way out is full: a saturated owner of scenes gives no more tasks away (PROTOCOL.md,
/// section 4), for every thief would wait at the same bottleneck.
///
/// One slow peer says nothing of our own way out, and one that computes says nothing of the network at all:
/// what counts is that bytes for at least two peers wait, for the network and for nothing else.
struct UplinkLoad {
    /// How one bulk link stands: to whom, for how many seconds in all its bytes were the network's, and
    /// whether some wait for it now.
    struct Reading {
        let link: ObjectIdentifier
        let peer: NodeID
        let held: Double
        var isWaiting = true
    }

    private static let leastPeers = 2
    /// Shares of the time that bytes waited: from the first on the way is full, below the second it is free.
    private static let (full, free) = (0.9, 0.5)

    private var before: [ObjectIdentifier: Double] = [:]
    private(set) var isFull = false

    /// All links as they stand `seconds` after the last look.
    mutating func looked(_ readings: [Reading], after seconds: Double) {
        var shares: [NodeID: Double] = [:]
        for reading in readings {
            let held = reading.held - (before[reading.link] ?? reading.held)
            guard reading.isWaiting else { continue }
            shares[reading.peer] = max(shares[reading.peer] ?? 0, held / max(seconds, 1e-3))
        }
        before = Dictionary(readings.map { ($0.link, $0.held) }) { $1 }
        let least = isFull ? Self.free : Self.full
        isFull = shares.values.count { $0 >= least } >= Self.leastPeers
    }
}

/// Looks at the links over which this node sends bulk bytes, as long as there are any.
final class UplinkWatch: @unchecked Sendable {
    private let pause: Duration
    private let logger: Logger
    private let tell: @Sendable (Bool) -> Void
    private let lock = NSLock()
    private var links: [ObjectIdentifier: BulkLink] = [:]
    private var looking: Task<Void, Never>?
    private var isOver = false
    private var told = false

    /// - Parameters:
    ///   - pause: between two looks.
    ///   - tell: takes the news that the way out is full, or is not any more.
    init(pause: Duration = .milliseconds(500), logger: Logger, tell: @escaping @Sendable (Bool) -> Void) {
        (self.pause, self.logger, self.tell) = (pause, logger, tell)
    }

    /// Whether the way out is full.
    var isFull: Bool { lock.withLock { told } }

    /// A peer asks over this link from now on.
    func began(_ link: BulkLink) {
        lock.withLock {
            guard !isOver else { return }
            links[ObjectIdentifier(link)] = link
            if looking == nil { looking = Task { await look() } }
        }
    }

    /// Looks no more; to be awaited before the links' own threads end.
    func shutDown() async {
        let last = lock.withLock {
            isOver = true
            links = [:]
            return looking
        }
        last?.cancel()
        await last?.value
    }

    /// The link is gone.
    func ended(_ link: BulkLink) { _ = lock.withLock { links.removeValue(forKey: ObjectIdentifier(link)) } }

    private func look() async {
        var load = UplinkLoad()
        var last = ContinuousClock.now
        while let standing = remaining() {
            var readings: [UplinkLoad.Reading] = []
            for (name, link) in standing {
                guard let now = await link.sending() else { continue }
                readings.append(
                    UplinkLoad.Reading(
                        link: name, peer: link.peer.id, held: now.heldByNetwork, isWaiting: now.isWaiting))
            }
            let now = ContinuousClock.now
            load.looked(readings, after: (now - last).inSeconds)
            last = now
            note(load.isFull)
            do { try await Task.sleep(for: pause) } catch { return }
        }
        note(false)
    }

    /// The links that stand; nil when none does, and nobody looks any more.
    private func remaining() -> [ObjectIdentifier: BulkLink]? {
        lock.withLock {
            if links.isEmpty { looking = nil }
            return links.isEmpty ? nil : links
        }
    }

    private func note(_ isFull: Bool) {
        let isNews = lock.withLock {
            defer { told = isFull }
            return told != isFull
        }
        guard isNews else { return }
        logger.info(
            isFull
                ? "the way out is full: what waits here is not given away"
                : "the way out is free again")
        tell(isFull)
    }
}
