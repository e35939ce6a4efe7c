import CGDAL
import Foundation
import Mosaic

@testable import Raster

/// A reproducible source of test numbers (SplitMix64, S. Vigna, public domain).
struct TestNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Values as an index has them, with NaN, infinities, zeros of both signs and odd bit patterns among
    /// them.
    mutating func wildPixels(_ count: Int) -> [Float] {
        (0..<count).map { _ in
            switch UInt8.random(in: 0...40, using: &self) {
            case 0...9: .nan
            case 10: .infinity
            case 11: -.infinity
            case 12: -0.0
            case 13: 0
            case 14: Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &self))
            default: Float.random(in: -1.2...1.2, using: &self)
            }
        }
    }
}

/// A folder for one test, deleted with the value.
final class TestFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/arbutus-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch {
            print("cannot delete \(path): \(error)")
        }
    }

    func file(_ name: String) -> URL { URL(fileURLWithPath: path + "/" + name) }

    /// Opens a new file and hands it to `body`.
    func write<T>(_ name: String, _ body: (OutputFile) throws -> T) throws -> T {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_RDWR | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw RasterError("cannot create \(file)") }
        defer { close(descriptor) }
        return try body(OutputFile(descriptor: descriptor, path: file))
    }

    /// Opens a new file, hands it to `body` to be written from start to end, and finishes it.
    func stream<T>(_ name: String, _ body: (OutputWriter) throws -> T) throws -> T {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_RDWR | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw RasterError("cannot create \(file)") }
        let writer = OutputWriter(OutputFile(descriptor: descriptor, path: file))
        let made = try body(writer)
        try writer.finish()
        return made
    }
}

/// An image of values in rows, and what GDAL reads from files.
struct TestImage {
    var columns: Int
    var rows: Int
    var pixels: [Float]

    /// A smooth field with noise, NaN where `valid` says no.
    init(columns: Int, rows: Int, seed: UInt64, valid: (_ x: Int, _ y: Int) -> Bool = { _, _ in true }) {
        self.columns = columns
        self.rows = rows
        var numbers = TestNumbers(state: seed)
        pixels = (0..<columns * rows).map { index in
            let (x, y) = (index % columns, index / columns)
            let noise = Float(numbers.next() >> 44) / Float(1 << 20)
            return valid(x, y) ? Float(x % 977) / 1000 - Float(y % 613) / 900 + noise / 50 : .nan
        }
    }

    var grid: Grid {
        Grid(
            crs: CRS("EPSG:32633"), originX: 499_980, originY: 5_200_020, pixelWidth: 10, pixelHeight: 10,
            columns: columns, rows: rows)
    }

    /// The next overview, by a plain reading of the rule in RASTER.md.
    var halved: TestImage {
        var half = self
        half.columns = (columns + 1) / 2
        half.rows = (rows + 1) / 2
        half.pixels = [Float](repeating: .nan, count: half.columns * half.rows)
        pixels.withUnsafeBufferPointer { pixels in
            for y in 0..<half.rows {
                for x in 0..<half.columns {
                    var (sums, count): ((Float, Float), Float) = ((0, 0), 0)
                    for row in 2 * y..<min(2 * y + 2, rows) {
                        for column in 2 * x..<min(2 * x + 2, columns)
                        where !pixels[row * columns + column].isNaN {
                            if row == 2 * y {
                                sums.0 += pixels[row * columns + column]
                            } else {
                                sums.1 += pixels[row * columns + column]
                            }
                            count += 1
                        }
                    }
                    if count > 0 { half.pixels[y * half.columns + x] = (sums.0 + sums.1) / count }
                }
            }
        }
        return half
    }

    /// Encodes all levels to one sink and writes the COG; the file's length.
    @discardableResult
    func writeCog(
        to folder: TestFolder, name: String, items: [(key: String, value: String)] = [],
        progress: (Int) throws -> Void = { _ in }
    ) throws -> Int {
        let coder = FloatBlockCoder()
        let sink = ByteSink()
        var places: [[Int]: BlockPlace] = [:]
        var image = self
        for number in CogLayout(columns: columns, rows: rows).levels.indices {
            if number > 0 { image = image.halved }
            for row in 0..<(image.rows + 511) / 512 {
                for column in 0..<(image.columns + 511) / 512 {
                    let start = sink.count
                    let (width, height) = (
                        min(512, image.columns - column * 512), min(512, image.rows - row * 512)
                    )
                    let length = image.pixels.withUnsafeBufferPointer { all in
                        coder.encode(
                            all.baseAddress! + row * 512 * image.columns + column * 512,
                            stride: image.columns,
                            columns: width, rows: height, into: sink)
                    }
                    guard let length else { continue }
                    places[[number, row, column]] = BlockPlace(
                        fileDescriptor: -1, offset: start, length: length)
                }
            }
        }
        let statistics = pixels.withUnsafeBufferPointer {
            PixelStatistics($0.baseAddress!, stride: columns, columns: columns, rows: rows)
        }
        return try folder.write(name + ".spool") { spool in
            try spool.write(sink.bytes, at: 0)
            return try folder.stream(name) { file in
                let cog = CogImage(grid: grid, bandName: "ndvi", items: items, statistics: statistics)
                return try CogWriter.write(
                    cog, to: file,
                    place: { level, row, column in
                        guard var place = places[[level, row, column]] else { return nil }
                        place.fileDescriptor = spool.descriptor
                        return place
                    }, progress: progress)
            }
        }
    }
}

extension Dataset {
    /// Reads a band or one of its overviews (0 the largest) as float32.
    func floats(overview: Int? = nil) throws -> [Float] {
        var band = try self.band(1)
        if let overview { band = GDALGetOverview(band, Int32(overview)) }
        let (width, height) = (GDALGetRasterBandXSize(band), GDALGetRasterBandYSize(band))
        var pixels = [Float](repeating: 0, count: Int(width) * Int(height))
        let outcome = GDALRuntime.capturing {
            GDALRasterIO(band, GF_Read, 0, 0, width, height, &pixels, width, height, GDT_Float32, 0, 0)
        }
        guard outcome.value == CE_None else { throw RasterError("cannot read: \(outcome.message ?? "?")") }
        return pixels
    }

    /// A metadata item of the file (or of band 1).
    func metadata(_ key: String, domain: String = "", ofBand: Bool = false) throws -> String? {
        let object = ofBand ? try band(1) : handle
        return GDALGetMetadataItem(object, key, domain).map { String(cString: $0) }
    }
}
