/// What a user asks for: sources, area, indices and rules. The command line, the HTTP API and the database
/// all make one of these; everything after it is decided by its values (INTERFACES.md, Command line).
///
/// Every field has its default, so that a JSON or YAML request names only what differs.
public struct MosaicRequest: Codable, Hashable, Sendable {
    public var title: String?
    /// Names of built-in indices (`ndvi`, `ndsi`, …) in output order.
    public var indices: [String] = []
    /// Own formulas over band names.
    public var expressions: [NamedExpression] = []
    /// Addresses of local scenes, in priority order.
    public var scenes: [String] = []
    /// For multi-band rasters: common band name → band number in the file, from 1.
    public var bands: [String: Int] = [:]
    public var area: Area?
    /// Path of a GeoJSON file whose polygons cut the mosaic.
    public var clip: String?
    public var select: SelectionRule = .first
    public var mask: MaskRule = .automatic
    /// Grows every masked area by this many metres.
    public var maskBuffer: Double = 0
    /// An offset in DN that holds for all scenes and settles every conflict.
    public var offset: Double?
    public var clamp: ClampRule = .zero
    public var resampling: Resampling = .bilinear
    /// `EPSG:…` or WKT; nil: from the scenes.
    public var crs: String?
    /// Pixel size in CRS units; nil: the finest band used.
    public var resolution: Double?
    public var colormap: Colormap?
    /// The values shown as the first and the last colour.
    public var range: ValueRange?
    public var png = true
    public var overlay = false
    public var provenance = false
    public var onError: ErrorRule = .partial

    public init() {}
}

/// `NAME=EXPR` of `--expression`.
public struct NamedExpression: Codable, Hashable, Sendable {
    public var name: String
    public var formula: String

    public init(name: String, formula: String) {
        self.name = name
        self.formula = formula
    }
}

/// The area asked for, in degrees (WGS 84).
public struct Area: Codable, Hashable, Sendable {
    public var west: Double
    public var south: Double
    /// Less than `west` when the area crosses the 180° meridian (RFC 7946, section 5.2).
    public var east: Double
    public var north: Double

    public init(west: Double, south: Double, east: Double, north: Double) {
        self.west = west
        self.south = south
        self.east = east
        self.north = north
    }

    /// The area between two opposite corners, given in any order, by the shorter way round the globe
    /// (RASTER.md, Grid).
    public init(
        cornerLatitude a: Double, longitude b: Double, otherLatitude c: Double, otherLongitude d: Double
    ) {
        let low = min(b, d)
        let high = max(b, d)
        let crosses = high - low > 180
        self.init(west: crosses ? high : low, south: min(a, c), east: crosses ? low : high, north: max(a, c))
    }

    /// Whether the area runs eastward through 180° (RFC 7946, 5.2).
    public var crossesAntimeridian: Bool { west > east }

    /// `east` counted on from `west`, past 180° when the area crosses it.
    public var unwrappedEast: Double { crossesAntimeridian ? east + 360 : east }
}

/// Which scene gives the pixel (RASTER.md, Selection).
public enum SelectionRule: String, Codable, CaseIterable, Sendable {
    case first, last, newest
    case leastCloud = "least-cloud"
    case mean, median, min, max, count
}

/// Which SCL classes hide a pixel.
public enum MaskRule: Codable, Hashable, Sendable {
    /// The default classes where a scene has SCL; NDSI never masks snow.
    case automatic
    case none
    case classes([Int])
}

/// What a reflectance below zero becomes.
public enum ClampRule: String, Codable, CaseIterable, Sendable { case zero, keep }

/// How the samples of another lattice become ours (RASTER.md, Grid).
public enum Resampling: String, Codable, CaseIterable, Sendable { case nearest, bilinear, cubic }

/// What a task that cannot be made does to the job.
public enum ErrorRule: String, Codable, CaseIterable, Sendable { case partial, fail }

/// Values from `low` to `high`, `low` < `high`.
public struct ValueRange: Codable, Hashable, Sendable {
    public var low: Double
    public var high: Double

    public init(low: Double, high: Double) {
        self.low = low
        self.high = high
    }
}
