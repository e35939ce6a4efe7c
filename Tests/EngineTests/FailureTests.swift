import CGDAL
import Foundation
import Mosaic
import Testing
import TileStore

@testable import Engine
@testable import Raster

/// Sources that cannot be read after the start, and machines that cannot write.
@Suite struct FailureTests {
    private let tiled = ["TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64"]

    /// A scene of 700 × 64 pixels whose file ends in its last blocks, over one of 8 × 8 pixels beside it.
    private func trial(_ options: [String] = ["COMPRESS=DEFLATE"]) throws -> Trial {
        let trial = try Trial().kept
        var numbers = SystemRandomNumberGenerator()
        let noise = TinyBand(columns: 700, rows: 64) { _, _ in Double(1000 + numbers.next() % 9000) }
        let path =
            try trial.scene("broken", ["B08": noise.with { $0.options = tiled + options }]) + "/B08.tif"
        let size = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        #expect(truncate(path, off_t(size - 2000)) == 0)
        trial.show("nir")
        trial.request.onError = .partial
        return trial
    }

    @Test(arguments: [["COMPRESS=DEFLATE"], [], ["COMPRESS=LZW"]])
    func aTruncatedFileIsNeverNodata(options: [String]) throws {
        let trial = try trial(options)
        let outcome = try trial.run()
        #expect(outcome.summary.state == .partial && outcome.summary.tasksFailed == 1)
        #expect(outcome.product.counts[.nodata] == 0 && outcome.product.counts[.readFailed] == 188 * 64)
        #expect(outcome.product.counts[.valid] == 512 * 64)
        let failure = try #require(outcome.summary.failures.first)
        #expect(failure.contains("broken/B08.tif") && failure.contains("restore the file"))
        let reasons = try outcome.reasons()
        #expect(reasons[511] == .valid && reasons[512] == .readFailed)
        #expect(try outcome.values()[600].isNaN)
    }

    @Test func aHoleIsNoResult() throws {
        let trial = try trial()
        _ = try trial.run()
        #expect(try trial.store().usage().blobs == 1, "the task with a hole is not kept")
        #expect(try trial.run().summary.tasksReused == 1)
    }

    @Test func aJobThatShallFailLeavesNothing() throws {
        let trial = try trial()
        trial.request.onError = .fail
        #expect(sentence { try trial.run() }.contains("restore the file"))
        #expect(try trial.names() == [])
    }

    /// What lies below a hole is not shown in it; what lies above is.
    @Test func aHoleIsFilledByNoOtherScene() throws {
        for rule in [SelectionRule.first, .last, .min, .max, .mean, .median, .count] {
            let trial = try trial()
            try trial.scene("other", ["B08": TinyBand(columns: 700, rows: 64) { x, _ in x < 600 ? 500 : 0 }])
            trial.request.select = rule
            let outcome = try trial.run()
            let reasons = try outcome.reasons()
            let scenes = try outcome.scenes()
            #expect(reasons[650] == .readFailed && scenes[650] == 0, "\(rule)")
            #expect(reasons[550] == (rule == .last ? .valid : .readFailed), "\(rule)")
            #expect(scenes[550] == (rule == .last ? 1 : 0), "\(rule)")
        }
    }

    @Test func aFileThatVanishesAfterThePlanIsAReadFailure() throws {
        let trial = try Trial().kept
        let path = try trial.scene("a", ["B08": TinyBand([1000, 2000])])
        trial.show("nir")
        let job = try trial.job()
        try FileManager.default.removeItem(atPath: path + "/B08.tif")
        let runner = JobRunner(
            job: job, store: try trial.store(), limits: MachineLimits(threads: 2, memory: 1 << 30))
        let summary = try runner.run(into: trial.folder + "/out")
        #expect(summary.state == .partial && summary.products[0].counts[.readFailed] == 2)
        #expect(summary.failures[0].contains("No such file"))
    }

    @Test func aFileThatChangedItsSizeIsAReadFailure() throws {
        let trial = try Trial().kept
        let path = try trial.scene("a", ["B08": TinyBand([1000, 2000])])
        trial.show("nir")
        let job = try trial.job()
        try TinyBand([1000, 2000, 3000]).write(path + "/B08.tif")
        let runner = JobRunner(
            job: job, store: try trial.store(), limits: MachineLimits(threads: 2, memory: 1 << 30))
        #expect(try runner.run(into: trial.folder + "/out").failures[0].contains("submit the job anew"))
    }

    @Test func aFolderInTheWayOfAnOutputStopsBeforeAnyAppears() throws {
        let trial = try Trial().kept
        try trial.scene("a", ["B08": TinyBand([1000, 2000])])
        trial.show("nir")
        try FileManager.default.createDirectory(
            atPath: trial.folder + "/out/provenance.json", withIntermediateDirectories: true)
        #expect(sentence { try trial.run() }.contains("a folder has that name"))
        #expect(try trial.names() == ["provenance.json"])
    }

    @Test func tooLittleMemoryIsASentence() throws {
        let trial = try Trial().kept
        try trial.scene("a", ["B08": TinyBand([1000, 2000])])
        let job = try {
            trial.show("nir")
            return try trial.job()
        }()
        let runner = JobRunner(
            job: job, store: try trial.store(), limits: MachineLimits(threads: 2, memory: 1 << 24))
        #expect(sentence { try runner.run(into: trial.folder + "/out") }.contains("--memory"))
    }

    @Test func theStoreKeepsItsLimitOnceAJobIsDone() throws {
        let trial = try Trial().kept
        var numbers = SystemRandomNumberGenerator()
        let noise = TinyBand(columns: 1100, rows: 600) { _, _ in Double(1000 + numbers.next() % 9000) }
        try trial.scene("a", ["B08": noise])
        trial.show("nir")
        let store = try trial.store(limit: 2_000_000)
        let runner = JobRunner(
            job: try trial.job(), store: store, limits: MachineLimits(threads: 2, memory: 1 << 30))
        _ = try runner.run(into: trial.folder + "/out")
        let usage = store.usage()
        #expect(usage.bytes <= 2_000_000 && usage.blobs > 0, "\(usage)")
        #expect(store.collect(everything: true) == usage.bytes, "nothing is pinned any more")
    }

    /// The ways to read: raw deflate blocks with and without a predictor, strips, a short last one, left-out
    /// blocks, other codecs, whole bytes and floats.
    @Test(arguments: [
        ["TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=32", "COMPRESS=DEFLATE"],
        ["TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=16", "COMPRESS=DEFLATE", "PREDICTOR=2"],
        ["BLOCKYSIZE=16", "COMPRESS=DEFLATE"], ["BLOCKYSIZE=16", "COMPRESS=DEFLATE", "PREDICTOR=2"],
        ["BLOCKYSIZE=64", "COMPRESS=DEFLATE"], ["COMPRESS=LZW"],
        ["TILED=YES", "COMPRESS=ZSTD", "PREDICTOR=2"],
        ["TILED=YES", "COMPRESS=DEFLATE", "ENDIANNESS=BIG"], ["TILED=YES", "COMPRESS=DEFLATE", "NBITS=12"],
        ["TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=16", "COMPRESS=DEFLATE", "SPARSE_OK=TRUE"], [],
    ])
    func everyWayToRead(options: [String]) throws {
        let trial = try Trial().kept
        let band = TinyBand(columns: 70, rows: 41) { x, y in x < 20 ? 0 : Double(1 + (x * 61 + y * 17) % 4000)
        }
        try trial.scene("a", ["B08": band.with { $0.options = options }])
        trial.show("nir")
        let outcome = try trial.run()
        #expect(outcome.summary.failures == [])
        #expect(equal(try outcome.values(), band.samples.map { $0 == 0 ? .nan : Float($0) * 1e-4 }))
    }
}
