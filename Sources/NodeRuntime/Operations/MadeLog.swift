import Catalog
import Cluster
import Foundation
import Logging

/// Which tasks of a job ended on this node's workers: `verify` has them made again elsewhere. In the journal,
/// at most a second late; what a crash loses is a task of which nobody knows the maker.
final class MadeLog: @unchecked Sendable {
    private struct Made {
        var plan: Digest
        var tasks = TaskSet()
    }

    private let journal: Journal
    private let logger: Logger
    private let queue = DispatchQueue(label: "arbutus made")
    private var made: [JobID: Made] = [:]
    private var changed: Set<JobID> = []
    private var isDue = false

    init(journal: Journal, logger: Logger) { (self.journal, self.logger) = (journal, logger) }

    /// The shell told the protocol something.
    func note(_ event: JobEvent) {
        guard case .finished(let job, let plan, let result) = event else { return }
        queue.async { [self] in
            var now = known(job) ?? Made(plan: plan)
            if now.plan != plan { now = Made(plan: plan) }
            now.tasks.insert(result.task)
            made[job] = now
            changed.insert(job)
            guard !isDue else { return }
            isDue = true
            queue.asyncAfter(deadline: .now() + 1) { self.write() }
        }
    }

    /// The tasks of the job's last plan here.
    func tasks(of job: JobID) -> TaskSet { queue.sync { known(job)?.tasks ?? TaskSet() } }

    /// The job was folded away.
    func forget(_ job: JobID) {
        queue.async { [self] in
            made[job] = nil
            changed.remove(job)
            do { try journal.removeValue(Self.name(job)) } catch { logger.warning("\(error)") }
        }
    }

    /// Writes what is not in the journal yet.
    func flush() { queue.sync { write() } }

    private func known(_ job: JobID) -> Made? {
        if let made = made[job] { return made }
        do {
            guard let bytes = try journal.value(Self.name(job)), bytes.count >= 32,
                let tasks = TaskSet(decoding: Array(bytes[32...]), count: JobPlan.mostTasks)
            else { return nil }
            return Made(plan: Digest(bytes: Array(bytes[..<32])), tasks: tasks)
        } catch {
            logger.warning("\(error)")
            return nil
        }
    }

    private func write() {
        isDue = false
        for job in changed.sorted() {
            guard let made = made[job] else { continue }
            do {
                try journal.setValue(Self.name(job), made.plan.bytes + made.tasks.encoded)
            } catch {
                logger.warning("cannot note who made the tasks of job \(job): \(error)")
            }
        }
        changed = []
        // Those of ended jobs are read again when somebody asks.
        if made.count > 64 { made = [:] }
    }

    private static func name(_ job: JobID) -> String { "made-\(job)" }
}
