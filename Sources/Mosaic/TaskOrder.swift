/// How tasks follow each other. A job is shared out in ranges of this order, and a source block that lies on
/// both sides of a cut is decoded twice: the fewer neighbours a cut parts that share blocks, the better.
///
/// Where the edges of the tasks are also edges of the sources' blocks from above to below, a row shares
/// nothing with the next one, and rows part the fewest; columns likewise. Otherwise neighbours share blocks
/// in both directions, and a Hilbert curve keeps both close.
enum TaskOrder: Equatable {
    case rows, columns, hilbert

    /// - Parameters:
    ///   - sources: the grids of the bands that are read. Their blocks are taken to be as large as a task in
    ///     pixels, or a part of it.
    ///   - edge: side of a task in pixels of `grid`.
    init(_ grid: Grid, sources: [Grid], edge: Int) {
        var (isSharedAcross, isSharedDown) = (false, false)
        for source in sources {
            let isFine =
                source.crs == grid.crs && source.pixelWidth < 1.001 * grid.pixelWidth
                && source.pixelHeight < 1.001 * grid.pixelHeight
            let right = (source.originX - grid.originX) / grid.pixelWidth
            let down = (grid.originY - source.originY) / grid.pixelHeight
            if !isFine || !Self.isWhole(right / Double(edge)) { isSharedAcross = true }
            if !isFine || !Self.isWhole(down / Double(edge)) { isSharedDown = true }
        }
        switch (isSharedAcross, isSharedDown) {
        case (true, false): self = .rows
        case (false, true): self = .columns
        case (true, true), (false, false): self = .hilbert
        }
    }

    private static func isWhole(_ value: Double) -> Bool { abs(value - value.rounded()) < 1e-6 }

    /// The place in the order of a cell of `columns` × `rows` tasks.
    func place(column: Int, row: Int, columns: Int, rows: Int) -> Int {
        switch self {
        case .rows: return row * columns + column
        case .columns: return column * rows + row
        case .hilbert:
            var side = 1
            while side < max(columns, rows) { side *= 2 }
            return HilbertCurve.distance(x: column, y: row, side: side)
        }
    }
}
