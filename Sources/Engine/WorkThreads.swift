import Foundation

/// Threads that take orders from a queue, in the order in which they came: for work that blocks, on a disk, a
/// network or a processor.
public final class WorkThreads<Order: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private var waiting: [Order] = []
    private var isClosed = false
    private let ended = DispatchGroup()

    /// - Parameters:
    ///   - name: of the threads, in debuggers.
    ///   - count: orders at work at a time, at least 1.
    ///   - givesWay: whether other threads of the process get a processor first, as gossip must beside pixel
    ///     work (a nice value of 5, setpriority(2)).
    ///   - work: what a thread does: takes the next order until there is none.
    public init(
        _ name: String, count: Int, givesWay: Bool = false,
        work: @escaping @Sendable (_ next: () -> Order?) -> Void
    ) {
        for number in 0..<max(1, count) {
            ended.enter()
            let thread = Thread { [self] in
                // On Linux 0 is the calling thread.
                if givesWay { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5) }
                work { self.next() }
                ended.leave()
            }
            thread.name = "arbutus \(name) \(number)"
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    /// Orders that wait.
    public var count: Int { condition.withLock { waiting.count } }

    /// - Returns: false when the threads have been told to end.
    @discardableResult
    public func add(_ order: Order) -> Bool {
        condition.withLock {
            guard !isClosed else { return false }
            waiting.append(order)
            condition.signal()
            return true
        }
    }

    /// Takes orders back that wait.
    public func remove(where isMeant: (Order) -> Bool) -> [Order] {
        condition.withLock {
            let removed = waiting.filter(isMeant)
            waiting.removeAll(where: isMeant)
            return removed
        }
    }

    /// Takes no more orders.
    ///
    /// - Returns: those that waited, which nobody will do.
    @discardableResult
    public func close() -> [Order] {
        condition.withLock {
            isClosed = true
            condition.broadcast()
            defer { waiting = [] }
            return waiting
        }
    }

    /// Waits until the threads have ended, which they do after `close` and what they have at work.
    public func wait() { ended.wait() }

    private func next() -> Order? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty, !isClosed { condition.wait() }
        return waiting.isEmpty ? nil : waiting.removeFirst()
    }
}
