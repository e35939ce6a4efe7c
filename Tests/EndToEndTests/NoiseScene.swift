import CGDAL
import Foundation
import Raster

/// A folder with B04 and B08 of noise, at 10 m in UTM zone 33.
enum NoiseScene {
    struct Unwritable: Error { let path: String }

    static func write(_ path: String, columns: Int, rows: Int) throws -> String {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        GDALRuntime.start()
        var generator = SystemRandomNumberGenerator()
        var samples = (0..<2 * columns).map { _ in UInt16.random(in: 200...6000, using: &generator) }
        for name in ["B04", "B08"] {
            let file = GDALCreate(
                GDALGetDriverByName("GTiff"), "\(path)/\(name).tif", Int32(columns), Int32(rows), 1,
                GDT_UInt16,
                nil)
            guard let file else { throw Unwritable(path: path) }
            defer { GDALClose(file) }
            var transform = [600_000.0, 10, 0, 5_100_000, 0, -10]
            GDALSetGeoTransform(file, &transform)
            let system = OSRNewSpatialReference(nil)
            defer { OSRDestroySpatialReference(system) }
            guard OSRImportFromEPSG(system, 32633) == OGRERR_NONE, GDALSetSpatialRef(file, system) == CE_None
            else { throw Unwritable(path: path) }
            for row in 0..<rows {
                let start = Int.random(in: 0..<columns, using: &generator)
                let done = samples.withUnsafeMutableBufferPointer { buffer in
                    GDALRasterIO(
                        GDALGetRasterBand(file, 1), GF_Write, 0, Int32(row), Int32(columns), 1,
                        buffer.baseAddress! + start, Int32(columns), 1, GDT_UInt16, 0, 0)
                }
                guard done == CE_None else { throw Unwritable(path: path) }
            }
        }
        return path
    }
}
