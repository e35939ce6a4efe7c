import CGDAL
import Foundation
import Mosaic
import TileStore

@testable import Engine
@testable import Raster

/// A band to be written as a GeoTIFF: a few samples in rows, the top left corner at (600000, 5100000) of UTM
/// zone 33 unless said otherwise.
struct TinyBand {
    private(set) var columns: Int
    private(set) var rows: Int
    private(set) var samples: [Double]
    var pixel = 10.0
    var left = 600_000.0
    var top = 5_100_000.0
    var crs = "EPSG:32633"
    var type = GDT_UInt16
    var nodata: Double?
    /// Creation options of GDAL's GTiff driver.
    var options: [String] = []

    init(_ rows: [Double]..., pixel: Double = 10, type: GDALDataType = GDT_UInt16) {
        self.init(columns: rows[0].count, rows: rows.count) { x, y in rows[y][x] }
        self.pixel = pixel
        self.type = type
    }

    init(columns: Int, rows: Int, value: (_ x: Int, _ y: Int) -> Double) {
        self.columns = columns
        self.rows = rows
        samples = (0..<columns * rows).map { value($0 % columns, $0 / columns) }
    }

    /// The same kind of band with other samples.
    func filled(_ lines: [[Double]]) -> TinyBand {
        with {
            ($0.columns, $0.rows) = (lines[0].count, lines.count)
            $0.samples = Array(lines.joined())
        }
    }

    /// The same band elsewhere.
    func moved(x: Double, y: Double) -> TinyBand {
        with {
            $0.left += x
            $0.top += y
        }
    }

    func with(_ change: (inout TinyBand) -> Void) -> TinyBand {
        var copy = self
        change(&copy)
        return copy
    }

    func write(_ path: String) throws {
        GDALRuntime.start()
        var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        for option in options { list = CSLAddString(list, option) }
        defer { CSLDestroy(list) }
        let driver = GDALGetDriverByName("GTiff")
        guard let dataset = GDALCreate(driver, path, Int32(columns), Int32(rows), 1, type, list) else {
            throw RasterError("the test cannot write \(path)")
        }
        defer { GDALClose(dataset) }
        var transform = [left, pixel, 0, top, 0, -pixel]
        GDALSetGeoTransform(dataset, &transform)
        let system = try CoordinateSystem(text: crs)
        withExtendedLifetime(system) { _ = GDALSetSpatialRef(dataset, system.handle) }
        let band = GDALGetRasterBand(dataset, 1)
        if let nodata { GDALSetRasterNoDataValue(band, nodata) }
        var values = samples
        let done = GDALRasterIO(
            band, GF_Write, 0, 0, Int32(columns), Int32(rows), &values, Int32(columns), Int32(rows),
            GDT_Float64,
            0, 0)
        guard done == CE_None else { throw RasterError("the test cannot write samples of \(path)") }
    }
}

/// A folder with scenes, a store and outputs, and the request that makes a mosaic of them. Planned and run as
/// `arbutus run` does it; all vanishes with the value.
final class Trial {
    let folder: String
    var request = MosaicRequest()
    /// Where finished tasks lie; a new name is a cold store.
    var storeName = "store"

    init() throws {
        folder = NSTemporaryDirectory() + "arbutus-trial-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        request.png = false
        request.provenance = true
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch {
            print("left behind: \(folder): \(error)")
        }
    }

    /// Writes a folder of band files (`B04`, `SCL`, …) and adds it to the request.
    @discardableResult
    func scene(_ name: String, _ bands: [String: TinyBand], item: String? = nil) throws -> String {
        let path = "\(folder)/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (band, samples) in bands { try samples.write("\(path)/\(band).tif") }
        if let item { try item.write(toFile: path + "/item.json", atomically: true, encoding: .utf8) }
        request.scenes.append(path)
        return path
    }

    /// The mosaic shows the reflectance of a formula, unmasked and from 0 to 1.
    func show(_ formula: String) {
        request.expressions = [NamedExpression(name: "shown", formula: formula)]
        request.range = ValueRange(low: 0, high: 1)
    }

    func store(limit: Int = 1 << 30) throws -> TileStore {
        try TileStore(folder: "\(folder)/\(storeName)", limit: limit)
    }

    /// - Parameter edge: side of a task; nil as planned.
    func job(edge: Int? = nil) throws -> JobPlan {
        var plan = try JobPlanner(request).plan()
        if let edge {
            plan = MosaicPlan(
                grid: plan.grid, scenes: plan.scenes, extents: plan.extents, indices: plan.indices,
                rules: plan.rules, taskEdge: edge)
        }
        return JobPlan(request: request, plan: plan, fingerprint: "test")
    }

    func run(
        threads: Int = 1, edge: Int? = nil, into output: String = "out",
        stop: @escaping @Sendable () -> Bool = { false }
    ) throws -> Outcome {
        let runner = JobRunner(
            job: try job(edge: edge), store: try store(),
            limits: MachineLimits(threads: threads, memory: 1 << 31))
        let path = "\(folder)/\(output)"
        return Outcome(summary: try runner.run(into: path, stop: stop), folder: path, owner: self)
    }

    /// Names in the folder `output`, hidden ones included.
    func names(in output: String = "out") throws -> [String] {
        let path = "\(folder)/\(output)"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }
}

/// What a run left behind, read back with GDAL.
struct Outcome {
    let summary: JobSummary
    let folder: String
    /// Whose folder must live as long.
    let owner: Trial

    var product: JobSummary.Product { summary.products[0] }

    /// Rows × columns of an index; of its overview `overview` (0 the largest) when one is named.
    func values(_ name: String? = nil, overview: Int? = nil) throws -> [Float] {
        try read("\(name ?? product.name).tif", band: 1, GDT_Float32, Float(0), overview: overview)
    }

    /// Rows × columns of reasons of an index; needs `--provenance`.
    func reasons(of index: Int = 0) throws -> [Reason] {
        try read("provenance.tif", band: index * 3 + 3, GDT_Byte, UInt8(0)).map { Reason(rawValue: $0)! }
    }

    /// Rows × columns of scene numbers from 1, or of how many scenes there are; 0 without a value.
    func scenes(of index: Int = 0) throws -> [UInt16] {
        try read("provenance.tif", band: index * 3 + 1, GDT_UInt16, UInt16(0))
    }

    func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
    }

    private func read<T: BitwiseCopyable>(
        _ name: String, band number: Int, _ type: GDALDataType, _ zero: T, overview: Int? = nil
    ) throws -> [T] {
        let dataset = try Dataset(opening: "\(folder)/\(name)")
        return try withExtendedLifetime(dataset) {
            var band = try dataset.band(number)
            if let overview { band = GDALGetOverview(band, Int32(overview)) }
            let (width, height) = (GDALGetRasterBandXSize(band), GDALGetRasterBandYSize(band))
            var pixels = [T](repeating: zero, count: Int(width) * Int(height))
            let done = pixels.withUnsafeMutableBytes {
                GDALRasterIO(
                    band, GF_Read, 0, 0, width, height, $0.baseAddress, width, height, type, 0, 0)
            }
            guard done == CE_None else { throw RasterError("cannot read \(name) back") }
            return pixels
        }
    }
}

/// Whether two rows of pixels are equal within `tolerance`, NaN equal to NaN.
func equal(_ a: [Float], _ b: [Float], tolerance: Float = 1e-7) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.isNaN ? $1.isNaN : abs($0 - $1) <= tolerance }
}

/// The sentence that `body` ends in; empty when it ends well.
func sentence(_ body: () throws -> some Any) -> String {
    do {
        _ = try body()
        return ""
    } catch { return "\(error)" }
}
