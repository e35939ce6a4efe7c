import Cluster
import Engine
import Foundation
import Mosaic
import Raster
import Sample
import Testing
import TileStore
import Wire

@testable import NodeRuntime

/// Scenes on one node's disk, read by another that has none of them (issue 4, `/vsipeer`).
@Suite final class PeerScenesOfNodesTests {
    private let folder = NSTemporaryDirectory() + "arbutus-peers-" + UUID().uuidString
    private let job = JobID(high: 3, low: 4)
    private let peers = ShellBench.Peers()
    private let owner: ShellBench
    private let reader: ShellBench

    init() throws {
        try FileManager.default.createDirectory(atPath: folder + "/scenes", withIntermediateDirectories: true)
        owner = try ShellBench(11, in: folder, peers: peers, roots: [folder + "/scenes"], members: [12])
        reader = try ShellBench(12, in: folder, peers: peers, roots: [], sees: false, members: [11])
    }

    deinit {
        for bench in [owner, reader] { bench.shell.shutDown() }
        do { try FileManager.default.removeItem(atPath: folder) } catch { print("left \(folder): \(error)") }
    }

    /// How scenes lie on a disk.
    enum Kind: String, CaseIterable {
        case folderOfBands, sideCars, safe, zippedSafe, itemFolder, itemFile, fileAddress
    }

    private func write(_ kind: Kind) throws -> String {
        let place = "\(folder)/scenes/\(kind)"
        func sample(_ format: SampleFormat) throws -> String {
            try SampleWriter(
                SampleOptions(outputFolder: place, size: 200, granules: 1, format: format)
            ).write()[0]
        }
        switch kind {
        case .folderOfBands: return try TestScene.write(place, columns: 600, rows: 520)
        case .fileAddress: return "file://" + (try TestScene.write(place, columns: 600, rows: 520)) + "/"
        case .sideCars:
            let path = try TestScene.write(place, columns: 600, rows: 520, hasSideCars: true)
            #expect(FileManager.default.fileExists(atPath: path + "/B04.tif.aux.xml"))
            return path
        case .safe: return try sample(.safe)
        case .zippedSafe:
            let path = try sample(.safe)
            try TestScene.zip(path, to: path + ".zip")
            try FileManager.default.removeItem(atPath: path)
            return path + ".zip"
        case .itemFolder: return try sample(.cog)
        case .itemFile:
            let path = try sample(.cog)
            let items = try FileManager.default.contentsOfDirectory(atPath: path).filter {
                $0.hasSuffix(".json") && $0 != "labels.json"
            }
            return "\(path)/\(try #require(items.first))"
        }
    }

    private func request(_ scene: String) -> MosaicRequest {
        var request = MosaicRequest()
        request.scenes = [scene]
        request.indices = ["ndvi"]
        return request
    }

    @Test(arguments: Kind.allCases) func theBytesAreThoseOfTheOwnersOwnRun(_ kind: Kind) throws {
        let request = request(try write(kind))
        let planned = try reader.plan(request, as: job)
        // The plan is the one that the owner makes: no key and no output tells who read what by which way.
        let single = JobPlan(
            request: request, plan: try JobPlanner(request).plan(), fingerprint: "engine under test")
        #expect(planned.tasks.map(\.key) == single.keys.map { Digest($0) })
        #expect(planned.inputHolders == [owner.id])
        for task in planned.all.tasks { #expect(try reader.render(task, of: planned, as: job) == nil) }
        reader.shell.perform(.assemble(job, .first, plan: planned.digest, missing: TaskSet()))
        let outputs = try reader.wait { if case .assembled(_, _, let outputs) = $0 { outputs } else { nil } }
        let manifest = try #require(reader.items.outputs.manifest(outputs.hash))
        let runner = JobRunner(
            job: single, store: try TileStore(folder: folder + "/single", limit: 1 << 30),
            limits: MachineLimits(threads: 2, memory: 1 << 30))
        _ = try runner.run(into: folder + "/out")
        for file in manifest.files where file.name != "provenance.json" {
            let ours = FileManager.default.contents(
                atPath: reader.items.outputs.path(of: try #require(ContentHash(hexadecimal: file.digest))))
            let reference = FileManager.default.contents(atPath: "\(folder)/out/\(file.name)")
            #expect(ours == reference && ours != nil, "\(file.name)")
        }
        #expect(manifest.files.contains { $0.name == "ndvi.tif" })
        #expect(peers.questions > 0)
    }

    @Test func aNodeThatHasTheSameFileReadsItItself() throws {
        let scene = try write(.folderOfBands)
        let twin = try ShellBench(13, in: folder, peers: peers, members: [11])
        defer { twin.shell.shutDown() }
        let planned = try owner.plan(request(scene), as: job)
        let content = try #require(try owner.items.journal.content(planned.digest.bytes))
        _ = try twin.shell.contents.keep(content, of: job)
        _ = try twin.shell.contents.plan(planned.digest, of: job)
        let before = peers.questions
        #expect(try twin.render(TaskID(0), of: planned, as: job) == nil)
        #expect(peers.questions == before)
    }

    @Test func aDeadOwnerIsWaitedForAndADamagedFileIsNot() throws {
        let scene = try write(.folderOfBands)
        let planned = try reader.plan(request(scene), as: job)
        peers.cut(owner.id)
        guard case .input(let reason)? = try reader.render(TaskID(0), of: planned, as: job) else {
            Issue.record("a task that reads from a dead node is to wait")
            return
        }
        #expect(reason.contains("node \(owner.id): the node cannot be reached"))
        peers.add(owner)
        // The owner is asked again after a rest of 2 s.
        let end = ContinuousClock.now + .seconds(20)
        var failure = try reader.render(TaskID(0), of: planned, as: job)
        while failure != nil, ContinuousClock.now < end {
            failure = try reader.render(TaskID(0), of: planned, as: job)
        }
        #expect(failure == nil)
    }

    @Test func aFileThatChangedIsAnotherFile() throws {
        let scene = try write(.folderOfBands)
        let planned = try reader.plan(request(scene), as: job)
        let path = scene + "/B04.tif"
        let later = Date(timeIntervalSinceNow: 100)
        try FileManager.default.setAttributes([.modificationDate: later], ofItemAtPath: path)
        // What was told of a file is believed for 5 s.
        let end = ContinuousClock.now + .seconds(20)
        var failure: FailureKind?
        while failure == nil, ContinuousClock.now < end {
            let key = try #require(reader.shell.key(of: TaskID(0), planned.digest, job))
            reader.shell.parts.store.remove(key)
            failure = try reader.render(TaskID(0), of: planned, as: job)
        }
        guard case .error(let reason)? = failure else {
            Issue.record("a changed file is an error, and there was \(String(describing: failure))")
            return
        }
        #expect(reason.contains("was changed"))
        #expect(!reason.contains("@"))
    }

    @Test func whatIsNotBelowTheRootsIsNotThere() throws {
        let secret = folder + "/secret"
        _ = try TestScene.write(secret, columns: 600, rows: 520)
        let link = folder + "/scenes/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: secret)
        for path in [
            secret, link, link + "/B04.tif", folder + "/scenes/../secret", "/dev/zero", "/etc/passwd",
        ] {
            let failure = #expect(throws: RuntimeError.self) { try reader.plan(request(path), as: job) }
            #expect(failure?.description.contains("it is not on node") == true, "\(path)")
            #expect(failure?.description.contains("scene_roots") == true)
        }
        let relative = #expect(throws: RuntimeError.self) {
            try reader.plan(request("scenes/folderOfBands"), as: JobID(high: 9, low: 9))
        }
        #expect(relative?.description.contains("relative path") == true)
    }
}

@Suite struct ServerFailureTests {
    @Test func whatPassesIsWaitedForAndWhatLastsIsNot() {
        for passing in [
            "cannot read /vsicurl/http://a/b.tif: HTTP response code: 503; check",
            "cannot read /vsis3/b/k.tif: HTTP response code: 429; check",
            "cannot read /vsicurl/http://a/b.tif: CURL error: Could not resolve host: a; check",
            "cannot read /vsicurl/http://a/b.tif at pixel 0,0: the file ends before byte 100; restore",
        ] { #expect(ServerFailure.isAboutServer(passing) && !ServerFailure.isLasting(passing), "\(passing)") }
        for lasting in [
            "cannot read /vsicurl/http://a/b.tif: HTTP response code: 404; check",
            "cannot read /vsicurl/http://a/b.tif: HTTP response code: 403; check",
            "cannot read /vsicurl/http://a/b.tif: not recognized as a supported file format; check",
        ] { #expect(ServerFailure.isLasting(lasting), "\(lasting)") }
        #expect(!ServerFailure.isAboutServer("cannot read /data/b.tif: not a GeoTIFF"))
    }
}
