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
    private final class Trio {
        let folder: String
        private(set) var nodes: [ClusterNode] = []
        private(set) var ports: [Int] = []
        private let secret = [UInt8](repeating: 7, count: 32)

        init() throws {
            folder = NSTemporaryDirectory() + "arbutus-nodes-" + UUID().uuidString
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }

        deinit {
            do { try FileManager.default.removeItem(atPath: folder) } catch {
                print("left behind: \(folder)")
            }
        }

        @discardableResult
        func start(_ name: String, secret: [UInt8]? = nil) async throws -> ClusterNode {
            var logger = Logger(label: name)
            logger.logLevel =
                ProcessInfo.processInfo.environment["ARBUTUS_TEST_LOG"] == nil ? .critical : .debug
            let setup = ClusterNode.Setup(
                data: "\(folder)/\(name)", listen: Address("127.0.0.1:0"),
                seeds: ports.map { Address("127.0.0.1:\($0)") }, secret: secret ?? self.secret,
                limits: MachineLimits(threads: 1, memory: 1 << 30), outputs: "\(folder)/\(name)/mosaics",
                logger: logger)
            let node = try ClusterNode(setup)
            ports.append(try await node.start())
            nodes.append(node)
            return node
        }

        func stop() async { for node in nodes { await node.shutDown() } }
    }

    /// Asks again until it is so.
    private func eventually(
        _ what: String, within seconds: Double = 30, _ isSo: () async -> Bool
    ) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if await isSo() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("not within \(seconds) s: \(what)")
    }

    @Test(.timeLimit(.minutes(2))) func nodesFindEachOther() async throws {
        let trio = try Trio()
        for name in ["a", "b", "c"] { try await trio.start(name) }
        for node in trio.nodes {
            try await eventually("node \(node.id) sees two others") {
                await node.members().filter { $0.standing == .alive }.count == 2
            }
        }
        await trio.stop()
    }

    @Test(.timeLimit(.minutes(2))) func anotherKeyStaysOutside() async throws {
        let trio = try Trio()
        let node = try await trio.start("a")
        let stranger = try await trio.start("b", secret: [UInt8](repeating: 8, count: 32))
        try await Task.sleep(for: .seconds(2))
        #expect(await node.members().isEmpty)
        #expect(await stranger.members().isEmpty)
        await trio.stop()
    }

    @Test(.timeLimit(.minutes(3))) func aJobRunsOnAllAndIsTheSameToTheByte() async throws {
        let trio = try Trio()
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
        // The bytes are those of one machine's run.
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
        #expect(holders >= 2)
        await trio.stop()
    }
}
