import Engine
import Foundation
import Mosaic
import Testing

@testable import arbutus

@Suite struct PlanReportTests {
    private let grid = Grid(
        crs: CRS("EPSG:32633"), originX: 500_000, originY: 5_200_000, pixelWidth: 10, pixelHeight: 10,
        columns: 1024, rows: 1024)

    private func band(_ name: String, bytes: Int?) -> Band {
        Band(
            file: SourceFile(address: name, size: bytes, version: nil), number: 1, grid: grid,
            sample: .uint16,
            nodata: 0, radiometry: Radiometry(scale: 0.0001, offset: -1000, origin: .productMetadata))
    }

    private func plan(_ jobGrid: Grid, mask: MaskRule) throws -> MosaicPlan {
        let scene = Scene(
            id: "S2A_33TWM", sensor: .sentinel2, level: "L2A", acquired: 1_692_093_477, cloudCover: 0.21,
            tile: "33TWM", baseline: 5.09,
            bands: ["red": band("B04.tif", bytes: 1_000_000), "nir": band("B08.tif", bytes: nil)],
            classification: band("SCL.tif", bytes: 200_000), warnings: ["it is\u{7} old"])
        return MosaicPlan(
            grid: jobGrid, scenes: [scene], extents: [grid.bounds],
            indices: try SpectralIndex.resolve(MosaicRequest()), rules: RenderRules(mask: mask), taskEdge: 512
        )
    }

    @Test func bytesAreCountedForTheBandsAndThePartThatIsUsed() throws {
        // 1024 × 1024 samples of 2 bytes are 2 097 152 bytes: what a file of unknown size is taken for.
        let whole = PlanEstimate(try plan(grid, mask: .none), threads: 1)
        #expect(whole.bytesToRead == 3_097_152)
        #expect(whole.bytesDecoded == 4_194_304)
        #expect(whole.pixels == 1_048_576)
        let masked = PlanEstimate(try plan(grid, mask: .automatic), threads: 1)
        #expect(masked.bytesToRead == 3_297_152)
        var half = grid
        half.columns = 512
        let part = PlanEstimate(try plan(half, mask: .none), threads: 2)
        #expect(part.bytesToRead == 1_548_576)
        #expect(part.secondsLow < whole.secondsLow / 3 && part.secondsLow < part.secondsHigh)
    }

    @Test func whatIsShown() throws {
        let limits = MachineLimits(threads: 2, memory: 1_000_000_000)
        let report = try PlanReport(try plan(grid, mask: .automatic), png: true, limits: limits)
        let lines = report.text.split(separator: "\n").map(String.init)
        #expect(lines[0] == "mosaic     1024 × 1024 pixels of 10 × 10, EPSG:32633")
        #expect(lines[1] == "extent     500000,5189760 to 510240,5200000")
        #expect(lines[4] == "tasks      4 of at most 512 × 512 pixels")
        #expect(lines[5] == "to read    at most 3.30 MB")
        #expect(
            lines[9]
                == "S2A_33TWM  sentinel2 L2A 33TWM 05.09  2023-08-15T09:57:57Z  0.2 %  EPSG:32633     10  "
                + "(DN − 1000) × 0.0001 (productMetadata)  yes  500000,5189760 to 510240,5200000")
        #expect(lines.last == "warning: scene S2A_33TWM: it is? old")
        let json = try JSONSerialization.jsonObject(with: Data(JSONText.of(report).utf8)) as? [String: Any]
        #expect(json?["tasks"] as? Int == 4)
        #expect((json?["memory"] as? Int ?? .max) < limits.memory)
    }
}
