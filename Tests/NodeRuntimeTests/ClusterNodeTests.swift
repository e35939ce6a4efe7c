import Cluster
import Engine
import Foundation
import Logging
import Mosaic
import Testing
import TileStore

@testable import NodeRuntime

/// Real nodes over loopback: sockets, sealed links, journals on disk, pixels; only the processes are shared.
@Suite(.serialized) struct ClusterNodeTests {
    @Test(.timeLimit(.minutes(2))) func nodesFindEachOther() async throws {
        let trio = try NodeGroup()
        for name in ["a", "b", "c"] { try await trio.start(name) }
        for node in trio.nodes {
            try await eventually("node \(node.id) sees two others") {
                await node.members().filter { $0.standing == .alive }.count == 2
            }
        }
        await trio.stop()
    }

    @Test(.timeLimit(.minutes(2))) func anotherKeyStaysOutside() async throws {
        let trio = try NodeGroup()
        let node = try await trio.start("a")
        let stranger = try await trio.start("b", secret: [UInt8](repeating: 8, count: 32))
        try await Task.sleep(for: .seconds(2))
        #expect(await node.members().isEmpty)
        #expect(await stranger.members().isEmpty)
        await trio.stop()
    }

    @Test(.timeLimit(.minutes(3))) func aJobRunsOnAllAndIsTheSameToTheByte() async throws {
        let trio = try NodeGroup()
        for name in ["a", "b", "c"] { try await trio.start(name) }
        try await eventually("all see all") {
            for node in trio.nodes where await node.members().count != 2 { return false }
            return true
        }
        var request = MosaicRequest()
        request.scenes = [try TestScene.write(trio.folder + "/scene", columns: 3000, rows: 2600)]
        request.indices = ["ndvi"]
        let (job, copies) = try await trio.nodes[1].submit(request)
        #expect(copies >= 2)
        try await eventually("the job is complete on every node", within: 90) {
            for node in trio.nodes {
                guard case .complete? = await node.job(job)?.header.state.manifest else { return false }
            }
            return true
        }
        #expect(try await holders(of: job, request, trio) >= 2)
        await trio.stop()
    }

    /// A job goes to the engine that most nodes have; who has another hands it over and makes nothing of it.
    /// It may keep the record and a copy of the outputs.
    @Test(.timeLimit(.minutes(3))) func aNodeWithAnotherEngineTakesNoPart() async throws {
        let trio = try NodeGroup()
        for name in ["a", "b"] { try await trio.start(name) }
        let other = try await trio.start("c", engine: "another engine")
        try await eventually("all see all") {
            for node in trio.nodes where await node.members().count != 2 { return false }
            return true
        }
        var request = MosaicRequest()
        request.scenes = [try TestScene.write(trio.folder + "/scene", columns: 3000, rows: 2600)]
        request.indices = ["ndvi"]
        let (job, _) = try await other.submit(request)
        try await eventually("the job is complete on every node", within: 90) {
            for node in trio.nodes {
                guard case .complete? = await node.job(job)?.header.state.manifest else { return false }
            }
            return true
        }
        let header = try #require(await other.job(job)?.header)
        #expect(header.term.node != other.id)
        let figures = await other.figures()
        #expect((figures.tasks["finished"] ?? 0, figures.assemblies) == (0, 0))
        #expect(try await holders(of: job, request, trio) == 2)
        for name in ["a", "b", "c"] { #expect(trio.log.count(name, "a node has another engine") >= 1) }
        await trio.stop()
    }

    /// Nodes that hold the outputs; their bytes are those of one machine's run.
    private func holders(of job: JobID, _ request: MosaicRequest, _ trio: NodeGroup) async throws -> Int {
        let plan = try JobPlanner(request).plan()
        let single = JobPlan(request: request, plan: plan, fingerprint: try EngineFingerprint().text)
        let runner = JobRunner(
            job: single, store: try TileStore(folder: trio.folder + "/single", limit: 1 << 30),
            limits: MachineLimits(threads: 2, memory: 1 << 30))
        _ = try runner.run(into: trio.folder + "/out")
        var holders = 0
        for node in trio.nodes {
            guard let files = await node.job(job)?.files, !files.isEmpty else { continue }
            holders += 1
            for file in files where file.name != "provenance.json" {
                let ours = try Data(contentsOf: URL(fileURLWithPath: file.path))
                let reference = try Data(contentsOf: URL(fileURLWithPath: "\(trio.folder)/out/\(file.name)"))
                #expect(ours == reference, "\(file.name) of node \(node.id)")
            }
        }
        return holders
    }

    @Test(.timeLimit(.minutes(3))) func scenesOfOneNodeAreReadByAllThroughTheSealedLink() async throws {
        let trio = try NodeGroup()
        let scenes = trio.folder + "/scenes"
        let owner = try await trio.start("a", roots: [scenes])
        let taker = try await trio.start("b", sees: false)
        try await trio.start("c", sees: false)
        try await eventually("all see all") {
            for node in trio.nodes where await node.members().count != 2 { return false }
            return true
        }
        var request = MosaicRequest()
        request.scenes = [try TestScene.write(scenes + "/s", columns: 3000, rows: 2600)]
        request.indices = ["ndvi"]
        let (job, _) = try await taker.submit(request)
        try await eventually("the job is complete on every node", within: 90) {
            for node in trio.nodes {
                guard case .complete? = await node.job(job)?.header.state.manifest else { return false }
            }
            return true
        }
        #expect(try await holders(of: job, request, trio) >= 2)
        // What is not below the roots is not there, whatever the name.
        let peers = taker.shell.parts.scenes.peers
        try FileManager.default.createSymbolicLink(
            atPath: scenes + "/link", withDestinationPath: trio.folder)
        for path in [
            "/etc/passwd", trio.folder + "/a/node.key", scenes + "/link", scenes + "/link/a/node.key", "s",
            "/",
        ] { #expect(try peers.reply(.sceneStatus(path: path), from: owner.id) == .absent, "\(path)") }
        // One that leads upwards is no question at all: the owner ends the link.
        #expect(throws: BulkFailure.self) {
            try peers.reply(.sceneStatus(path: scenes + "/../a/node.key"), from: owner.id)
        }
        #expect(throws: BulkFailure.absent(owner.id)) {
            try peers.bytes(
                .sceneRange(path: trio.folder + "/a/node.key", version: 0, offset: 0, count: 10),
                from: owner.id, limit: 10)
        }
        guard case .status(let status) = try peers.reply(.sceneStatus(path: scenes + "/s"), from: owner.id)
        else {
            Issue.record("the link stands again")
            return
        }
        #expect(status.isFolder)
        await trio.stop()
    }
}
