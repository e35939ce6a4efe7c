import Foundation
import Mosaic
import Testing

@testable import Engine
@testable import arbutus

@Suite struct PrinterTests {
    private func rendering(_ tasks: Int, _ pixels: Int) -> JobProgress {
        var progress = JobProgress()
        progress.phase = .rendering
        progress.tasksDone = tasks
        progress.tasksTotal = 8
        progress.pixelsDone = pixels
        progress.pixelsTotal = 8_000_000
        return progress
    }

    @Test func aJobsLines() {
        var line = ProgressLine()
        line.update(rendering(0, 0), at: 1)
        #expect(line.plain == "rendering: 0 of 8 tasks, 0 %")
        line.update(rendering(2, 2_000_000), at: 3)
        #expect(line.plain == "rendering: 2 of 8 tasks, 25 %, 1.00 Mpx/s, 6.0 s left")
        var worse = rendering(4, 4_000_000)
        worse.tasksReused = 1
        worse.tasksFailed = 2
        line.update(worse, at: 5)
        // Of 4 Mpx in 4 s one was reused.
        #expect(line.plain == "rendering: 4 of 8 tasks, 50 %, 1 reused, 2 failed, 750 kpx/s, 5.3 s left")
        var end = rendering(8, 8_000_000)
        end.phase = .assembling
        end.bytesWritten = 3_000_000
        end.bytesExpected = 4_000_000
        line.update(end, at: 9)
        #expect(line.plain == "assembling: 3.00 MB, 75 %")
    }

    @Test func speedForgetsWhatIsLongAgo() {
        var line = ProgressLine()
        for second in 0...60 {
            line.update(rendering(1, second < 30 ? second * 1000 : 30_000), at: Double(second))
        }
        #expect(line.speed == nil || line.speed! < 1000)
        var steady = ProgressLine()
        for second in 0...60 { steady.update(rendering(1, second * 500), at: Double(second)) }
        #expect(steady.speed == 500)
    }

    @Test func theBarFitsTheTerminal() {
        var line = ProgressLine()
        line.update(rendering(0, 0), at: 0)
        line.update(rendering(2, 2_000_000), at: 2)
        #expect(
            line.bar(columns: 80, colour: false)
                == "rendering ███████░░░░░░░░░░░░░░░░░░░░░  2/8 tasks  25 %  1.00 Mpx/s  ETA 6.0 s")
        for columns in 0...120 {
            #expect(line.bar(columns: columns, colour: false).count <= max(0, columns - 1))
        }
        #expect(line.bar(columns: 80, colour: true).contains("\u{1B}[32m███████\u{1B}[0m░"))
    }

    @Test func quantities() {
        #expect(
            [0, 999, 1000, 12_340, 999_600, 1_204_000_000].map(Quantity.bytes) == [
                "0 B", "999 B", "1.00 kB", "12.3 kB", "1.00 MB", "1.20 GB",
            ])
        #expect(
            [0, 9.94, 9.96, 59.6, 200, 3900, 90_000, .infinity].map(Quantity.duration) == [
                "0.0 s", "9.9 s", "10 s", "1 min 0 s", "3 min 20 s", "1 h 5 min", "1 d 1 h", "?",
            ])
        #expect(Quantity.percent(1, of: 8) == "12.5 %")
        #expect(Quantity.percent(0, of: 0) == "–")
    }

    @Test func aSummary() {
        var counts = ReasonCounts()
        counts[.valid] = 750
        counts[.masked] = 150
        counts[.outside] = 100
        let product = JobSummary.Product(
            name: "ndvi", counts: counts, minimum: -0.25, maximum: 0.875, mean: 0.5, standardDeviation: 0.1,
            files: ["ndvi.tif", "ndvi.png"])
        let summary = JobSummary(
            state: .partial, output: "out", files: ["ndvi.tif", "ndvi.png", "mosaic.json"], columns: 40,
            rows: 25, crs: "EPSG:32633", products: [product],
            seconds: 65, renderSeconds: 60, bytesRead: 1_500_000, bytesWritten: 3000, tasks: 4,
            tasksReused: 1, tasksFailed: 1,
            blocksDecoded: 4, failures: ["cannot read A.tif: it is cut short"], warnings: [])
        #expect(
            SummaryPrinter.text(summary) == """
                index    pixels   valid  masked  no data  no scene  undefined  failed  mean      min…max
                ndvi   1.00 kpx  75.0 %  15.0 %    0.0 %    10.0 %      0.0 %   0.0 %   0.5  -0.25…0.875
                size     40 × 25 pixels, EPSG:32633
                tasks    4, 1 reused, 1 failed
                time     1 min 5 s
                read     1.50 MB
                written  3.00 kB
                files in out:
                  ndvi.tif  ndvi.png  mosaic.json
                failed, their pixels are marked:
                  cannot read A.tif: it is cut short
                """)
    }

    @Test func aTableKeepsTerminalsSafe() {
        var table = Table([.left, .right])
        table.add("name", "n")
        table.add("a\u{1B}[2J", "10")
        #expect(table.text == "name    n\na?[2J  10")
    }
}

@Suite struct MachineOptionsTests {
    private func options(_ words: String...) throws -> MachineOptions { try MachineOptions.parse(words) }

    private func complaint(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test func memoryIsTheSmallerOfTwoGigabytesAndAShare() throws {
        #expect(try options().memoryBytes(of: 16_000_000_000) == 2_000_000_000)
        #expect(try options().memoryBytes(of: 1_000_000_000) == 600_000_000)
        #expect(try options("--memory", "50%").memoryBytes(of: 1_000_000_000) == 500_000_000)
        #expect(try options("--memory", "512MB").memoryBytes(of: 1_000_000_000) == 512_000_000)
        #expect(try options("--memory", "1.5 gib").memoryBytes(of: 4_000_000_000) == 1_610_612_736)
        #expect(try options("--memory", "200000000").memoryBytes(of: 4_000_000_000) == 200_000_000)
    }

    @Test func absurdAmountsAreRefused() {
        for word in ["", "x", "-1GB", "2XB", "101%", "1e99GB", "GB"] {
            #expect(
                complaint { _ = try options("--memory", word).memoryBytes(of: 8_000_000_000) }
                    == "--memory \"\(word)\" is no size; write for example 2GB, 512MB or 60%")
        }
        #expect(
            complaint { _ = try options("--memory", "1MB").memoryBytes(of: 8_000_000_000) }
                == "--memory 1MB is too little to work with; give at least 128MB")
        #expect(
            complaint { _ = try options("--memory", "9GB").memoryBytes(of: 8_000_000_000) }
                == "--memory 9GB is more than this machine has (8.00 GB); give less")
        for word in ["0", "-1", "x", "1.5", "1025"] {
            #expect(
                complaint { _ = try options("--threads", word).threadCount() }
                    == "--threads \"\(word)\" is no number of threads; give 1 to 1024")
        }
    }

    @Test func theStoresFolder() throws {
        let folder = { (environment: [String: String]) in
            try options().place.folder(environment: environment)
        }
        #expect(try folder(["XDG_CACHE_HOME": "/c", "HOME": "/h"]) == "/c/arbutus")
        #expect(try folder(["XDG_CACHE_HOME": "relative", "HOME": "/h"]) == "/h/.cache/arbutus")
        #expect(try options("--store", "s").place.folder() == "s")
    }

    @Test func cancellationIsSetOnce() {
        let cancellation = StopSignal()
        #expect(!cancellation.isSet)
        #expect(!cancellation.set())
        #expect(cancellation.isSet)
        #expect(cancellation.set())
    }
}
