/// A file as the request named it, with what tells whether it has changed.
///
/// The identity is the address as requested + size + modification time or etag, never the form that a node
/// used to reach it (ARCHITECTURE.md, Decisions).
public struct SourceFile: Codable, Hashable, Sendable {
    /// A path or a GDAL virtual path (`/vsicurl/…`, `/vsis3/…`, `/vsizip/…`).
    public var address: String
    /// Bytes; nil when the server does not tell.
    public var size: Int?
    /// Modification time in whole seconds since 1970, or an etag.
    public var version: String?

    public init(address: String, size: Int?, version: String?) {
        self.address = address
        self.size = size
        self.version = version
    }
}

/// How the samples of a band are stored in its file.
public enum SampleType: String, Codable, Sendable {
    case uint8, int8, uint16, int16, uint32, int32, float32, float64

    /// Bytes of one sample.
    public var bytes: Int {
        switch self {
        case .uint8, .int8: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .float64: 8
        }
    }

    /// Whether samples are whole numbers.
    public var isInteger: Bool { self != .float32 && self != .float64 }
}

/// From digital number to reflectance: ρ = scale · (DN + offset), the offset in DN (RASTER.md, Radiometry).
public struct Radiometry: Codable, Hashable, Sendable {
    /// Which rule of RASTER.md gave the numbers; `plan` shows it.
    public enum Origin: String, Codable, Sendable {
        case productMetadata, offsetAlreadyApplied, rasterBands, processingBaseline, earthDaily
        case fileScaleAndOffset, option, assumed
    }

    public var scale: Double
    /// Added to the DN before scaling; −1000 for Sentinel-2 products of baseline 04.00 and later.
    public var offset: Double
    public var origin: Origin

    public init(scale: Double, offset: Double, origin: Origin) {
        self.scale = scale
        self.offset = offset
        self.origin = origin
    }
}

/// One band of a scene: where its samples are and what they mean.
public struct Band: Codable, Hashable, Sendable {
    public var file: SourceFile
    /// The band's number in its file, from 1.
    public var number: Int
    /// The band's own grid, read from the file and never from an item.
    public var grid: Grid
    public var sample: SampleType
    /// The file's own nodata value. DN 0 and 65535 of integer bands are nodata besides (RASTER.md).
    public var nodata: Double?
    public var radiometry: Radiometry

    public init(
        file: SourceFile, number: Int, grid: Grid, sample: SampleType, nodata: Double?, radiometry: Radiometry
    ) {
        self.file = file
        self.number = number
        self.grid = grid
        self.sample = sample
        self.nodata = nodata
        self.radiometry = radiometry
    }
}

/// What one acquisition offers a mosaic: spectral bands by their common names and, perhaps, a classification.
public struct Scene: Codable, Hashable, Sendable {
    /// Whose band names and radiometry apply.
    public enum Sensor: String, Codable, Sendable { case sentinel2, landsat, earthDaily, plain }

    /// A name to show: the product's, the item's or the folder's.
    public var id: String
    public var sensor: Sensor
    /// `L1C`, `L2A`, …; nil where nothing tells.
    public var level: String?
    /// Acquisition time in seconds since 1970, UTC.
    public var acquired: Double?
    /// Percent, 0 to 100.
    public var cloudCover: Double?
    /// Sentinel-2 tile (`33TWM`) and datatake; equal pairs are one acquisition processed or cut differently.
    public var tile: String?
    public var datatake: String?
    /// Processing baseline as a number: 5.09.
    public var baseline: Double?
    /// Spectral bands by common name (`red`, `nir`, …; see `BandName`).
    public var bands: [String: Band]
    /// The Sentinel-2 scene classification (SCL), uint8 classes 0 to 11.
    public var classification: Band?
    /// What the reader of this scene should know; shown by `plan`.
    public var warnings: [String]

    public init(
        id: String, sensor: Sensor, level: String? = nil, acquired: Double? = nil, cloudCover: Double? = nil,
        tile: String? = nil, datatake: String? = nil, baseline: Double? = nil, bands: [String: Band],
        classification: Band? = nil, warnings: [String] = []
    ) {
        self.id = id
        self.sensor = sensor
        self.level = level
        self.acquired = acquired
        self.cloudCover = cloudCover
        self.tile = tile
        self.datatake = datatake
        self.baseline = baseline
        self.bands = bands
        self.classification = classification
        self.warnings = warnings
    }
}
