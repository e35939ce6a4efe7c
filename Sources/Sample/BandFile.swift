import CGDAL
import Foundation
import Mosaic
import Raster

/// One band on its way to disk: filled strip by strip as a plain TIFF, then stored in the wanted format.
///
/// Used by one thread at a time.
final class BandFile {
    let path: String
    private let grid: Grid
    private let type: GDALDataType
    private var handle: GDALDatasetH?

    /// - Throws: `SampleError` when the file cannot be made.
    init(path: String, grid: Grid, bytesPerSample: Int) throws {
        self.path = path
        self.grid = grid
        type = bytesPerSample == 1 ? GDT_Byte : GDT_UInt16
        let type = type
        try Self.checked(path) {
            let driver = GDALGetDriverByName("GTiff")
            handle = withOptions(["TILED=YES", "BLOCKXSIZE=512", "BLOCKYSIZE=512", "BIGTIFF=IF_SAFER"]) {
                GDALCreate(driver, path, Int32(grid.columns), Int32(grid.rows), 1, type, $0)
            }
            guard let handle else { return }
            var transform = [grid.originX, grid.pixelWidth, 0, grid.originY, 0, -grid.pixelHeight]
            GDALSetGeoTransform(handle, &transform)
            let reference = OSRNewSpatialReference(nil)
            defer { OSRRelease(reference) }
            OSRSetFromUserInput(reference, grid.crs.name)
            GDALSetSpatialRef(handle, reference)
            GDALSetRasterNoDataValue(GDALGetRasterBand(handle, 1), 0)
        }
    }

    deinit { GDALClose(handle) }

    /// Writes whole rows from row `first` on: `samples` holds rows × columns of the band's type.
    func write<T>(_ samples: [T], from first: Int) throws {
        precondition(MemoryLayout<T>.size == (type == GDT_Byte ? 1 : 2), "\(T.self) is not this band's type")
        let rows = Int32(samples.count / grid.columns)
        let columns = Int32(grid.columns)
        try Self.checked(path) {
            samples.withUnsafeBytes { bytes in
                _ = GDALRasterIO(
                    GDALGetRasterBand(handle, 1), GF_Write, 0, Int32(first), columns, rows,
                    UnsafeMutableRawPointer(mutating: bytes.baseAddress), columns, rows, type, 0, 0)
            }
        }
    }

    /// Closes the plain file, so that another thread may read it.
    func close() throws {
        try Self.checked(path) { GDALClose(handle) }
        handle = nil
    }

    /// Stores the raster at `source` as `destination`. Options are the GDAL driver's.
    static func store(_ source: String, as destination: String, driver: String, options: [String]) throws {
        try checked(destination) {
            guard let input = GDALOpen(source, GA_ReadOnly) else { return }
            defer { GDALClose(input) }
            let output = withOptions(options) {
                GDALCreateCopy(GDALGetDriverByName(driver), destination, input, 0, $0, nil, nil)
            }
            GDALClose(output)
            // The JPEG 2000 driver leaves its notes beside the file; products have none.
            let notes = destination + ".aux.xml"
            if FileManager.default.fileExists(atPath: notes) { VSIUnlink(notes) }
        }
    }

    /// Runs GDAL calls that write `path` and turns what GDAL says into a sentence.
    private static func checked(_ path: String, _ body: () throws -> Void) throws {
        guard let reason = try GDALRuntime.capturing(body).message else { return }
        let free = freeBytes(at: path)
        let advice =
            free < 32 << 20
            ? "the disk is full (\(free >> 20) MB free); make room, choose another --out or a smaller --size"
            : "check that the folder can be written to and that GDAL has this format"
        throw SampleError("cannot write \(path): \(reason); \(advice)")
    }

    /// Bytes that this user may still write on the disk of `path`; `Int.max` where the system does not tell.
    static func freeBytes(at path: String) -> Int {
        var status = statvfs()
        guard statvfs((path as NSString).deletingLastPathComponent, &status) == 0 else { return .max }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }
}

/// Hands `body` a GDAL list of `KEY=value` options.
private func withOptions<T>(
    _ options: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> T
) -> T {
    var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    for option in options { list = CSLAddString(list, option) }
    defer { CSLDestroy(list) }
    return body(list)
}
