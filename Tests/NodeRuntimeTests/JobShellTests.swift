import Catalog
import Cluster
import Engine
import Foundation
import Logging
import Mosaic
import Synchronization
import Testing
import TileStore
import Transport
import Wire

@testable import NodeRuntime

/// Two nodes' shells that copy from each other: the work of a job without the protocol between them.
@Suite struct JobShellTests {
    private let folder = NSTemporaryDirectory() + "arbutus-shell-" + UUID().uuidString
    private let job = JobID(high: 1, low: 2)

    private func scene() throws -> String {
        try TestScene.write(folder + "/scene", columns: 1100, rows: 700)
    }

    @Test func aJobGoesFromNodeToNode() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
        let peers = ShellBench.Peers()
        let a = try ShellBench(1, in: folder, peers: peers)
        let b = try ShellBench(2, in: folder, peers: peers)
        defer { for bench in [a, b] { bench.shell.shutDown() } }
        var request = MosaicRequest()
        request.scenes = [try scene()]
        request.indices = ["ndvi"]
        let text = Array(try JSONEncoder().encode(request))
        let digest = try a.shell.contents.keep(text, of: job)
        var header = JobHeader(
            id: job, title: "trial", request: digest, term: Term(counter: 1, node: a.id, start: 1))

        // The acceptor writes it down and plans it.
        a.shell.perform(.persist(header, contentFrom: nil))
        #expect(try a.wait { if case .persisted(let stored, nil) = $0 { stored } else { nil } } == header)
        a.shell.perform(.plan(job, .first, fingerprint: Digest(of: Array("engine under test".utf8))))
        let plan = try a.wait { if case .planned(_, _, let plan) = $0 { plan } else { nil } }
        #expect(plan.count == 6)
        #expect(plan.fingerprint == Digest(of: Array("engine under test".utf8)))

        // A keeper fetches request and plan, and has them after a restart too.
        var reign = header.reign
        reign.plan = plan.digest
        header = JobHeader(id: job, title: "trial", request: digest, reign: reign, state: header.state)
        b.shell.perform(.persist(header, contentFrom: a.id))
        #expect(try b.wait { if case .persisted(_, let plan?) = $0 { plan } else { nil } } == plan)
        #expect(try b.items.journal.content(plan.digest.bytes) != nil)

        // Both render; the coordinator pulls what the other made.
        for task in plan.all.tasks {
            (task.index < 4 ? a : b).shell.perform(.start(job, task, plan: plan.digest, isolated: false))
        }
        var results: [TaskResult] = []
        for task in plan.all.tasks {
            let bench = task.index < 4 ? a : b
            results.append(
                try bench.wait { event in
                    guard case .finished(_, _, let result) = event, result.task == task else { return nil }
                    return result
                })
        }
        a.shell.perform(.assemble(job, .first, plan: plan.digest, missing: TaskSet()))
        let reason = try a.wait { if case .assemblyFailed(_, _, let reason) = $0 { reason } else { nil } }
        #expect(reason.contains("2 tasks"))
        for result in results[4...] { a.shell.perform(.pull(job, plan: plan.digest, result, from: [b.id])) }
        for result in results[4...] {
            let outcome = try a.wait { event in
                guard case .pulled(_, _, let pulled, _, let outcome) = event, pulled == result else {
                    return PullOutcome?.none
                }
                return outcome
            }
            #expect(outcome == .held)
        }
        a.shell.perform(.assemble(job, .first, plan: plan.digest, missing: TaskSet()))
        let outputs = try a.wait { if case .assembled(_, _, let outputs) = $0 { outputs } else { nil } }

        try copiesAndAgrees(b, from: a, plan, Array(results[..<4]), outputs)
    }

    /// The other node copies the outputs, and assembles the same from the blobs by itself.
    private func copiesAndAgrees(
        _ b: ShellBench, from a: ShellBench, _ plan: ClusterPlan, _ results: [TaskResult], _ outputs: Digest
    ) throws {
        b.shell.perform(.copyOutputs(job, outputs, from: a.id))
        #expect(try b.wait { if case .outputsStored(_, let stored) = $0 { stored } else { nil } } == outputs)
        let manifest = try #require(b.items.outputs.manifest(outputs.hash))
        #expect(manifest.files.map(\.name).contains("ndvi.tif"))
        for result in results { b.shell.perform(.pull(job, plan: plan.digest, result, from: [a.id])) }
        for result in results {
            _ = try b.wait { event in
                if case .pulled(_, _, result, _, .held) = event { true } else { nil }
            }
        }
        b.shell.perform(.assemble(job, .first, plan: plan.digest, missing: TaskSet()))
        #expect(try b.wait { if case .assembled(_, _, let again) = $0 { again } else { nil } } == outputs)
    }

    @Test func saysWhatCannotBeHad() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
        let peers = ShellBench.Peers()
        let a = try ShellBench(1, in: folder, peers: peers)
        defer { a.shell.shutDown() }
        let nobody = NodeID(short: 9)
        let header = JobHeader(
            id: job, title: "trial", request: Digest(1, 2, 3, 4),
            term: Term(counter: 1, node: nobody, start: 1))
        a.shell.perform(.persist(header, contentFrom: nobody))
        let reason = try a.wait { if case .persistFailed(_, let reason) = $0 { reason } else { nil } }
        #expect(reason.contains("cannot be reached"))
        a.shell.perform(.plan(job, .first, fingerprint: Digest(of: Array("another engine".utf8))))
        #expect(
            try a.wait { if case .planFailed(_, _, let reason) = $0 { reason } else { nil } }.contains(
                "engine"))
        let result = TaskResult(task: TaskID(0), digest: Digest(5, 5, 5, 5))
        a.shell.perform(.pull(job, plan: Digest(7, 7, 7, 7), result, from: [nobody]))
        let outcome: PullOutcome = try a.wait { event in
            if case .pulled(_, _, _, _, let outcome) = event { outcome } else { nil }
        }
        #expect(outcome == .unreachable)
    }

    @Test func aManifestNamesNoPaths() {
        func isSound(_ name: String) -> Bool {
            OutputManifest(files: [
                .init(name: name, bytes: 1, digest: String(repeating: "0", count: 64))
            ]).isSound
        }
        #expect(isSound("ndvi.tif"))
        for name in ["../ndvi.tif", "/etc/passwd", ".hidden", "", "a b", "a\u{0}b"] {
            #expect(!isSound(name))
        }
    }
}
