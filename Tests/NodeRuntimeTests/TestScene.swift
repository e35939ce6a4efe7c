import CGDAL
import Foundation
import Testing

@testable import Raster

/// A folder with B04 and B08 of made-up samples, at 10 m in UTM zone 33.
enum TestScene {
    /// - Parameter hasSideCars: georeferencing lies beside the files, in `.aux.xml`.
    static func write(_ path: String, columns: Int, rows: Int, hasSideCars: Bool = false) throws -> String {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        GDALRuntime.start()
        for (name, factor) in [("B04", 3), ("B08", 5)] {
            let driver = GDALGetDriverByName("GTiff")
            let created = StringList.with(hasSideCars ? ["PROFILE=BASELINE"] : []) {
                GDALCreate(driver, "\(path)/\(name).tif", Int32(columns), Int32(rows), 1, GDT_UInt16, $0)
            }
            let file = try #require(created)
            defer { GDALClose(file) }
            var transform = [600_000.0, 10, 0, 5_100_000, 0, -10]
            GDALSetGeoTransform(file, &transform)
            let system = try CoordinateSystem(text: "EPSG:32633")
            withExtendedLifetime(system) { _ = GDALSetSpatialRef(file, system.handle) }
            var samples = (0..<columns * rows).map { UInt16(1 + $0 * factor % 4000) }
            let done = GDALRasterIO(
                GDALGetRasterBand(file, 1), GF_Write, 0, 0, Int32(columns), Int32(rows), &samples,
                Int32(columns), Int32(rows), GDT_UInt16, 0, 0)
            #expect(done == CE_None)
        }
        return path
    }

    /// Packs a folder beside `archive` into it.
    static func zip(_ folder: String, to archive: String) throws {
        GDALRuntime.start()
        let parent = (folder as NSString).deletingLastPathComponent
        let name = (folder as NSString).lastPathComponent
        for case let file as String in try #require(FileManager.default.enumerator(atPath: folder)) {
            guard let data = FileManager.default.contents(atPath: "\(parent)/\(name)/\(file)") else {
                continue
            }
            let out = try #require(VSIFOpenL("/vsizip/\(archive)/\(name)/\(file)", "wb"))
            VSIFWriteL([UInt8](data), 1, data.count, out)
            VSIFCloseL(out)
        }
    }
}
