import Foundation
import Mosaic
import Raster
import Synchronization
import TileStore

/// A job whose tasks a node renders: the plan, and decoded source blocks that the workers share.
public final class OpenJob: Sendable {
    public let job: JobPlan
    let cache: BlockCache
    /// Those that this node has not finished.
    let openTasks: OpenTasks
    private let reach: @Sendable (SourceFile) -> String
    private let made = Mutex<Reached?>(nil)
    private let idle = Mutex(Idle())

    /// Renderers with their open files, that no worker uses now.
    private struct Idle: @unchecked Sendable { var renderers: [TaskRenderer] = [] }

    private struct Reached {
        let plan: MosaicPlan
        let elsewhere: [String: String]
    }

    /// - Parameters:
    ///   - cacheBytes: of decoded samples to keep.
    ///   - reach: the address at which this node reads a scene file. Asked when the first task begins, on its
    ///     worker's thread, since it may look at disks.
    public init(
        _ job: JobPlan, cacheBytes: Int, reach: @escaping @Sendable (SourceFile) -> String = { $0.address }
    ) {
        self.job = job
        self.reach = reach
        openTasks = OpenTasks(job.plan)
        cache = BlockCache(limit: cacheBytes) { [openTasks] in openTasks.touch($0) }
    }

    /// The plan with addresses as this node reaches them; only rendering sees it, keys never do.
    var reachable: MosaicPlan { reached.plan }

    /// The address at which this node reads a file, by its plain one, where the two differ.
    public var reachedElsewhere: [String: String] { reached.elsewhere }

    private var reached: Reached {
        made.withLock { made in
            if let made { return made }
            var elsewhere: [String: String] = [:]
            let plan = job.plan.withAddresses { file in
                let address = reach(file)
                if address != file.address { elsewhere[file.address] = address }
                return address
            }
            let fresh = Reached(plan: plan, elsewhere: elsewhere)
            made = fresh
            return fresh
        }
    }

    /// Hands `body` a renderer that nobody else uses meanwhile.
    ///
    /// - Throws: `RasterError` when the plan's clip cannot be read; what `body` throws.
    func withRenderer<T>(_ body: (TaskRenderer) throws -> T) throws -> T {
        let waiting = idle.withLock { Idle(renderers: $0.renderers.popLast().map { [$0] } ?? []) }
        let renderer = try waiting.renderers.first ?? TaskRenderer(plan: reachable, cache: cache)
        let used = Idle(renderers: [renderer])
        defer { idle.withLock { $0.renderers += used.renderers } }
        return try body(renderer)
    }

    /// The addresses at which this node reads the files of a task, each once, in byte order.
    public func addresses(of number: Int) -> [String] {
        let plan = reachable
        let bands = plan.tasks[number].scenes.flatMap { scene in
            plan.usedBands.compactMap { plan.scenes[scene].bands[$0] }
                + (plan.scenes[scene].classification.map { [$0] } ?? [])
        }
        return Set(bands.map(\.file.address)).sorted()
    }
}

/// Worker threads that render single tasks for a node, in the order in which they were started.
public final class TaskPool: Sendable {
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

    /// Another way to render a task than on the worker's own thread; it is the worker that waits for it.
    public typealias OtherWay =
        @Sendable (
            _ progress: (Int) -> Void, _ isStopped: () -> Bool
        ) throws -> Outcome

    private struct Order: Sendable {
        let number: Int
        let job: OpenJob
        let progress: @Sendable (Int) -> Void
        let report: @Sendable (Outcome) -> Void
        let way: OtherWay?
        let flag: StopSignal
        /// Takes it out of the pool's list.
        let ended: @Sendable () -> Void

        func isFor(_ number: Int, of job: OpenJob) -> Bool { self.number == number && self.job === job }
    }

    private let store: TileStore
    /// Orders that wait or run.
    private let known = Mutex<[Order]>([])
    private let threads: WorkThreads<Order>

    /// - Parameter threads: tasks that run at a time, at least 1.
    public init(threads: Int, store: TileStore) {
        self.store = store
        self.threads = WorkThreads("worker", count: threads, givesWay: true) { next in
            while let order = next() {
                let outcome = Self.outcome(order, store)
                order.ended()
                order.report(outcome)
            }
        }
    }

    /// Renders a task as soon as a worker is free.
    ///
    /// - Parameters:
    ///   - way: how else to render it, unless the store has its blob.
    ///   - progress: called with the blocks done so far as the task goes on, from a worker's thread.
    ///   - report: called once, from a worker's thread, or at once when the pool is shut down.
    public func start(
        _ number: Int, of job: OpenJob, way: OtherWay? = nil,
        progress: @escaping @Sendable (Int) -> Void = { _ in },
        report: @escaping @Sendable (Outcome) -> Void
    ) {
        let flag = StopSignal()
        let order = Order(
            number: number, job: job, progress: progress, report: report, way: way, flag: flag,
            ended: { [self] in known.withLock { $0.removeAll { $0.flag === flag } } })
        known.withLock { $0.append(order) }
        guard !threads.add(order) else { return }
        order.ended()
        report(.stopped)
    }

    /// Stops a task that waits or runs; its report says `stopped`, or that it had ended.
    public func stop(_ number: Int, of job: OpenJob) {
        for order in known.withLock({ $0 }) where order.isFor(number, of: job) { order.flag.set() }
        drop(threads.remove { $0.isFor(number, of: job) })
    }

    /// Tasks that wait or run.
    public var count: Int { known.withLock { $0.count } }

    /// Stops all tasks and returns when the workers have ended.
    public func shutDown() {
        let dropped = threads.close()
        for order in known.withLock({ $0 }) { order.flag.set() }
        drop(dropped)
        threads.wait()
    }

    private func drop(_ orders: [Order]) {
        for order in orders {
            order.ended()
            order.report(.stopped)
        }
    }

    private static func outcome(_ order: Order, _ store: TileStore) -> Outcome {
        do {
            if let way = order.way {
                return try stored(order.number, of: order.job, in: store)
                    ?? way(order.progress) { order.flag.isSet }
            }
            return try order.job.withRenderer {
                try render(order.number, of: order.job, $0, store, order.progress) { order.flag.isSet }
            }
        } catch let error as StoreError {
            return .noRoom("\(error)")
        } catch {
            return .failed("\(error)")
        }
    }

    /// Renders one task on the calling thread, for a process that has no other.
    ///
    /// - Parameter progress: called with the blocks done so far.
    /// - Throws: a sentence when the plan's clip cannot be read; `StoreError` when the disk is full.
    public static func renderOnce(
        _ number: Int, of job: OpenJob, into store: TileStore, progress: (Int) -> Void
    ) throws -> Outcome {
        do {
            return try job.withRenderer { try render(number, of: job, $0, store, progress) { false } }
        } catch let error as StoreError {
            return .noRoom("\(error)")
        }
    }

    private static func stored(_ number: Int, of job: OpenJob, in store: TileStore) throws -> Outcome? {
        guard let stored = try TaskResult(stored: number, of: job.job, in: store) else { return nil }
        store.pin(job.job.keys[number])
        return .finished(stored.entry, seconds: 0, bytesRead: 0)
    }

    private static func render(
        _ number: Int, of job: OpenJob, _ renderer: TaskRenderer, _ store: TileStore,
        _ progress: (Int) -> Void, isStopped: () -> Bool
    ) throws -> Outcome {
        let started = ContinuousClock.now
        if let stored = try stored(number, of: job, in: store) { return stored }
        let before = renderer.bytesRead
        var blocks = 0
        let rendered = renderer.render(job.job.plan.tasks[number]) {
            progress(blocks)
            blocks += 1
            return isStopped()
        }
        guard let rendered else { return .stopped }
        guard rendered.failures.isEmpty else { return .unreadable(rendered.failures) }
        let entry = try store.put(job.job.keys[number], rendered.blob.bytes)
        job.openTasks.finished(number)
        return .finished(
            entry, seconds: (ContinuousClock.now - started).inSeconds,
            bytesRead: renderer.bytesRead - before)
    }
}

extension MosaicPlan {
    /// The same plan with the addresses of scene files as `reach` gives them.
    func withAddresses(_ reach: (SourceFile) -> String) -> MosaicPlan {
        var plan = self
        for number in plan.scenes.indices {
            for name in plan.scenes[number].bands.keys {
                guard let file = plan.scenes[number].bands[name]?.file else { continue }
                plan.scenes[number].bands[name]?.file.address = reach(file)
            }
            if let file = plan.scenes[number].classification?.file {
                plan.scenes[number].classification?.file.address = reach(file)
            }
        }
        return plan
    }
}
