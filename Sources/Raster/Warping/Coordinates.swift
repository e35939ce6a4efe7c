import Mosaic

/// Where the pixels of a window of the job grid lie in a source grid of another CRS.
///
/// PROJ is asked on a lattice of 32 pixels, fixed to the job grid, and between its nodes coordinates are
/// interpolated; where that would be off by more than a fiftieth of a source pixel at the middle of a cell,
/// every pixel is asked. So a pixel's coordinate depends on its place alone, not on the window, the task or
/// the thread.
struct Coordinates {
    /// Side of a cell in job pixels.
    private static let cell = 32
    /// Allowed error in source pixels.
    private static let tolerance = 0.02

    let job: Grid
    let source: Grid
    let transform: CoordinateTransform

    /// Source coordinates of the pixel centres of `window`, in pixels of `source` from its outer corner; not
    /// finite where the projection has no answer.
    ///
    /// - Parameters:
    ///   - window: in job pixels; may reach outside the grid.
    ///   - xs: `window.count` values, row by row.
    func fill(_ window: PixelWindow, _ xs: UnsafeMutablePointer<Double>, _ ys: UnsafeMutablePointer<Double>)
        throws
    {
        let cell = Self.cell
        let left = floorDivide(window.x, cell)
        let top = floorDivide(window.y, cell)
        let columns = floorDivide(window.endX - 1, cell) - left + 1
        let rows = floorDivide(window.endY - 1, cell) - top + 1
        let nodes = try lattice(
            left: left * cell, top: top * cell, columns: columns + 1, rows: rows + 1, shift: 0)
        let middles = try lattice(
            left: left * cell, top: top * cell, columns: columns, rows: rows, shift: Double(cell) / 2)
        for row in 0..<rows {
            for column in 0..<columns {
                let corner = row * (columns + 1) + column
                let quad = Quad(nodes, corner, columns + 1)
                let square = PixelWindow(
                    x: (left + column) * cell, y: (top + row) * cell, width: cell, height: cell)
                let part = square.intersection(window)
                if quad.error(against: middles, at: row * columns + column) <= Self.tolerance {
                    interpolate(quad, square, part, window, xs, ys)
                } else {
                    try ask(part, window, xs, ys)
                }
            }
        }
    }

    /// The four corners of a cell, in source pixels.
    private struct Quad {
        let x: (Double, Double, Double, Double)
        let y: (Double, Double, Double, Double)

        init(_ nodes: Points, _ corner: Int, _ stride: Int) {
            x = (nodes.x[corner], nodes.x[corner + 1], nodes.x[corner + stride], nodes.x[corner + stride + 1])
            y = (nodes.y[corner], nodes.y[corner + 1], nodes.y[corner + stride], nodes.y[corner + stride + 1])
        }

        func error(against middles: Points, at index: Int) -> Double {
            let dx = (x.0 + x.1 + x.2 + x.3) / 4 - middles.x[index]
            let dy = (y.0 + y.1 + y.2 + y.3) / 4 - middles.y[index]
            let error = max(abs(dx), abs(dy))
            return error.isFinite ? error : .infinity
        }
    }

    private struct Points {
        var x: [Double]
        var y: [Double]
    }

    private func interpolate(
        _ quad: Quad, _ square: PixelWindow, _ part: PixelWindow, _ window: PixelWindow,
        _ xs: UnsafeMutablePointer<Double>, _ ys: UnsafeMutablePointer<Double>
    ) {
        let step = 1 / Double(Self.cell)
        for row in part.y..<part.endY {
            let down = (Double(row - square.y) + 0.5) * step
            let leftX = quad.x.0 + (quad.x.2 - quad.x.0) * down
            let rightX = quad.x.1 + (quad.x.3 - quad.x.1) * down
            let leftY = quad.y.0 + (quad.y.2 - quad.y.0) * down
            let rightY = quad.y.1 + (quad.y.3 - quad.y.1) * down
            let line = (row - window.y) * window.width + part.x - window.x
            for index in 0..<part.width {
                let across = (Double(part.x - square.x + index) + 0.5) * step
                xs[line + index] = leftX + (rightX - leftX) * across
                ys[line + index] = leftY + (rightY - leftY) * across
            }
        }
    }

    private func ask(
        _ part: PixelWindow, _ window: PixelWindow, _ xs: UnsafeMutablePointer<Double>,
        _ ys: UnsafeMutablePointer<Double>
    ) throws {
        for row in part.y..<part.endY {
            let line = try points((0..<part.width).map { (Double(part.x + $0) + 0.5, Double(row) + 0.5) })
            for index in 0..<part.width {
                let place = (row - window.y) * window.width + part.x - window.x + index
                xs[place] = line.x[index]
                ys[place] = line.y[index]
            }
        }
    }

    private func lattice(left: Int, top: Int, columns: Int, rows: Int, shift: Double) throws -> Points {
        var places: [(Double, Double)] = []
        places.reserveCapacity(columns * rows)
        for row in 0..<rows {
            for column in 0..<columns {
                places.append(
                    (Double(left + column * Self.cell) + shift, Double(top + row * Self.cell) + shift))
            }
        }
        return try points(places)
    }

    /// Job pixel coordinates to source pixel coordinates, both from the outer corner.
    private func points(_ places: [(Double, Double)]) throws -> Points {
        var x = places.map { job.originX + $0.0 * job.pixelWidth }
        var y = places.map { job.originY - $0.1 * job.pixelHeight }
        transform.transform(x: &x, y: &y)
        for index in x.indices {
            x[index] = (x[index] - source.originX) / source.pixelWidth
            y[index] = (source.originY - y[index]) / source.pixelHeight
        }
        return Points(x: x, y: y)
    }

    private func floorDivide(_ a: Int, _ b: Int) -> Int { a >= 0 ? a / b : -((b - 1 - a) / b) }
}
