import Mosaic

/// Whether the bands of a scene fit on each other.
enum SceneGeometry {
    /// Bands of one scene share their CRS and top left corner, and the pixels of the coarser are whole
    /// multiples of the finer; their far edges differ by less than one coarse pixel. nil when all do, else
    /// what does not.
    static func mismatch(_ bands: [String: Grid]) -> String? {
        let sorted = bands.sorted { ($0.value.pixelWidth, $0.key) < ($1.value.pixelWidth, $1.key) }
        guard let (first, fine) = sorted.first else { return nil }
        for (name, grid) in sorted.dropFirst() where !fits(grid, on: fine) {
            return "\(first) is \(describe(fine)), \(name) is \(describe(grid))"
        }
        return nil
    }

    private static func fits(_ coarse: Grid, on fine: Grid) -> Bool {
        guard coarse.crs == fine.crs else { return false }
        return fitsAxis(
            coarse.originX - fine.originX, fine.pixelWidth, fine.columns, coarse.pixelWidth, coarse.columns)
            && fitsAxis(
                coarse.originY - fine.originY, fine.pixelHeight, fine.rows, coarse.pixelHeight, coarse.rows)
    }

    private static func fitsAxis(_ shift: Double, _ fine: Double, _ n: Int, _ coarse: Double, _ m: Int)
        -> Bool
    {
        let ratio = coarse / fine
        return abs(shift) < 1e-3 * fine && ratio.rounded() >= 1 && abs(ratio - ratio.rounded()) < 1e-6 * ratio
            && abs(Double(n) * fine - Double(m) * coarse) < coarse * (1 - 1e-6)
    }

    private static func describe(_ grid: Grid) -> String {
        "\(grid.columns) × \(grid.rows) pixels of \(number(grid.pixelWidth)) × \(number(grid.pixelHeight)) "
            + "from \(number(grid.originX)), \(number(grid.originY))"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }
}
