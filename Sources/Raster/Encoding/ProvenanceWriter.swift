import CGDAL
import Mosaic

/// Writes `provenance.tif`: for each index three uint16 bands: the scene of each pixel (its number in the
/// plan from 1; how many scenes under `mean`, `median` and `count`; 0 without a value), its date (days since
/// 1970-01-01; 0 unknown) and its `Reason`. Tiled, deflate, by GDAL's own driver. One thread at a time.
public final class ProvenanceWriter {
    private let path: String
    private var handle: GDALDatasetH?

    /// - Parameters:
    ///   - path: of the file to make; an older one is replaced.
    ///   - called: what messages call the file.
    ///   - scenes: names in plan order, kept as metadata.
    /// - Throws: `RasterError` when it cannot be made.
    public init(path: String, called: String, grid: Grid, indices: [String], scenes: [String]) throws {
        self.path = called
        let options = [
            "TILED=YES", "BLOCKXSIZE=512", "BLOCKYSIZE=512", "COMPRESS=DEFLATE", "INTERLEAVE=BAND",
            "BIGTIFF=IF_SAFER", "SPARSE_OK=TRUE",
        ]
        let made = GDALRuntime.capturing {
            StringList.with(options) {
                GDALCreate(
                    GDALGetDriverByName("GTiff"), path, Int32(grid.columns), Int32(grid.rows),
                    Int32(indices.count * 3), GDT_UInt16, $0)
            }
        }
        guard let handle = made.value else {
            throw RasterError("cannot write \(called): \(made.message ?? "GDAL gave no reason"); check --out")
        }
        self.handle = handle
        var transform = [grid.originX, grid.pixelWidth, 0, grid.originY, 0, -grid.pixelHeight]
        GDALSetGeoTransform(handle, &transform)
        let system = try CoordinateSystem(grid.crs)
        withExtendedLifetime(system) { _ = GDALSetSpatialRef(handle, system.handle) }
        for (number, name) in scenes.enumerated() {
            GDALSetMetadataItem(handle, "SCENE_\(number + 1)", name, nil)
        }
        for reason in Reason.allCases {
            GDALSetMetadataItem(handle, "REASON_\(reason.rawValue)", "\(reason)", nil)
        }
        for (number, name) in indices.enumerated() {
            for (place, what) in ["scene", "date", "reason"].enumerated() {
                GDALSetDescription(
                    GDALGetRasterBand(handle, Int32(number * 3 + place + 1)), "\(name) \(what)")
            }
        }
    }

    deinit { if let handle { GDALClose(handle) } }

    /// Writes `window.count` values, row by row, to a band (from 1).
    ///
    /// - Throws: `RasterError` (disk full).
    public func write(_ values: [UInt16], band: Int, window: PixelWindow) throws {
        precondition(values.count == window.count, "\(values.count) values for \(window)")
        var values = values
        let outcome = GDALRuntime.capturing {
            GDALRasterIO(
                GDALGetRasterBand(handle, Int32(band)), GF_Write, Int32(window.x), Int32(window.y),
                Int32(window.width), Int32(window.height), &values, Int32(window.width), Int32(window.height),
                GDT_UInt16, 0, 0)
        }
        try check(outcome.value == CE_None ? outcome.message : outcome.message ?? "GDAL gave no reason")
    }

    /// Ends the file.
    ///
    /// - Throws: `RasterError` (disk full).
    public func close() throws {
        guard let handle else { return }
        self.handle = nil
        try check(GDALRuntime.capturing { GDALClose(handle) }.message)
    }

    private func check(_ message: String?) throws {
        guard let message else { return }
        throw RasterError(
            "cannot write \(path): \(message); free some space, or choose another folder with --out")
    }
}
