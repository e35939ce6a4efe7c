import CGDAL
import Mosaic

/// A small task rendered at start: codecs and floating point may differ between processors and builds, and
/// two engines whose self-tests differ must not share results (PROTOCOL.md, section 3, "Engine fingerprint").
///
/// Its scene is a lossy JPEG 2000 (the codec whose decoder computes in floating point) in one UTM zone; the
/// task warps it to the next, so PROJ, the bilinear kernel, the index kernel and the encoders all leave their
/// marks.
public enum SelfTest {
    private static let side = 96

    /// The rendered blob.
    ///
    /// - Throws: `RasterError` when GDAL cannot write or read JPEG 2000 in memory.
    public static func blob() throws -> [UInt8] {
        GDALRuntime.start()
        let name = "/vsimem/arbutus-self-test-\(UInt64.random(in: 0 ... .max)).jp2"
        defer { VSIUnlink(name) }
        try writeScene(name)
        let plan = try plan(name)
        let renderer = try TaskRenderer(plan: plan, cache: BlockCache(limit: 1 << 22))
        guard let result = renderer.render(plan.tasks[0]), result.failures.isEmpty else {
            throw RasterError("the engine's self-test failed; reinstall GDAL with JPEG 2000 (libgdal32)")
        }
        return result.blob.array
    }

    private static func plan(_ name: String) throws -> MosaicPlan {
        let source = Grid(
            crs: CRS("EPSG:32633"), originX: 700_000, originY: 5_100_000, pixelWidth: 10, pixelHeight: 10,
            columns: side,
            rows: side)
        let target = CRS("EPSG:32634")
        let bounds = try CoordinateTransform(from: source.crs, to: target).bounds(of: source.bounds)
        let grid = Grid(
            crs: target, originX: bounds.left.rounded(.down), originY: bounds.top.rounded(.up),
            pixelWidth: 10,
            pixelHeight: 10, columns: side, rows: side)
        let bands = Dictionary(
            uniqueKeysWithValues: ["red", "nir"].enumerated().map { number, band in
                (
                    band,
                    Band(
                        file: SourceFile(address: name, size: nil, version: nil), number: number + 1,
                        grid: source,
                        sample: .uint16, nodata: nil,
                        radiometry: Radiometry(scale: 1e-4, offset: -1000, origin: .assumed))
                )
            })
        return MosaicPlan(
            grid: grid, scenes: [Scene(id: "self-test", sensor: .plain, bands: bands)], extents: [bounds],
            indices: try SpectralIndex.resolve(MosaicRequest()), rules: RenderRules(mask: .none),
            taskEdge: MosaicPlan.blockEdge)
    }

    /// Two bands of hashed noise over a slope, as lossy JPEG 2000.
    private static func writeScene(_ name: String) throws {
        var pixels = (0..<2 * side * side).map { place -> UInt16 in
            let noise = (UInt32(truncatingIfNeeded: place) &* 2_654_435_761) >> 22
            return UInt16(1100 + noise + UInt32(place % side) * UInt32(10 + place / (side * side) * 30))
        }
        let outcome = GDALRuntime.capturing { () -> Bool in
            let memory = GDALCreate(
                GDALGetDriverByName("MEM"), "", Int32(side), Int32(side), 2, GDT_UInt16, nil)
            guard let memory else { return false }
            defer { GDALClose(memory) }
            let written = GDALDatasetRasterIO(
                memory, GF_Write, 0, 0, Int32(side), Int32(side), &pixels, Int32(side), Int32(side),
                GDT_UInt16, 2, nil,
                0, 0, 0)
            let copy = StringList.with(["QUALITY=40", "REVERSIBLE=NO", "YCC=NO"]) {
                GDALCreateCopy(GDALGetDriverByName("JP2OpenJPEG"), name, memory, 0, $0, nil, nil)
            }
            guard written == CE_None, let copy else { return false }
            GDALClose(copy)
            return true
        }
        guard outcome.value else {
            throw RasterError(
                "the engine's self-test failed: \(outcome.message ?? "GDAL gave no reason"); "
                    + "reinstall GDAL with JPEG "
                    + "2000 (libgdal32)")
        }
    }
}
