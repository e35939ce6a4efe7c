import Foundation
import Mosaic
import Synchronization
import Testing
import TileStore

@testable import Engine

/// Tasks rendered one by one and laid together elsewhere are the same files as those of one run.
@Suite struct TaskPoolTests {
    /// Two overlapping scenes of 1,300 × 1,100 pixels.
    private func trial() throws -> Trial {
        let trial = try Trial()
        let band = TinyBand(columns: 1300, rows: 1100) { x, y in Double(1 + (x * 7 + y * 13) % 5000) }
        try trial.scene("west", ["B04": band, "B08": band.moved(x: 0, y: 0)])
        let east = TinyBand(columns: 1300, rows: 1100) { x, y in Double(1 + (x * 3 + y * 5) % 4000) }
        try trial.scene("east", ["B04": east.moved(x: 8000, y: 0), "B08": east.moved(x: 8000, y: 0)])
        trial.request.indices = ["ndvi"]
        trial.request.png = true
        trial.request.overlay = true
        return trial
    }

    /// Renders `tasks` with two threads and waits for their reports, in task order.
    private func render(_ tasks: [Int], of job: JobPlan, in store: TileStore) -> [TaskPool.Outcome] {
        let pool = TaskPool(threads: 2, store: store)
        let open = OpenJob(job, cacheBytes: 16 << 20)
        let outcomes = Mutex<[Int: TaskPool.Outcome]>([:])
        let group = DispatchGroup()
        for task in tasks {
            group.enter()
            pool.start(task, of: open) { outcome in
                outcomes.withLock { $0[task] = outcome }
                group.leave()
            }
        }
        group.wait()
        pool.shutDown()
        return outcomes.withLock { found in tasks.compactMap { found[$0] } }
    }

    @Test func assemblesTheBytesOfOneRun() throws {
        let trial = try trial()
        let reference = try trial.run()
        trial.storeName = "pool"
        let store = try trial.store()
        let sent = try JobContent(request: trial.request, plan: trial.job().plan, fingerprint: "test").bytes()
        let job = try JobContent(reading: sent).job
        #expect(try job.keys == trial.job().keys)
        let outcomes = render(Array(job.plan.tasks.indices), of: job, in: store)
        let isFinished = outcomes.map { if case .finished = $0 { true } else { false } }
        #expect(isFinished == [Bool](repeating: true, count: job.plan.tasks.count))
        let limits = MachineLimits(threads: 2, memory: 1 << 31)
        let files = try JobAssembler(job: job, store: store, limits: limits).run(
            into: trial.folder + "/laid")
        #expect(files.map(\.name) == reference.summary.files)
        for file in files where file.name != "provenance.json" {
            let laid = try Data(contentsOf: URL(fileURLWithPath: "\(trial.folder)/laid/\(file.name)"))
            let one = try Data(contentsOf: URL(fileURLWithPath: "\(reference.folder)/\(file.name)"))
            #expect(laid == one, "\(file.name)")
            #expect(file.digest == "\(ContentHash(of: [UInt8](laid)))")
            #expect(file.bytes == laid.count)
        }
    }

    /// Decoded blocks and open files go with the job, though its workers wait for the next.
    @Test func aJobThatIsOverLeavesNothingInMemory() throws {
        let trial = try trial()
        let pool = TaskPool(threads: 1, store: try trial.store())
        defer { pool.shutDown() }
        weak var left: OpenJob?
        do {
            let open = OpenJob(try trial.job(), cacheBytes: 16 << 20)
            left = open
            let isDone = DispatchSemaphore(value: 0)
            pool.start(0, of: open) { _ in isDone.signal() }
            isDone.wait()
            #expect(open.cache.decoded > 0)
        }
        let end = ContinuousClock.now + .seconds(10)
        while left != nil, ContinuousClock.now < end { usleep(1000) }
        #expect(left == nil)
    }

    @Test func marksTasksThatWereGivenUp() throws {
        let trial = try trial()
        let store = try trial.store()
        let job = try trial.job()
        let tasks = Array(job.plan.tasks.indices)
        _ = render(Array(tasks.dropFirst()), of: job, in: store)
        let assembler = JobAssembler(
            job: job, store: store, limits: MachineLimits(threads: 1, memory: 1 << 31))
        #expect(throws: MissingBlobs(tasks: [0])) { try assembler.run(into: trial.folder + "/laid") }
        let files = try assembler.run(into: trial.folder + "/laid", givenUp: [0: "node a: it burns"])
        let item = try #require(files.first { $0.name == "provenance.json" })
        let text = try String(contentsOfFile: "\(trial.folder)/laid/\(item.name)", encoding: .utf8)
        #expect(text.contains("node a: it burns"))
        // Blobs that say "nobody could make it" are not results: they do not stay.
        #expect(store.usage().blobs == tasks.count - 1)
        var lost = ReasonCounts()
        for task in tasks {
            guard let stored = try TaskResult(stored: task, of: job, in: store) else { continue }
            lost += stored.blob.layers[0].counts
        }
        #expect(lost[.readFailed] == 0)
    }

    @Test func saysWhichSourceCannotBeRead() throws {
        let trial = try trial()
        let job = try trial.job()
        try FileManager.default.removeItem(atPath: trial.folder + "/west/B04.tif")
        let outcome = try #require(try render([0], of: job, in: trial.store()).first)
        guard case .unreadable(let sentences) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(sentences.contains { $0.contains("west/B04.tif") })
    }

    @Test func stopsWhatWaits() throws {
        let trial = try trial()
        let store = try trial.store()
        let job = try trial.job()
        let pool = TaskPool(threads: 1, store: store)
        let open = OpenJob(job, cacheBytes: 16 << 20)
        let reports = Mutex<[Int: Int]>([:])
        for task in job.plan.tasks.indices {
            pool.start(task, of: open) { _ in reports.withLock { $0[task, default: 0] += 1 } }
        }
        for task in job.plan.tasks.indices { pool.stop(task, of: open) }
        pool.shutDown()
        pool.start(0, of: open) { outcome in
            guard case .stopped = outcome else {
                Issue.record("a closed pool says \(outcome)")
                return
            }
        }
        #expect(
            reports.withLock { $0 } == Dictionary(uniqueKeysWithValues: job.plan.tasks.map { ($0.number, 1) })
        )
        #expect(pool.count == 0)
    }

    @Test(arguments: ["", "{}", "[1]", "{\"plan\":{}}"]) func refusesWhatIsNoPlan(_ text: String) {
        #expect(throws: EngineError.self) { try JobContent(reading: Array(text.utf8)) }
    }

    @Test func refusesPlansThatNoPlannerMakes() throws {
        let trial = try trial()
        let plan = try trial.job().plan
        func refuses(_ change: (inout MosaicPlan) -> Void) throws {
            var other = plan
            change(&other)
            let bytes = try JobContent(request: trial.request, plan: other, fingerprint: "test").bytes()
            #expect(throws: EngineError.self) { try JobContent(reading: bytes) }
        }
        try refuses { $0.grid.columns = 1 << 40 }
        try refuses { $0.grid.rows = 0 }
        try refuses { $0.grid.pixelWidth = -10 }
        try refuses { $0.taskEdge = 3 }
        try refuses { $0.tasks.removeLast() }
        try refuses { $0.tasks[0].scenes = [7] }
        try refuses { $0.tasks[0].window.width = 1 << 30 }
        try refuses { $0.extents.removeLast() }
        try refuses { $0.extents[0].left = 1e300 }
        try refuses { $0.indices = [] }
        try refuses { $0.rules.maskBuffer = 1e9 }
        try refuses { $0.scenes[0].bands["nir"]?.number = 0 }
    }

    @Test func predictsMoreWorkUnderTwoScenes() throws {
        let trial = try trial()
        trial.request.select = .mean
        let job = try trial.job()
        let estimates = TaskEstimate.all(of: job)
        let full = job.plan.tasks.filter { $0.window.count == 512 * 512 }
        let single = try #require(full.first { $0.scenes == [0] })
        let double = try #require(full.first { $0.scenes.count == 2 })
        #expect(estimates[double.number].inputBytes > estimates[single.number].inputBytes)
        #expect(estimates[double.number].cost > estimates[single.number].cost)
        #expect(estimates[single.number].resultBytes == 512 * 512 * 5)
    }
}
