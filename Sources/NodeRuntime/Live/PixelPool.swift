import Foundation
import Mosaic
import Raster

/// A few threads for map tiles and points, each with its own open files and scratch memory, so that pixel
/// work never holds up an event loop, and a flood of requests waits in a queue of bounded length.
final class PixelPool: @unchecked Sendable {
    /// What one thread keeps.
    final class Desk {
        let painter = MapTilePainter()
        private var open: [String: CogPixels] = [:]
        private var order: [String] = []
        private var probes: [String: PixelProbe] = [:]

        private static let mostOpen = 8

        /// An opened COG; the ones that were used longest ago are closed.
        func cog(_ path: String, _ grid: Grid) throws -> CogPixels {
            order.removeAll { $0 == path }
            order.append(path)
            if let cog = open[path] { return cog }
            if order.count > Self.mostOpen { open[order.removeFirst()] = nil }
            let cog = try CogPixels(path: path, grid: grid)
            open[path] = cog
            return cog
        }

        /// Looks at single pixels of a plan; the latest plan's is kept.
        func probe(_ name: String, _ plan: MosaicPlan) throws -> PixelProbe {
            if let probe = probes[name] { return probe }
            let probe = try PixelProbe(plan: plan)
            probes = [name: probe]
            return probe
        }
    }

    private let condition = NSCondition()
    private var waiting: [(Desk?) -> Void] = []
    private var isClosed = false
    private let ended = DispatchGroup()

    /// Requests that wait at most.
    static let mostWaiting = 2048

    init(threads: Int) {
        for number in 0..<max(1, threads) {
            ended.enter()
            let thread = Thread { [self] in
                let desk = Desk()
                while let work = next() { work(desk) }
                ended.leave()
            }
            thread.name = "arbutus tiles \(number)"
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    /// Runs `work` on one of the threads and waits for its result.
    ///
    /// - Throws: what `work` throws; `RuntimeError` when too much waits.
    func run<T>(_ work: @escaping (Desk) throws -> T) throws -> T {
        let result = Awaited<Box<T>>()
        let isTaken = condition.withLock {
            guard !isClosed, waiting.count < Self.mostWaiting else { return false }
            waiting.append { desk in
                guard let desk else { return result.give(.failure(Self.isBusy)) }
                result.give(Result { Box(value: try work(desk)) })
            }
            condition.signal()
            return true
        }
        guard isTaken else { throw Self.isBusy }
        return try result.wait().value
    }

    /// Refuses what waits and returns when the threads have ended.
    func shutDown() {
        let dropped = condition.withLock {
            isClosed = true
            defer { waiting = [] }
            condition.broadcast()
            return waiting
        }
        for work in dropped { work(nil) }
        ended.wait()
    }

    private static let isBusy = RuntimeError(
        "this node has too many map tiles to draw; ask again in a second, or ask another node")

    private struct Box<T>: @unchecked Sendable { let value: T }

    private func next() -> ((Desk?) -> Void)? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty, !isClosed { condition.wait() }
        return waiting.isEmpty ? nil : waiting.removeFirst()
    }
}
