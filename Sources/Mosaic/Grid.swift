/// A coordinate reference system, by the name that the shell has made canonical: `EPSG:32633`, else WKT.
///
/// Two systems are the same exactly when their names are equal; only the shell (PROJ) can look inside.
public struct CRS: Codable, Hashable, Sendable, CustomStringConvertible {
    public let name: String

    public init(_ name: String) { self.name = name }

    public init(from decoder: any Decoder) throws {
        name = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }

    public var description: String { name }
}

/// A rectangle in the units of a CRS (metres or degrees); `top` lies above `bottom`.
public struct Bounds: Codable, Hashable, Sendable {
    public var left: Double
    public var bottom: Double
    public var right: Double
    public var top: Double

    public init(left: Double, bottom: Double, right: Double, top: Double) {
        self.left = left
        self.bottom = bottom
        self.right = right
        self.top = top
    }

    /// Whether no area lies within; so too when an edge is no number.
    public var isEmpty: Bool { !(left < right && bottom < top) }

    /// The middle, in the units of the CRS.
    public var centre: (x: Double, y: Double) { ((left + right) / 2, (bottom + top) / 2) }

    /// The smallest rectangle around both.
    public func union(_ other: Bounds) -> Bounds {
        Bounds(
            left: min(left, other.left), bottom: min(bottom, other.bottom),
            right: max(right, other.right), top: max(top, other.top))
    }

    /// Whether the two rectangles share an area (touching edges do not count).
    public func intersects(_ other: Bounds) -> Bool {
        left < other.right && other.left < right && bottom < other.top && other.bottom < top
    }
}

/// A north-up raster lattice. Pixel is area: (`originX`, `originY`) is the outer corner of the top left pixel
/// and y falls with each row (RASTER.md, Grid).
public struct Grid: Codable, Hashable, Sendable {
    public var crs: CRS
    public var originX: Double
    public var originY: Double
    /// Width of a pixel in CRS units, positive.
    public var pixelWidth: Double
    /// Height of a pixel in CRS units, positive.
    public var pixelHeight: Double
    public var columns: Int
    public var rows: Int

    public init(
        crs: CRS, originX: Double, originY: Double, pixelWidth: Double, pixelHeight: Double,
        columns: Int, rows: Int
    ) {
        self.crs = crs
        self.originX = originX
        self.originY = originY
        self.pixelWidth = pixelWidth
        self.pixelHeight = pixelHeight
        self.columns = columns
        self.rows = rows
    }

    /// All pixels of the grid.
    public var window: PixelWindow { PixelWindow(x: 0, y: 0, width: columns, height: rows) }

    /// The outer edges, in CRS units.
    public var bounds: Bounds { bounds(of: window) }

    /// The outer edges of a window of pixels, in CRS units.
    public func bounds(of window: PixelWindow) -> Bounds {
        Bounds(
            left: originX + Double(window.x) * pixelWidth,
            bottom: originY - Double(window.endY) * pixelHeight,
            right: originX + Double(window.endX) * pixelWidth,
            top: originY - Double(window.y) * pixelHeight)
    }

    /// The smallest window of whole pixels that covers `area`; not clipped to the grid.
    ///
    /// An edge within a thousandth of a pixel of a lattice line counts as lying on it, so that rounding in
    /// file headers adds no row.
    public func windowCovering(_ area: Bounds) -> PixelWindow {
        let slack = 1e-3
        let left = Int((((area.left - originX) / pixelWidth) + slack).rounded(.down))
        let right = Int((((area.right - originX) / pixelWidth) - slack).rounded(.up))
        let top = Int((((originY - area.top) / pixelHeight) + slack).rounded(.down))
        let bottom = Int((((originY - area.bottom) / pixelHeight) - slack).rounded(.up))
        return PixelWindow(x: left, y: top, width: max(0, right - left), height: max(0, bottom - top))
    }

    /// Where this grid's top left pixel lies in `other`, when both are parts of one lattice (same CRS and
    /// pixel size, and a whole number of pixels apart, within a thousandth of a pixel); nil when a warp is
    /// needed.
    public func offset(in other: Grid) -> (x: Int, y: Int)? {
        guard crs == other.crs, isClose(pixelWidth, other.pixelWidth, relative: 1e-9),
            isClose(pixelHeight, other.pixelHeight, relative: 1e-9)
        else { return nil }
        let x = (originX - other.originX) / pixelWidth
        let y = (other.originY - originY) / pixelHeight
        guard abs(x - x.rounded()) < 1e-3, abs(y - y.rounded()) < 1e-3 else { return nil }
        return (Int(x.rounded()), Int(y.rounded()))
    }

    private func isClose(_ a: Double, _ b: Double, relative: Double) -> Bool {
        abs(a - b) <= relative * max(abs(a), abs(b))
    }
}
