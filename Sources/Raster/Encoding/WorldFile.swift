import Mosaic

/// The side-car files that give a PNG its place on the earth.
public enum WorldFile {
    /// The six lines of a `.pgw` in the order A D B E C F: pixel width, two rotations (0), minus pixel
    /// height, then x and y of the *centre* of the first pixel. Decimal digits without an exponent, exact to
    /// the bit when read back.
    public static func lines(for grid: Grid) -> String {
        let numbers = [
            grid.pixelWidth, 0, 0, -grid.pixelHeight, grid.originX + grid.pixelWidth / 2,
            grid.originY - grid.pixelHeight / 2,
        ]
        return numbers.map { decimal($0) + "\n" }.joined()
    }

    /// The `.png.aux.xml` of GDAL's persistent auxiliary metadata: the CRS as WKT. Coordinates are x, y
    /// whatever the CRS says about its axes, as in every world file.
    ///
    /// - Throws: `RasterError` when the CRS is unknown.
    public static func auxiliaryXML(for crs: CRS) throws -> String {
        "<PAMDataset>\n  <SRS>\(XML.escaped(try GeoKeys.wkt(of: crs)))</SRS>\n</PAMDataset>\n"
    }

    /// The shortest decimal digits that give `value` back, never with an exponent (many readers of world
    /// files take none).
    static func decimal(_ value: Double) -> String {
        let shortest = value.description
        guard let mark = shortest.firstIndex(of: "e"),
            let exponent = Int(shortest[shortest.index(after: mark)...])
        else { return shortest.hasSuffix(".0") ? String(shortest.dropLast(2)) : shortest }
        let sign = value < 0 ? "-" : ""
        let parts = shortest[..<mark].drop { $0 == "-" }.split(separator: ".")
        let fraction = parts.count > 1 && parts[1] != "0" ? String(parts[1]) : ""
        let digits = String(parts[0]) + fraction
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        let zeros = exponent - fraction.count
        guard zeros < 0 else { return sign + digits + String(repeating: "0", count: zeros) }
        return sign + String(digits.dropLast(-zeros)) + "." + String(digits.suffix(-zeros))
    }
}
