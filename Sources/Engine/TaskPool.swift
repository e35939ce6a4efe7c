import Foundation
import Mosaic
import Raster
import TileStore

/// A job whose tasks a node renders: the plan, and decoded source blocks that the workers share.
public final class OpenJob: Sendable {
    public let job: JobPlan
    /// The plan with addresses as this node reaches them; only rendering sees it, keys never do.
    let reachable: MosaicPlan
    let cache: BlockCache

    /// - Parameters:
    ///   - cacheBytes: of decoded samples to keep.
    ///   - reach: the form in which this node reads a scene file's address.
    public init(_ job: JobPlan, cacheBytes: Int, reach: (String) -> String = { $0 }) {
        self.job = job
        reachable = job.plan.withAddresses(reach)
        cache = BlockCache(limit: cacheBytes)
    }

    /// Whether a task reads a file that is not on this machine's disk.
    public func readsFromElsewhere(_ number: Int) -> Bool {
        reachable.tasks[number].scenes.contains { scene in
            reachable.scenes[scene].bands.values.contains { band in
                ["/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiadls", "/vsipeer"].contains {
                    band.file.address.contains($0)
                }
            }
        }
    }
}

/// Worker threads that render single tasks for a node, in the order in which they were started.
///
/// A worker keeps the renderer, and with it the open files, of the job it worked on last.
public final class TaskPool: @unchecked Sendable {
    /// How a task ended.
    public enum Outcome: Sendable {
        /// The blob is in the store, pinned once more; with the wall time of the worker and the compressed
        /// bytes read from sources.
        case finished(TileStore.Entry, seconds: Double, bytesRead: Int)
        /// Sources could not be read; a sentence for each.
        case unreadable([String])
        /// Anything else that went wrong, as a sentence.
        case failed(String)
        /// The store's disk has no room.
        case noRoom(String)
        case stopped
    }

    private struct Order {
        let number: Int
        let job: OpenJob
        let progress: @Sendable (Int) -> Void
        let report: @Sendable (Outcome) -> Void
        let flag = StopFlag()

        func isFor(_ number: Int, of job: OpenJob) -> Bool { self.number == number && self.job === job }
    }

    /// Set from any thread, read by the worker between blocks.
    private final class StopFlag: @unchecked Sendable {
        private let lock = NSLock()
        private var isSet = false

        func set() { lock.withLock { isSet = true } }
        var value: Bool { lock.withLock { isSet } }
    }

    private let store: TileStore
    private let condition = NSCondition()
    private var waiting: [Order] = []
    private var running: [Order] = []
    private var isClosed = false
    private let ended = DispatchGroup()

    /// - Parameter threads: tasks that run at a time, at least 1.
    public init(threads: Int, store: TileStore) {
        self.store = store
        for number in 0..<max(1, threads) {
            ended.enter()
            let thread = Thread { [self] in
                work()
                ended.leave()
            }
            thread.name = "arbutus worker \(number)"
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    /// Renders a task as soon as a worker is free.
    ///
    /// - Parameters:
    ///   - progress: called with the blocks done so far as the task goes on, from a worker's thread.
    ///   - report: called once, from a worker's thread, or at once when the pool is shut down.
    public func start(
        _ number: Int, of job: OpenJob, progress: @escaping @Sendable (Int) -> Void = { _ in },
        report: @escaping @Sendable (Outcome) -> Void
    ) {
        let isTaken = condition.withLock {
            guard !isClosed else { return false }
            waiting.append(Order(number: number, job: job, progress: progress, report: report))
            condition.signal()
            return true
        }
        if !isTaken { report(.stopped) }
    }

    /// Stops a task that waits or runs; its report says `stopped`, or that it had ended.
    public func stop(_ number: Int, of job: OpenJob) {
        let dropped = condition.withLock {
            for order in running where order.isFor(number, of: job) { order.flag.set() }
            let dropped = waiting.filter { $0.isFor(number, of: job) }
            waiting.removeAll { $0.isFor(number, of: job) }
            return dropped
        }
        for order in dropped { order.report(.stopped) }
    }

    /// Tasks that wait or run.
    public var count: Int { condition.withLock { waiting.count + running.count } }

    /// Stops all tasks and returns when the workers have ended.
    public func shutDown() {
        let dropped = condition.withLock {
            isClosed = true
            for order in running { order.flag.set() }
            condition.broadcast()
            defer { waiting = [] }
            return waiting
        }
        for order in dropped { order.report(.stopped) }
        ended.wait()
    }

    private func work() {
        var open: (job: OpenJob, renderer: TaskRenderer)?
        while let order = next() {
            let outcome: Outcome
            do {
                if open?.job !== order.job {
                    let renderer = try TaskRenderer(plan: order.job.reachable, cache: order.job.cache)
                    open = (order.job, renderer)
                }
                outcome = try open.map { try render(order, $0.renderer) } ?? .stopped
            } catch let error as StoreError {
                outcome = .noRoom("\(error)")
            } catch {
                outcome = .failed("\(error)")
            }
            condition.withLock { running.removeAll { $0.flag === order.flag } }
            order.report(outcome)
        }
    }

    private func next() -> Order? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty, !isClosed { condition.wait() }
        guard !isClosed, !waiting.isEmpty else { return nil }
        let order = waiting.removeFirst()
        running.append(order)
        return order
    }

    private func render(_ order: Order, _ renderer: TaskRenderer) throws -> Outcome {
        let started = ContinuousClock.now
        let key = order.job.job.keys[order.number]
        if let stored = try TaskResult(stored: order.number, of: order.job.job, in: store) {
            store.pin(key)
            return .finished(stored.entry, seconds: (ContinuousClock.now - started).inSeconds, bytesRead: 0)
        }
        let before = renderer.bytesRead
        let task = order.job.job.plan.tasks[order.number]
        var blocks = 0
        let rendered = renderer.render(task) {
            order.progress(blocks)
            blocks += 1
            return order.flag.value
        }
        guard let rendered else { return .stopped }
        guard rendered.failures.isEmpty else { return .unreadable(rendered.failures) }
        let entry = try store.put(key, rendered.blob.bytes)
        return .finished(
            entry, seconds: (ContinuousClock.now - started).inSeconds,
            bytesRead: renderer.bytesRead - before)
    }
}

extension MosaicPlan {
    /// The same plan with the addresses of scene files as `reach` gives them.
    func withAddresses(_ reach: (String) -> String) -> MosaicPlan {
        var plan = self
        for number in plan.scenes.indices {
            for name in plan.scenes[number].bands.keys {
                guard let address = plan.scenes[number].bands[name]?.file.address else { continue }
                plan.scenes[number].bands[name]?.file.address = reach(address)
            }
            if let address = plan.scenes[number].classification?.file.address {
                plan.scenes[number].classification?.file.address = reach(address)
            }
        }
        return plan
    }
}
