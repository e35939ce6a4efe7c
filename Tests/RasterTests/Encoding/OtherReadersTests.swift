import Foundation
import Mosaic
import Testing

@testable import Raster

/// A Python that has rasterio, rio-cogeo, tifffile, Pillow and numpy: `ARBUTUS_TEST_PYTHON`, else the one
/// that scripts/setup makes in `.build-python`; nil when there is none.
private let python: String? = {
    let own = ProcessInfo.processInfo.environment["ARBUTUS_TEST_PYTHON"]
    let candidates = [own, packageFolder + "/.build-python/bin/python"].compactMap { $0 }
    return candidates.first { path in
        guard FileManager.default.isExecutableFile(atPath: path) else { return false }
        do {
            let imports = "import rasterio, rio_cogeo, tifffile, PIL, numpy"
            return try run(path, ["-c", imports]).status == 0
        } catch {
            return false
        }
    }
}()

private let packageFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

@Suite(
    .enabled(
        if: python != nil,
        "no Python with rasterio, rio-cogeo, tifffile, Pillow: set ARBUTUS_TEST_PYTHON or run scripts/setup"))
struct OtherReadersTests {
    /// `rio cogeo validate --strict`, rasterio, tifffile, PIL and pngcheck agree with what was written.
    @Test func pythonReadersAgree() throws {
        let folder = try TestFolder()
        let images: [(name: String, image: TestImage)] = [
            ("one", TestImage(columns: 1, rows: 1, seed: 1)),
            ("row", TestImage(columns: 700, rows: 1, seed: 2)),
            ("short", TestImage(columns: 513, rows: 511, seed: 3) { x, y in (x + y) % 7 != 0 }),
            ("several", TestImage(columns: 1537, rows: 1025, seed: 4) { x, y in x * y % 11 != 0 }),
            ("wide", TestImage(columns: 50_000, rows: 1, seed: 5)),
            ("half", TestImage(columns: 1030, rows: 1100, seed: 6) { x, y in x + y > 1100 }),
            ("nothing", TestImage(columns: 600, rows: 600, seed: 7) { _, _ in false }),
        ]
        for (name, image) in images {
            try image.writeCog(to: folder, name: name + ".tif", items: [("FORMULA", "a < b & c")])
            try image.pixels.withUnsafeBytes { Data($0) }.write(to: folder.file(name + ".f32"))
            let indices = PngWriterTests.indices(image.columns, image.rows)
            try PngWriterTests.write(indices, image.columns, image.rows, to: folder, name: name + ".png")
            try Data(indices).write(to: folder.file(name + ".u8"))
        }
        let script = packageFolder + "/Tests/python/check_outputs.py"
        let result = try run(try #require(python), [script, folder.path])
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.split(separator: "\n").filter { $0.hasSuffix(": good") }.count == 14)
    }
}
