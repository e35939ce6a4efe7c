import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Raster

@Suite struct CogWriterTests {
    /// Sizes that meet every edge: one pixel, one row, one short, several blocks, very wide.
    @Test(arguments: [(1, 1), (700, 1), (513, 511), (512, 512), (1537, 1025), (50_000, 1), (3, 1300)])
    func gdalReadsBackEveryLevelToTheBit(columns: Int, rows: Int) throws {
        let image = TestImage(columns: columns, rows: rows, seed: UInt64(columns)) { x, y in
            (x / 7 + y) % 5 != 0
        }
        try check(image)
    }

    @Test func halfEmptyMosaicsAreSparse() throws {
        let image = TestImage(columns: 1030, rows: 1100, seed: 3) { x, y in x + y > 1100 }
        let folder = try TestFolder()
        try image.writeCog(to: folder, name: "half.tif")
        let dataset = try Dataset(opening: folder.path + "/half.tif")
        #expect(try dataset.metadata("BLOCK_OFFSET_0_0", domain: "TIFF", ofBand: true) == nil)
        #expect(try dataset.metadata("BLOCK_OFFSET_2_2", domain: "TIFF", ofBand: true) != nil)
        try check(image)
    }

    @Test func aMosaicWithoutAnyValueIsOnlyAHeader() throws {
        let image = TestImage(columns: 1100, rows: 520, seed: 4) { _, _ in false }
        let folder = try TestFolder()
        let length = try image.writeCog(to: folder, name: "empty.tif")
        #expect(length < 4096)
        try check(image)
    }

    /// Blocks that claim 5 GB make a BigTIFF; GDAL finds the real one behind them. The file is a hole but for
    /// its header and that block.
    @Test func beyondFourGibibytesTheFileIsABigTiff() throws {
        let image = TestImage(columns: 512, rows: 512, seed: 9)
        let sink = ByteSink()
        let length = try #require(FloatBlockCoder().encode(image.pixels, stride: 512, into: sink))
        var grid = image.grid
        grid.columns = 1536
        let claims = [3_000_000_000, 2_000_000_000, length]
        let plan = try CogPlan(CogImage(grid: grid, bandName: "ndvi")) { level, _, column in
            level == 0 ? BlockPlace(fileDescriptor: -1, offset: 0, length: claims[column]) : nil
        }
        #expect(plan.big)
        let folder = try TestFolder()
        try folder.write("big.tif") { file in
            let header = plan.header()
            try header.withUnsafeBytes { try file.write($0, at: 0) }
            try file.write(sink.bytes, at: header.count + 5_000_000_000)
        }
        let dataset = try Dataset(opening: folder.path + "/big.tif")
        var back = [Float](repeating: 0, count: 512 * 512)
        let band = try dataset.band(1)
        #expect(GDALRasterIO(band, GF_Read, 1024, 0, 512, 512, &back, 512, 512, GDT_Float32, 0, 0) == CE_None)
        #expect(TestBits(back) == TestBits(image.pixels))
        #expect(try dataset.metadata("LAYOUT", domain: "IMAGE_STRUCTURE") == "COG")
    }

    @Test func progressCountsEveryByteAndCanStopTheWriting() throws {
        struct Stopped: Error {}
        let image = TestImage(columns: 600, rows: 300, seed: 5)
        let folder = try TestFolder()
        var reported = 0
        let length = try image.writeCog(to: folder, name: "a.tif") { reported += $0 }
        #expect(reported == length)
        #expect(throws: Stopped.self) {
            try image.writeCog(to: folder, name: "b.tif") { _ in throw Stopped() }
        }
    }

    @Test func aSourceThatIsTooShortIsNamed() throws {
        let image = TestImage(columns: 100, rows: 100, seed: 5)
        let folder = try TestFolder()
        try folder.write("spool") { spool in
            let error = #expect(throws: RasterError.self) {
                try folder.stream("a.tif") { file in
                    try CogWriter.write(CogImage(grid: image.grid, bandName: "a"), to: file) { _, _, _ in
                        BlockPlace(fileDescriptor: spool.descriptor, offset: 0, length: 1000)
                    }
                }
            }
            #expect(
                error?.description.contains("1000 bytes are missing at its end; run the job again") == true)
        }
    }

    private func check(_ image: TestImage) throws {
        let folder = try TestFolder()
        let length = try image.writeCog(to: folder, name: "cog.tif")
        let path = folder.path + "/cog.tif"
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int == length)
        let dataset = try Dataset(opening: path)
        #expect(dataset.size == (image.columns, image.rows))
        #expect(TestBits(try dataset.floats()) == TestBits(image.pixels))
        let layout = CogLayout(columns: image.columns, rows: image.rows)
        #expect(GDALGetOverviewCount(try dataset.band(1)) == Int32(layout.levels.count - 1))
        var level = image
        for number in 1..<layout.levels.count {
            level = level.halved
            #expect(TestBits(try dataset.floats(overview: number - 1)) == TestBits(level.pixels))
        }
        #expect(try dataset.metadata("LAYOUT", domain: "IMAGE_STRUCTURE") == "COG")
    }
}

/// Pixels compared by their bits, every NaN alike; a failure prints the first difference and not a million
/// numbers.
struct TestBits: Equatable, CustomStringConvertible {
    let values: [Float]

    init(_ values: [Float]) { self.values = values }

    static func == (a: TestBits, b: TestBits) -> Bool {
        a.values.count == b.values.count
            && zip(a.values, b.values).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) }
    }

    var description: String { "\(values.count) pixels \(values.prefix(8))…" }
}
