import Cluster
import Foundation
import Mosaic
import Testing

@testable import NodeRuntime

/// Nodes that start again in every way that machines allow (PROTOCOL.md, section 1).
@Suite(.serialized) struct NodeStartTests {
    private func epoch(of id: NodeID, seenBy node: ClusterNode) async -> UInt32? {
        await node.members().first { $0.id == id && $0.standing == .alive }?.version.epoch
    }

    @Test(.timeLimit(.minutes(2))) func aRestartedNodeIsTheSameOneAStartLater() async throws {
        let group = try NodeGroup()
        let (a, b) = (try await group.start("a"), try await group.start("b"))
        let id = a.id
        try await eventually("b sees a") { await epoch(of: id, seenBy: b) == 1 }
        await group.stop(a)
        let again = try await group.start("a")
        #expect(again.id == id)
        try await eventually("b sees its second start") { await epoch(of: id, seenBy: b) == 2 }
        #expect(group.log.count("a", "another machine") == 0)
        await group.stop()
    }

    @Test(.timeLimit(.minutes(2))) func aRestoredSnapshotGoesOnAboveWhatOthersKnow() async throws {
        let group = try NodeGroup()
        let b = try await group.start("b")
        var a = try await group.start("a")
        let id = a.id
        await group.stop(a)
        try FileManager.default.copyItem(atPath: group.folder + "/a", toPath: group.folder + "/snapshot")
        for start in [UInt32(2), 3] {
            a = try await group.start("a")
            try await eventually("b sees start \(start)") { await epoch(of: id, seenBy: b) == start }
            await group.stop(a)
        }
        try FileManager.default.removeItem(atPath: group.folder + "/a")
        try FileManager.default.moveItem(atPath: group.folder + "/snapshot", toPath: group.folder + "/a")
        a = try await group.start("a")
        try await eventually("b sees it above the start that it knew", within: 60) {
            await epoch(of: id, seenBy: b) ?? 0 > 3
        }
        try await eventually("the log says so") { group.log.count("a", "a snapshot was restored") == 1 }
        await group.stop()
    }

    @Test(.timeLimit(.minutes(2))) func ofTwoMachinesWithOneKeyOneStops() async throws {
        let group = try NodeGroup()
        let b = try await group.start("b")
        let first = try await group.start("a")
        let id = first.id
        await group.stop(first)
        try FileManager.default.copyItem(atPath: group.folder + "/a", toPath: group.folder + "/clone")
        let (a, clone) = (try await group.start("a"), try await group.start("clone"))
        let sentence = "another machine runs with this node's key"
        try await eventually("one of the two stops", within: 60) {
            group.log.count("a", sentence) + group.log.count("clone", sentence) > 0
        }
        let (stopped, goesOn) = group.log.count("a", sentence) > 0 ? (a, clone) : (clone, a)
        #expect(stopped.waiters.exit == .anotherMachineHasOurKey)
        #expect(group.log.count("a", "node.key") + group.log.count("clone", "node.key") > 0)
        await group.stop(stopped)
        try await eventually("b sees the other", within: 60) { await epoch(of: id, seenBy: b) != nil }
        #expect(group.log.count("a", sentence) + group.log.count("clone", sentence) == 1)
        #expect(goesOn.waiters.exit == nil)
        await group.stop()
    }

    @Test(.timeLimit(.minutes(3))) func aNodeThatComesBackLearnsThatItsJobIsOver() async throws {
        let group = try NodeGroup()
        let (a, b) = (try await group.start("a"), try await group.start("b"))
        let c = try await group.start("c")
        try await eventually("all see all") {
            for node in group.nodes where await node.members().count != 2 { return false }
            return true
        }
        var request = MosaicRequest()
        request.scenes = [try TestScene.write(group.folder + "/s", columns: 3000, rows: 2600)]
        request.indices = ["ndvi"]
        let (job, _) = try await a.submit(request)
        try await eventually("c knows the job") { await c.job(job) != nil }
        await group.stop(c)
        try await eventually("the job is complete", within: 90) {
            if case .complete? = await b.job(job)?.header.state.manifest { true } else { false }
        }
        let again = try await group.start("c")
        try await eventually("c knows that it is", within: 60) {
            if case .complete? = await again.job(job)?.header.state.manifest { true } else { false }
        }
        await group.stop()
    }

    @Test func aFolderThatIsInUseIsRefused() throws {
        let folder = NSTemporaryDirectory() + "arbutus-lock-" + UUID().uuidString
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
        let first = try DataFolder(folder)
        let refusal = #expect(throws: RuntimeError.self) { try DataFolder(folder, patience: 0.2) }
        #expect(refusal?.description.contains("another node uses the data folder") == true)
        first.release()
        try DataFolder(folder, patience: 0.2).release()
    }

    @Test(.timeLimit(.minutes(1))) func aJournalThatIsGoneIsSaidAndDeathsAreCounted() async throws {
        let group = try NodeGroup()
        let first = try await group.start("a")
        await group.stop(first)
        for name in try FileManager.default.contentsOfDirectory(atPath: group.folder + "/a")
        where name.hasPrefix("journal") {
            try FileManager.default.removeItem(atPath: "\(group.folder)/a/\(name)")
        }
        let name = TaskLedger.Name(JobID(high: 1, low: 2), Digest(1, 2, 3, 4), TaskID(5))
        try TaskLedger(folder: group.folder + "/a").begin(name)
        _ = try await group.start("a")
        #expect(group.log.count("a", "the journal of this node is gone") == 1)
        #expect(group.log.count("a", "died with tasks of job 00000000000000010000000000000002") == 1)
        #expect(
            FileManager.default.contents(atPath: "\(group.folder)/a/died/\(name.text)")?.count == 1)
        await group.stop()
    }
}
