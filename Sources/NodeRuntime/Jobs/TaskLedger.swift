import Cluster
import Foundation
import TileStore

/// Which tasks are at work, written on the disk, so that the next start of this node knows those with which
/// a process of it died (PROTOCOL.md, section 4). An empty file is a task at work; its death leaves a byte.
///
/// Nothing is synced: a process that dies loses no page of a file, and a power cut is no task's fault.
struct TaskLedger: Sendable {
    /// A task of a plan of a job, as a file's name.
    struct Name: Hashable {
        let job: JobID
        let plan: Digest
        let task: TaskID

        var text: String { "\(job)-\(plan.hash)-\(task.index)" }

        init(_ job: JobID, _ plan: Digest, _ task: TaskID) {
            (self.job, self.plan, self.task) = (job, plan, task)
        }

        /// nil for a file that is not ours.
        init?(_ text: String) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 3, let job = JobID(String(parts[0])),
                let plan = ContentHash(hexadecimal: String(parts[1])), let task = Int(parts[2]),
                (0..<JobPlan.mostTasks).contains(task)
            else { return nil }
            self.init(job, Digest(plan), TaskID(task))
        }
    }

    /// Deaths of a job's tasks under one plan.
    struct Deaths: Equatable {
        let job: JobID
        let plan: Digest
        var tasks: [TaskID: Int]
    }

    private let work: String
    private let died: String

    /// - Throws: the system's error, as a sentence.
    init(folder: String) throws {
        (work, died) = ("\(folder)/at-work", "\(folder)/died")
        for path in [work, died] {
            do {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            } catch {
                throw RuntimeError(
                    "cannot make the folder \(path): \(error.localizedDescription); check the disk of the "
                        + "data folder")
            }
        }
    }

    /// A task begins. A disk that takes no note is no reason not to work.
    func begin(_ name: Name) {
        let file = open("\(work)/\(name.text)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        if file >= 0 { close(file) }
    }

    /// It ended, however it did.
    func end(_ name: Name) { unlink("\(work)/\(name.text)") }

    /// At a start: what an earlier process had at work, it died with.
    ///
    /// - Returns: all deaths that are known, by job and plan.
    func count() -> [Deaths] {
        for name in names(in: work) {
            let file = open("\(died)/\(name.text)", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            if file >= 0 {
                var mark: UInt8 = 1
                write(file, &mark, 1)
                close(file)
            }
            end(name)
        }
        var all: [Deaths] = []
        for name in names(in: died) {
            var facts = stat()
            guard stat("\(died)/\(name.text)", &facts) == 0, facts.st_size > 0 else { continue }
            let times = Int(facts.st_size)
            if let place = all.firstIndex(where: { $0.job == name.job && $0.plan == name.plan }) {
                all[place].tasks[name.task] = times
            } else {
                all.append(Deaths(job: name.job, plan: name.plan, tasks: [name.task: times]))
            }
        }
        return all
    }

    /// The job is over: its deaths are of no use any more.
    func forget(_ job: JobID) {
        for name in names(in: died) where name.job == job { unlink("\(died)/\(name.text)") }
    }

    private func names(in folder: String) -> [Name] {
        guard
            case .success(let found) = Result(catching: {
                try FileManager.default.contentsOfDirectory(atPath: folder)
            })
        else { return [] }
        return found.sorted().compactMap(Name.init)
    }
}
