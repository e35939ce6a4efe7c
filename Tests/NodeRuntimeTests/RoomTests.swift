import Cluster
import Foundation
import Logging
import Mosaic
import Synchronization
import Testing
import TileStore

@testable import NodeRuntime

/// The disk's room: what a live job needs stays, and a full disk is the node's state (PROTOCOL.md, 3).
@Suite struct RoomTests {
    private let folder = NSTemporaryDirectory() + "arbutus-room-" + UUID().uuidString

    private func blob(_ byte: UInt8, in store: TileStore) throws -> ContentHash {
        let key = ContentHash(of: [byte])
        _ = try [UInt8](repeating: byte, count: 1000).withUnsafeBytes { try store.put(key, $0) }
        return key
    }

    @Test(.timeLimit(.minutes(1))) func aFullDiskIsToldOnceAndSoIsItsEnd() throws {
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
        let store = try TileStore(folder: folder, limit: 1 << 20)
        let (needed, old) = (try blob(1, in: store), try blob(2, in: store))
        store.unpin(old)
        let isEnough = Mutex(false)
        let told = Mutex<[Bool]>([])
        let room = RoomWatch(
            store: store, pause: 0.02, logger: Logger(label: "test"), isEnough: { isEnough.withLock { $0 } },
            tell: { hasRoom in told.withLock { $0.append(hasRoom) } })
        room.lost("cannot write blob 3: no space left on device")
        room.lost("cannot write blob 4: no space left on device")
        #expect(told.withLock { $0 } == [false])
        #expect(store.find(needed) != nil)
        #expect(store.find(old) == nil)
        isEnough.withLock { $0 = true }
        let end = ContinuousClock.now + .seconds(20)
        while told.withLock({ $0.count }) < 2, ContinuousClock.now < end {
            Thread.sleep(forTimeInterval: 0.01)
        }
        #expect(told.withLock { $0 } == [false, true])
        room.lost("again")
        #expect(told.withLock { $0 } == [false, true, false])
        room.shutDown()
    }

    @Test(.timeLimit(.minutes(1))) func aLiveJobKeepsItsBlobsWhateverTheBound() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
        let peers = ShellBench.Peers()
        let bench = try ShellBench(31, in: folder, peers: peers, storeLimit: 1)
        defer { bench.shell.shutDown() }
        let job = JobID(high: 1, low: 31)
        var request = MosaicRequest()
        request.scenes = [try TestScene.write(folder + "/scene", columns: 1100, rows: 700)]
        request.indices = ["ndvi"]
        let plan = try bench.plan(request, as: job)
        for task in plan.all.tasks { #expect(try bench.render(task, of: plan, as: job) == nil) }
        let store = bench.items.store
        store.collect()
        #expect(store.usage().blobs == plan.count)
        bench.shell.perform(.forget(job))
        let end = ContinuousClock.now + .seconds(20)
        while store.usage().blobs > 0, ContinuousClock.now < end { Thread.sleep(forTimeInterval: 0.01) }
        #expect(store.usage().blobs == 0)
    }

    @Test func aTaskThatNeedsMoreMemoryThanThereIsFailsInASentence() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
        let bench = try ShellBench(32, in: folder, peers: ShellBench.Peers(), memory: 48 << 20)
        defer { bench.shell.shutDown() }
        let job = JobID(high: 1, low: 32)
        var request = MosaicRequest()
        request.scenes = [try TestScene.write(folder + "/scene", columns: 1100, rows: 700)]
        request.indices = ["ndvi"]
        let plan = try bench.plan(request, as: job)
        guard case .error(let reason)? = try bench.render(TaskID(0), of: plan, as: job) else {
            Issue.record("it was started")
            return
        }
        #expect(reason.contains("memory"))
    }
}
