import Foundation
import Logging
import TileStore

/// Whether this node's disks have room for blobs and outputs. A full disk is the node's state and no task's
/// failure: it takes no work and no role until there is room again (PROTOCOL.md, section 3, "No room").
final class RoomWatch: @unchecked Sendable {
    /// Free bytes with which there is room again; on a small disk a quarter of it does.
    private static let least = 32 << 20

    private let store: TileStore
    private let isEnough: @Sendable () -> Bool
    private let tell: @Sendable (Bool) -> Void
    private let logger: Logger
    private let queue = DispatchQueue(label: "arbutus room")
    private let pause: Double
    private let lock = NSLock()
    private var isFull = false
    private var isOver = false

    /// - Parameters:
    ///   - pause: seconds between two looks at a full disk.
    ///   - isEnough: whether each of the node's disks has room.
    ///   - tell: takes the news that the room is gone (false) or back (true), before anything else follows
    ///     from it.
    init(
        store: TileStore, pause: Double = 5, logger: Logger, isEnough: @escaping @Sendable () -> Bool,
        tell: @escaping @Sendable (Bool) -> Void
    ) {
        (self.store, self.pause, self.logger) = (store, pause, logger)
        (self.isEnough, self.tell) = (isEnough, tell)
    }

    /// Whether the disk of a folder has room.
    static func isEnough(_ folder: String) -> Bool {
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return false }
        let block = UInt64(facts.f_frsize)
        return UInt64(facts.f_bavail) * block >= min(UInt64(least), UInt64(facts.f_blocks) * block / 4)
    }

    /// Something found no room. What no live job needs is forgotten at once.
    func lost(_ reason: String) {
        let isNews = lock.withLock {
            guard !isFull, !isOver else { return false }
            isFull = true
            // Whoever finds that it is known already may rely on it that it was told.
            tell(false)
            return true
        }
        guard isNews else { return }
        let freed = store.collect(everything: true)
        logger.warning(
            """
            no room: \(reason). \(freed >> 20) MB that no live job needs were freed; this node takes no work \
            until some MB are free
            """)
        lookAgain()
    }

    /// Nothing is told any more.
    func shutDown() { lock.withLock { isOver = true } }

    private func lookAgain() {
        queue.asyncAfter(deadline: .now() + pause) { [weak self] in self?.look() }
    }

    private func look() {
        guard isEnough() else {
            if !lock.withLock({ isOver }) { lookAgain() }
            return
        }
        let isNews = lock.withLock {
            guard isFull, !isOver else { return false }
            isFull = false
            tell(true)
            return true
        }
        if isNews { logger.info("there is room again; this node takes work") }
    }
}
