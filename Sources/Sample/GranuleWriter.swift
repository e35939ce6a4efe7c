import Foundation
import Mosaic
import Raster
import Scenes

/// Draws one granule and writes its bands and metadata into a folder of its own.
struct GranuleWriter {
    private let granule: Granule
    private let names: GranuleNames
    private let options: SampleOptions
    /// The folder that receives the granule's folder.
    private let folder: String

    /// The name of the granule's folder.
    var name: String { options.format == .cog ? names.item : names.product }

    init(_ granule: Granule, options: SampleOptions, folder: String) {
        self.granule = granule
        self.options = options
        self.folder = folder
        names = GranuleNames(granule)
    }

    /// - Returns: the name of the folder.
    func write(progress: (_ activity: String, _ share: Double) -> Void) throws -> String {
        let home = "\(folder)/\(name)"
        let raw = "\(folder)/.raw"
        try makeFolder(home)
        try makeFolder(raw)
        progress("drawing", 0)
        let labels = try draw(into: raw) { progress("drawing", $0 * 0.6) }
        progress("encoding", 0.6)
        let footprint = try footprintInDegrees()
        let metadata = SafeDocuments(granule: granule, names: names, labels: labels, footprint: footprint)
        try store(from: raw, home: home, metadata: metadata)
        try remove(raw)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try write(encoder.encode(labels), to: "\(home)/labels.json")
        switch options.format {
        case .cog:
            let item = try SampleItem.json(granule, names: names, labels: labels, footprint: footprint)
            try write(item, to: "\(home)/\(names.item).json")
        case .safe: try writeSafe(metadata, home: home)
        }
        progress("done", 1)
        return name
    }

    /// Draws the strips, several at a time, into plain TIFF files `raw/BAND.tif`.
    private func draw(into raw: String, progress: (Double) -> Void) throws -> GranuleLabels {
        let renderer = GranuleRenderer(granule, seed: options.seed)
        let files = try SampleBand.allCases.map {
            try BandFile(
                path: "\(raw)/\($0.rawValue).tif", grid: granule.grid(resolution: $0.resolution),
                bytesPerSample: $0 == .scl ? 1 : 2)
        }
        var classes = [Int](repeating: 0, count: 12)
        var ndvi = NDVISum()
        let batch = Parallel.threads * 2
        for first in stride(from: 0, to: renderer.stripCount, by: batch) {
            let count = min(batch, renderer.stripCount - first)
            for strip in try Parallel.map(count, { renderer.strip(first + $0) }) {
                for (band, file) in zip(SampleBand.allCases, files) {
                    let row = strip.rows.lowerBound * 10 / band.resolution
                    if let lane = SampleBand.spectral.firstIndex(of: band) {
                        try file.write(strip.digital[lane], from: row)
                    } else {
                        try file.write(strip.scl, from: row)
                    }
                }
                for index in classes.indices { classes[index] += strip.classes[index] }
                ndvi.add(strip, columns: granule.size)
            }
            progress(Double(first + count) / Double(renderer.stripCount))
        }
        for file in files { try file.close() }
        return GranuleLabels(
            granule: name, seed: options.seed, sclPixels: classes, ndviSum: ndvi.sum, ndviPixels: ndvi.count)
    }

    /// Encodes the bands, each on its own thread; the bytes do not depend on how many there are.
    private func store(from raw: String, home: String, metadata: SafeDocuments) throws {
        let bands = SampleBand.allCases
        for band in bands where options.format == .safe {
            try makeFolder(
                (("\(home)/\(metadata.imagePath(band))") as NSString).deletingLastPathComponent)
        }
        let targets = bands.map { band in
            options.format == .cog
                ? "\(home)/\(band.rawValue).tif" : "\(home)/\(metadata.imagePath(band)).jp2"
        }
        let format = options.format
        _ = try Parallel.map(bands.count) { index in
            let band = bands[index]
            let source = "\(raw)/\(band.rawValue).tif"
            switch format {
            case .cog:
                let overviews = band == .scl ? "NEAREST" : "AVERAGE"
                try BandFile.store(
                    source, as: targets[index], driver: "COG",
                    options: [
                        "COMPRESS=DEFLATE", "PREDICTOR=2", "BLOCKSIZE=512",
                        "OVERVIEW_RESAMPLING=\(overviews)",
                        "BIGTIFF=IF_SAFER",
                    ])
            case .safe:
                try BandFile.store(
                    source, as: targets[index], driver: "JP2OpenJPEG",
                    options: [
                        "QUALITY=100", "REVERSIBLE=YES", "BLOCKXSIZE=1024", "BLOCKYSIZE=1024",
                        "RESOLUTIONS=6",
                    ])
            }
        }
    }

    private func writeSafe(_ metadata: SafeDocuments, home: String) throws {
        let tile = "GRANULE/\(names.granuleFolder)/MTD_TL.xml"
        try write(Data(metadata.product.utf8), to: "\(home)/MTD_MSIL2A.xml")
        try write(Data(metadata.tile.utf8), to: "\(home)/\(tile)")
        let paths = ["MTD_MSIL2A.xml", tile] + SampleBand.allCases.map { "\(metadata.imagePath($0)).jp2" }
        let files = try Parallel.map(paths.count) { index in
            let path = "\(home)/\(paths[index])"
            let sum = try ChecksumKind.sha3.ofFile(path)
            return (path: paths[index], bytes: VirtualFile.status(path)?.size ?? 0, sha3: sum)
        }
        try write(Data(SafeDocuments.manifest(files).utf8), to: "\(home)/manifest.safe")
    }

    /// The corners of what the sensor saw as longitude and latitude, rounded to 1e-7 degrees (a centimetre).
    private func footprintInDegrees() throws -> [(x: Double, y: Double)] {
        let transform = try CoordinateTransform(from: granule.crs, to: CRS("EPSG:4326"))
        return try granule.footprint.map { corner in
            guard let at = transform.transform(x: corner.x, y: corner.y) else {
                throw SampleError("PROJ cannot turn \(granule.crs) into degrees; is proj-data installed?")
            }
            return ((at.x * 1e7).rounded() / 1e7, (at.y * 1e7).rounded() / 1e7)
        }
    }

    private func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw SampleError("cannot make the folder \(path): \(error.localizedDescription)")
        }
    }

    private func remove(_ path: String) throws {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw SampleError("cannot remove \(path): \(error.localizedDescription)")
        }
    }

    private func write(_ data: Data, to path: String) throws {
        do {
            try data.write(to: URL(filePath: path))
        } catch {
            throw SampleError("cannot write \(path): \(error.localizedDescription); is the disk full?")
        }
    }
}

/// The NDVI of clear pixels, added up in the order of rows and strips.
private struct NDVISum {
    /// The classes that are masked by default, a bit for each.
    private static let masked: UInt16 = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 8 | 1 << 9 | 1 << 10
    private(set) var sum = 0.0
    private(set) var count = 0

    /// Adds the clear 10 m pixels of a strip; reflectance below zero counts as zero (RASTER.md, Radiometry).
    mutating func add(_ strip: Strip, columns: Int) {
        let red = strip.digital[2]
        let nir = strip.digital[3]
        for row in 0..<strip.rows.count {
            for column in 0..<columns {
                let at = row * columns + column
                let scl = UInt16(strip.scl[(row / 2) * (columns / 2) + column / 2])
                if red[at] == 0 || Self.masked >> scl & 1 == 1 { continue }
                let r = Float(max(0, Int(red[at]) - GranuleRenderer.offset))
                let n = Float(max(0, Int(nir[at]) - GranuleRenderer.offset))
                guard n + r > 0 else { continue }
                sum += Double((n - r) / (n + r))
                count += 1
            }
        }
    }
}
