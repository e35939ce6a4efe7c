import Foundation
import Synchronization

/// Threads for pixel work: their own, never an event loop's or the cooperative pool's (ARCHITECTURE.md,
/// Decisions).
enum Workers {
    /// Runs `body` on `count` threads at once and returns when all have ended; throws the first error in
    /// worker order.
    static func run(_ count: Int, _ body: @escaping @Sendable (_ worker: Int) throws -> Void) throws {
        let failures = Mutex<[Int: any Error]>([:])
        let group = DispatchGroup()
        for worker in 0..<count {
            group.enter()
            let thread = Thread {
                do {
                    try body(worker)
                } catch {
                    failures.withLock { $0[worker] = error }
                }
                group.leave()
            }
            thread.name = "arbutus worker \(worker)"
            thread.stackSize = 4 << 20
            thread.start()
        }
        group.wait()
        let first = failures.withLock { found in found.keys.min().flatMap { found[$0] } }
        if let first { throw first }
    }
}

/// The job was told to stop.
public struct JobCancelled: Error, CustomStringConvertible {
    public var description: String { "stopped; run the same command again to resume" }

    public init() {}
}
