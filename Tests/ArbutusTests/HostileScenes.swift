import CGDAL
import Foundation
import Raster
import Testing

/// A folder of scenes that a test may spoil; it vanishes with the test.
final class HostileScenes {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/arbutus-hostile-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { Program.remove(path) }

    var out: String { path + "/out" }

    /// The words of a run over `scene` with red and near-infrared as its two bands.
    func words(_ scene: String, _ more: String...) -> [String] {
        ["run", scene, "--bands", "red=1,nir=2", "--out", out, "--store", path + "/store"] + more
    }

    /// Files in the output folder, hidden ones too.
    var outputs: [String] {
        get throws {
            FileManager.default.fileExists(atPath: out)
                ? try FileManager.default.contentsOfDirectory(atPath: out).sorted() : []
        }
    }

    /// Writes a GeoTIFF of two bands with blocks of 256², 10 m, EPSG:32633, from (600000, 5100000).
    ///
    /// - Parameter transform: GDAL's geotransform.
    func write(
        _ name: String = "scene.tif", edge: Int = 512, bands: Int = 2, type: GDALDataType = GDT_UInt16,
        crs: Int32? = 32633, transform: [Double] = [600_000, 10, 0, 5_100_000, 0, -10]
    ) throws -> String {
        GDALRuntime.start()
        var options = CSLAddString(nil, "TILED=YES")
        options = CSLAddString(options, "COMPRESS=DEFLATE")
        defer { CSLDestroy(options) }
        let file = "\(path)/\(name)"
        let made = GDALCreate(
            GDALGetDriverByName("GTiff"), file, Int32(edge), Int32(edge), Int32(bands), type, options)
        let dataset = try #require(made)
        var transform = transform
        GDALSetGeoTransform(dataset, &transform)
        if let crs {
            let system = OSRNewSpatialReference(nil)
            defer { OSRDestroySpatialReference(system) }
            #expect(OSRImportFromEPSG(system, crs) == OGRERR_NONE)
            GDALSetSpatialRef(dataset, system)
        }
        for number in 1...bands {
            // Too irregular for deflate to make small: a cut goes through the pixels.
            var state = UInt64(number)
            var samples = (0..<edge * edge).map { _ -> UInt16 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt16(2000 + state >> 40 % 3000)
            }
            let status = GDALRasterIO(
                GDALGetRasterBand(dataset, Int32(number)), GF_Write, 0, 0, Int32(edge), Int32(edge), &samples,
                Int32(edge), Int32(edge), GDT_UInt16, 0, 0)
            #expect(status == CE_None)
        }
        GDALClose(dataset)
        return file
    }

    /// Cuts a file to a share of its bytes.
    func cut(_ file: String, to share: Double) throws {
        let bytes = try Data(contentsOf: URL(filePath: file))
        try bytes.prefix(Int(Double(bytes.count) * share)).write(to: URL(filePath: file))
    }
}
