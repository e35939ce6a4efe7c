import Cluster
import Foundation
import Mosaic
import Synchronization
import Testing
import TileStore

@testable import NodeRuntime

/// A task that kills its process costs the task and not the node (PROTOCOL.md, section 4).
@Suite final class TaskIsolationTests {
    private let folder = NSTemporaryDirectory() + "arbutus-isolation-" + UUID().uuidString
    private let job = JobID(high: 5, low: 6)
    private let peers = ShellBench.Peers()
    private var benches: [ShellBench] = []

    /// The built program, which renders as a child.
    private static let program =
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/arbutus"

    init() throws {
        try FileManager.default.createDirectory(atPath: folder + "/scenes", withIntermediateDirectories: true)
    }

    deinit {
        for bench in benches { bench.shell.shutDown() }
        do { try FileManager.default.removeItem(atPath: folder) } catch { print("left \(folder): \(error)") }
    }

    private func bench(_ number: UInt64, child: [String], sees: Bool = true, members: [UInt64] = []) throws
        -> ShellBench
    {
        let bench = try ShellBench(
            number, in: folder, peers: peers, roots: [folder + "/scenes"], sees: sees, members: members,
            child: child)
        benches.append(bench)
        return bench
    }

    private func planned(on bench: ShellBench) throws -> ClusterPlan {
        var request = MosaicRequest()
        request.scenes = [try TestScene.write(folder + "/scenes/s", columns: 1100, rows: 700)]
        request.indices = ["ndvi"]
        return try bench.plan(request, as: job)
    }

    @Test(arguments: [
        ("kill -SEGV $$", "signal 11"), ("exit 3", "exit code 3"),
        ("echo nonsense >&0; sleep 60", "signal 9"),
    ]) func aChildThatDiesIsAFailedTask(script: String, ending: String) throws {
        let bench = try bench(21, child: ["/bin/sh", "-c", script])
        let plan = try planned(on: bench)
        guard case .error(let reason)? = try bench.render(TaskID(0), of: plan, as: job, isolated: true) else {
            Issue.record("a task whose process dies fails")
            return
        }
        #expect(reason.contains(ending), "\(reason)")
        // The node goes on.
        #expect(try bench.render(TaskID(1), of: plan, as: job) == nil)
    }

    @Test func aProgramThatIsNotThereIsSaid() throws {
        let bench = try bench(22, child: ["/nowhere/arbutus"])
        let plan = try planned(on: bench)
        guard case .error(let reason)? = try bench.render(TaskID(0), of: plan, as: job, isolated: true) else {
            Issue.record("it cannot be started")
            return
        }
        #expect(reason.contains("cannot start /nowhere/arbutus"))
    }

    @Test(.timeLimit(.minutes(1))) func aStoppedChildIsKilled() throws {
        let bench = try bench(23, child: ["/bin/sleep", "600"])
        let plan = try planned(on: bench)
        bench.shell.perform(.start(job, TaskID(0), plan: plan.digest, isolated: true))
        bench.shell.perform(.stop(job, TaskID(0)))
        let end = ContinuousClock.now + .seconds(20)
        while bench.shell.pool.count > 0, ContinuousClock.now < end { Thread.sleep(forTimeInterval: 0.02) }
        #expect(bench.shell.pool.count == 0)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: program)))
    func theProgramAsAChildMakesTheSameBlobFromAnotherNodesScene() throws {
        let owner = try bench(24, child: [])
        let reader = try bench(25, child: [Self.program, "render-task"], sees: false, members: [24])
        let plan = try planned(on: reader)
        #expect(try reader.render(TaskID(0), of: plan, as: job, isolated: true) == nil)
        let content = try #require(try reader.items.journal.content(plan.digest.bytes))
        _ = try owner.shell.contents.keep(content, of: job)
        _ = try owner.shell.contents.plan(plan.digest, of: job)
        #expect(try owner.render(TaskID(0), of: plan, as: job) == nil)
        let key = plan.tasks[0].key.hash
        let made = try #require(reader.items.store.find(key))
        #expect(owner.items.store.find(key)?.digest == made.digest)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: program)))
    func aCrashOfTheRealProgramIsAFailedTask() throws {
        _ = try bench(26, child: [])
        let note = folder + "/child"
        let reader = try bench(
            27, child: ["/bin/sh", "-c", "echo $$ > \(note); exec \(Self.program) render-task"], sees: false,
            members: [26])
        let plan = try planned(on: reader)
        // It dies in the middle of its work: as it asks for a range of a scene.
        let struck = Mutex(0)
        peers.beforeCopy {
            guard let text = FileManager.default.contents(atPath: note),
                let child = pid_t(String(decoding: text, as: UTF8.self).trimmingCharacters(in: .newlines))
            else { return }
            struck.withLock { $0 += 1 }
            kill(child, SIGSEGV)
        }
        guard case .error(let reason)? = try reader.render(TaskID(0), of: plan, as: job, isolated: true)
        else {
            Issue.record("a task whose process dies fails")
            return
        }
        #expect(reason.contains("signal 11"), "\(reason)")
        #expect(struck.withLock { $0 } > 0)
    }
}

@Suite struct TaskLedgerTests {
    private let folder = NSTemporaryDirectory() + "arbutus-ledger-" + UUID().uuidString

    @Test func whatWasAtWorkDiedWithItsProcess() throws {
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
        let (job, other) = (JobID(high: 1, low: 2), JobID(high: 3, low: 4))
        let plan = Digest(1, 2, 3, 4)
        let ledger = try TaskLedger(folder: folder)
        for task in [3, 7, 9] { ledger.begin(TaskLedger.Name(job, plan, TaskID(task))) }
        ledger.begin(TaskLedger.Name(other, plan, TaskID(3)))
        ledger.end(TaskLedger.Name(job, plan, TaskID(9)))
        try Data().write(to: URL(filePath: folder + "/at-work/.swp"))
        // The process dies, and its successor dies with one of them again.
        let second = try TaskLedger(folder: folder)
        #expect(
            second.count() == [
                TaskLedger.Deaths(job: job, plan: plan, tasks: [TaskID(3): 1, TaskID(7): 1]),
                TaskLedger.Deaths(job: other, plan: plan, tasks: [TaskID(3): 1]),
            ])
        second.begin(TaskLedger.Name(job, plan, TaskID(3)))
        let third = try TaskLedger(folder: folder)
        #expect(third.count()[0].tasks == [TaskID(3): 2, TaskID(7): 1])
        third.forget(job)
        #expect(third.count() == [TaskLedger.Deaths(job: other, plan: plan, tasks: [TaskID(3): 1])])
    }
}

@Suite struct LinkMeterTests {
    @Test func averagesWhatTransfersGet() {
        let told = Mutex<[LinkMeasure]>([])
        let meter = LinkMeter { measure in told.withLock { $0.append(measure) } }
        // Too short to say anything of the speed.
        meter.answered(firstAfter: 0.004, bytes: 1000, in: 0.005)
        #expect(told.withLock { $0 }.isEmpty)
        meter.answered(firstAfter: 0.002, bytes: 10_000_000, in: 0.1)
        meter.answered(firstAfter: 0.002, bytes: 10_000_000, in: 0.1)
        #expect(
            told.withLock { $0 } == [LinkMeasure(roundTrip: .milliseconds(2), bytesPerSecond: 100_000_000)])
        // 0.8 · 100 + 0.2 · 50 MB/s.
        meter.answered(firstAfter: 0.002, bytes: 10_000_000, in: 0.2)
        #expect(told.withLock { $0 }.last?.bytesPerSecond == 90_000_000)
    }
}
