import CGDAL
import Foundation
import Mosaic
import Synchronization
import Testing
import TileStore

@testable import Engine
@testable import Raster

/// The outputs' bytes depend on the request and the scenes alone.
@Suite struct InvarianceTests {
    /// Two noisy scenes with clouds, half a pixel apart, together 1130 × 640 pixels.
    private func trial(_ rule: SelectionRule = .first) throws -> Trial {
        let trial = try Trial()
        for (number, shift) in [0.0, 4305].enumerated() {
            let noise = { (seed: Int) in
                TinyBand(columns: 700, rows: 640) { x, y in
                    (x / 40 + y / 30) % 11 == number
                        ? 0 : Double(500 + (x * 131 + y * 57 * seed + x * y) % 6000)
                }.with {
                    $0.left += shift
                    $0.options = [
                        "TILED=YES", "BLOCKXSIZE=256", "BLOCKYSIZE=256", "COMPRESS=DEFLATE", "PREDICTOR=2",
                    ]
                }
            }
            let scl = TinyBand(columns: 350, rows: 320) { x, y in Double((x / 9 + y / 7 + number) % 12) }
            try trial.scene(
                "s\(number)",
                [
                    "B04": noise(3), "B08": noise(7),
                    "SCL": scl.with { ($0.left, $0.pixel, $0.type) = ($0.left + shift, 20, GDT_Byte) },
                ])
        }
        trial.request.select = rule
        trial.request.png = true
        trial.request.provenance = false
        return trial
    }

    private static let files = ["ndvi.tif", "ndvi.png", "ndvi.pgw", "ndvi.qml", "mosaic.json"]

    private func expectSame(_ a: Outcome, _ b: Outcome, _ what: String, but left: String? = nil) throws {
        for file in Self.files where file != left {
            let (one, other) = try (a.bytes(file), b.bytes(file))
            #expect(one == other, "\(file): \(what)")
        }
        #expect(a.product.counts == b.product.counts && a.product.mean == b.product.mean, "\(what)")
    }

    @Test(arguments: [SelectionRule.first, .median])
    func threadsTaskSizesAndOrderOfCompletionLeaveTheBytes(rule: SelectionRule) throws {
        let trial = try trial(rule)
        let plain = try trial.run(threads: 1, edge: 512, into: "plain")
        #expect(plain.summary.tasks == 6 && plain.summary.columns == 1131)
        for (threads, edge) in [(2, 1024), (5, 2048), (5, 512)] {
            trial.storeName = "store-\(threads)-\(edge)"
            // Workers that pause at random finish in another order.
            let other = try trial.run(threads: threads, edge: edge, into: "out-\(threads)-\(edge)") {
                usleep(UInt32.random(in: 0...20_000))
                return false
            }
            // The item is named by its tasks' keys, which know the task size.
            try expectSame(
                plain, other, "\(threads) threads, edge \(edge)", but: edge == 512 ? nil : "mosaic.json")
        }
    }

    @Test func aWarmStoreAMissingAndADamagedBlobLeaveTheBytes() throws {
        let trial = try trial()
        let cold = try trial.run(threads: 2, into: "cold")
        #expect(cold.summary.tasksReused == 0 && cold.summary.tasks == 6)
        let warm = try trial.run(threads: 2, into: "warm")
        #expect(
            warm.summary.tasksReused == 6 && warm.summary.bytesRead == 0 && warm.summary.blocksDecoded == 0)
        try expectSame(cold, warm, "warm store")
        let store = try trial.store()
        let keys = try trial.job().keys
        store.remove(keys[1])
        let damaged = try #require(store.find(keys[4]))
        let file = open(damaged.path, O_WRONLY)
        #expect(pwrite(file, [UInt8(0xA5), 0x5A], 2, 64 + damaged.length / 2) == 2)
        close(file)
        let mended = try trial.run(threads: 2, into: "mended")
        #expect(mended.summary.tasksReused == 4)
        try expectSame(cold, mended, "a blob missing, one damaged")
    }

    @Test func eachSourceBlockIsDecodedOnce() throws {
        let trial = try trial()
        trial.request.mask = .none
        // 3 × 3 blocks of 256, two bands, two scenes.
        #expect(try trial.run(threads: 3).summary.blocksDecoded == 36)
    }

    @Test func overviewsAndStatisticsAreThoseOfThePixels() throws {
        let trial = try trial(.max)
        let outcome = try trial.run(threads: 2)
        var level = try outcome.values()
        var (columns, rows) = (outcome.summary.columns, outcome.summary.rows)
        let valid = level.filter { !$0.isNaN }
        let mean = valid.reduce(0.0) { $0 + Double($1) } / Double(valid.count)
        let squares = valid.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        #expect(outcome.product.counts[.valid] == valid.count)
        #expect(
            outcome.product.minimum == Double(valid.min()!) && outcome.product.maximum == Double(valid.max()!)
        )
        #expect(abs(outcome.product.mean! - mean) < 1e-12)
        #expect(abs(outcome.product.standardDeviation! - (squares / Double(valid.count)).squareRoot()) < 1e-9)
        for number in 0..<2 {
            (level, columns, rows) = halved(level, columns, rows)
            let found = try outcome.values(overview: number)
            #expect(found.count == columns * rows && equal(found, level, tolerance: 0), "overview \(number)")
        }
        #expect(columns == 283 && rows == 160, "the last fits in a block")
    }

    /// The mean of the valid of 2 × 2 pixels: the upper pair's sum and the lower pair's, divided by their
    /// number.
    private func halved(_ pixels: [Float], _ columns: Int, _ rows: Int) -> ([Float], Int, Int) {
        let (width, height) = ((columns + 1) / 2, (rows + 1) / 2)
        var out = [Float](repeating: .nan, count: width * height)
        for y in 0..<height {
            for x in 0..<width {
                var (sum, count): (Float, Float) = (0, 0)
                for row in 2 * y..<min(2 * y + 2, rows) {
                    var pair: Float = 0
                    for column in 2 * x..<min(2 * x + 2, columns) where !pixels[row * columns + column].isNaN
                    {
                        pair += pixels[row * columns + column]
                        count += 1
                    }
                    sum += pair
                }
                if count > 0 { out[y * width + x] = sum / count }
            }
        }
        return (out, width, height)
    }

    @Test func aSceneMoreRepeatsOnlyTheTasksThatItTouches() throws {
        let trial = try Trial().kept
        let large = TinyBand(columns: 1400, rows: 900) { x, y in x < 1000 ? 2000 : 0 }
        try trial.scene("a", ["B08": large])
        trial.show("nir")
        trial.request.area = try Area(
            covering: Bounds(left: 600_100, bottom: 5_091_100, right: 613_900, top: 5_099_900),
            in: CRS("EPSG:32633"))
        let before = try trial.run()
        #expect(before.summary.tasks == 6 && before.summary.tasksReused == 0)
        let small = TinyBand(columns: 20, rows: 20) { _, _ in 7000 }.moved(x: 12_000, y: -7000)
        try trial.scene("b", ["B08": small])
        let after = try trial.run(threads: 2, into: "after")
        #expect(after.summary.tasks == 6 && after.summary.tasksReused == 5)
        #expect(after.product.counts[.valid] == before.product.counts[.valid] + 400)
        #expect(try after.scenes().count { $0 == 2 } == 400)
        #expect(try after.values().count { abs($0 - 0.7) < 1e-6 } == 400)
    }
}

/// Jobs that end before their time.
@Suite struct InterruptionTests {
    private func trial() throws -> Trial {
        let trial = try Trial().kept
        // Lines of one value each, quickly made.
        var band = TinyBand(columns: 1, rows: 1) { _, _ in 0 }
        band.options = ["TILED=YES", "COMPRESS=DEFLATE"]
        let lines = (0..<1536).map { [Double](repeating: Double(1000 + $0), count: 2048) }
        let red = band.filled(lines)
        try trial.scene("a", ["B04": red, "B08": band.filled(lines.reversed())])
        trial.request.provenance = false
        return trial
    }

    @Test func aStoppedJobLeavesNothingAndGoesOn() throws {
        let trial = try trial()
        let asked = Atomic(0)
        #expect(throws: JobCancelled.self) {
            try trial.run(threads: 2) { asked.wrappingAdd(1, ordering: .relaxed).newValue > 12 }
        }
        #expect(try trial.names() == [])
        let kept = try trial.store().usage().blobs
        #expect(kept >= 3)
        let outcome = try trial.run(threads: 2)
        #expect(outcome.summary.tasks == 12 && outcome.summary.tasksReused == kept)
    }

    @Test func aJobStoppedWhileItsOutputsAreWrittenLeavesNothing() throws {
        let trial = try trial()
        _ = try trial.run(threads: 2, into: "first")
        trial.request.png = true
        let asked = Atomic(0)
        #expect(throws: JobCancelled.self) {
            // All 12 tasks are found; the questions after those come from the assembly.
            try trial.run(threads: 2) { asked.wrappingAdd(1, ordering: .relaxed).newValue > 16 }
        }
        #expect(try trial.names() == [])
    }

    static let program: String? = {
        let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let places = [products, root.standardizedFileURL.path + "/.build/debug"]
        return places.map { $0 + "/arbutus" }.first(where: FileManager.default.isExecutableFile)
    }()

    @Test(.enabled(if: program != nil, "the arbutus program is not built"))
    func aKilledProcessGoesOn() throws {
        let trial = try trial()
        let scene = try #require(trial.request.scenes.first)
        let arguments = [
            "run", scene, "--mask", "none", "--no-png", "--threads", "1", "--store", trial.folder + "/store",
            "--json", "--out",
        ]
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.program))
        process.arguments = arguments + [trial.folder + "/out"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let store = try trial.store()
        try process.run()
        while process.isRunning, store.usage().blobs < 3 { usleep(1000) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        let kept = store.usage().blobs
        #expect((3..<12).contains(kept))
        let names = try trial.names()
        #expect(names.allSatisfy { $0.hasPrefix(".") }, "no output appears before all are ready: \(names)")

        let again = Process()
        again.executableURL = process.executableURL
        again.arguments = process.arguments
        let pipe = Pipe()
        again.standardOutput = pipe
        again.standardError = FileHandle.nullDevice
        try again.run()
        let printed = pipe.fileHandleForReading.readDataToEndOfFile()
        again.waitUntilExit()
        #expect(again.terminationStatus == 0)
        let summary = try JSONDecoder().decode(JobSummary.self, from: printed)
        #expect(summary.tasksReused == kept && summary.tasks == 12)
        trial.storeName = "cold"
        let whole = try trial.run(into: "whole")
        let resumed = Outcome(summary: summary, folder: trial.folder + "/out", owner: trial)
        let (one, other) = try (resumed.bytes("ndvi.tif"), whole.bytes("ndvi.tif"))
        #expect(one == other)
        #expect(try trial.names().allSatisfy { !$0.hasPrefix(".") })
    }
}
