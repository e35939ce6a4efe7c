import CKernels
import Foundation
import Mosaic

/// Paints web map tiles (XYZ, EPSG:3857, 256 × 256, palette PNG) from a mosaic's pixels. Its scratch memory
/// and its ways between systems are reused; one thread at a time.
public final class MapTilePainter {
    /// Pixels along a tile's side.
    public static let side = 256
    /// EPSG:3857: half of the equator's length in metres.
    static let halfWorld = 20_037_508.342789244
    private static let webMercator = CRS("EPSG:3857")
    /// Cells of the lattice on which places are computed exactly; between its points they are interpolated.
    private static let cells = 16

    private var transforms: [CRS: CoordinateTransform] = [:]
    private var values = [Float](repeating: .nan, count: side * side)
    private var indices = [UInt8](repeating: 0, count: side * side)
    private let encoder = PngStripEncoder()
    private let sink = ByteSink()

    public init() {}

    /// A tile as PNG.
    ///
    /// - Parameters:
    ///   - row: counted from the north.
    ///   - index: gives range and colours.
    /// - Returns: the file's bytes; nil when no pixel of the tile has a value.
    /// - Throws: `RasterError` when pixels cannot be read.
    public func tile(
        zoom: Int, column: Int, row: Int, of pixels: any MosaicPixels, index: SpectralIndex
    ) throws -> [UInt8]? {
        let lattice = try lattice(zoom, column, row, pixels.grid)
        guard try fill(from: pixels, lattice) else { return nil }
        let side = Self.side
        values.withUnsafeBufferPointer { source in
            indices.withUnsafeMutableBufferPointer { target in
                arb_quantise(
                    source.baseAddress!, side, side, side, Float(index.range.low), Float(index.range.high),
                    target.baseAddress!, side)
            }
        }
        guard indices.contains(where: { $0 != 0 }) else { return nil }
        return try png(index.colormap.palette)
    }

    /// A tile without any value.
    public func emptyTile() throws -> [UInt8] {
        indices.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        return try png(Colormap.grey.palette)
    }

    // MARK: Places

    /// Columns and rows of the grid at the lattice's points; NaN where the grid's system has no place.
    private struct Lattice {
        var x: [Double]
        var y: [Double]

        /// Pixels of the grid for a pixel of the tile, at the tile's middle.
        var scale: Double {
            let (side, middle) = (MapTilePainter.cells + 1, MapTilePainter.cells / 2)
            let at = middle * side + middle
            let across = hypot(x[at + 1] - x[at - 1], y[at + 1] - y[at - 1])
            let down = hypot(x[at + side] - x[at - side], y[at + side] - y[at - side])
            let step = Double(2 * MapTilePainter.side / MapTilePainter.cells)
            return (across * down).squareRoot() / step
        }
    }

    private func lattice(_ zoom: Int, _ column: Int, _ row: Int, _ grid: Grid) throws -> Lattice {
        let size = 2 * Self.halfWorld / Double(1 << zoom)
        var (x, y): ([Double], [Double]) = ([], [])
        for down in 0...Self.cells {
            for across in 0...Self.cells {
                x.append(
                    (Double(column) + Double(across) / Double(Self.cells)) * size - Self.halfWorld)
                y.append(Self.halfWorld - (Double(row) + Double(down) / Double(Self.cells)) * size)
            }
        }
        let transform = try transforms[grid.crs] ?? CoordinateTransform(from: Self.webMercator, to: grid.crs)
        transforms[grid.crs] = transform
        transform.transform(x: &x, y: &y)
        return Lattice(
            x: x.map { ($0 - grid.originX) / grid.pixelWidth },
            y: y.map { (grid.originY - $0) / grid.pixelHeight })
    }

    // MARK: Pixels

    /// Fills `values` with the nearest pixels of the level that suits the tile.
    ///
    /// - Returns: whether the tile touches the mosaic.
    private func fill(from pixels: any MosaicPixels, _ lattice: Lattice) throws -> Bool {
        let known = zip(lattice.x, lattice.y).filter { $0.0.isFinite && $0.1.isFinite }
        guard let left = known.map(\.0).min(), let right = known.map(\.0).max(),
            let top = known.map(\.1).min(), let bottom = known.map(\.1).max(),
            right >= 0, bottom >= 0, left < Double(pixels.grid.columns), top < Double(pixels.grid.rows)
        else { return false }
        var level = 0
        if lattice.scale.isFinite {
            level = min(pixels.deepestLevel, max(0, Int((log2(max(1, lattice.scale)) + 0.3).rounded(.down))))
        }
        var window: PixelWindow
        repeat {
            let pixel = Double(1 << level)
            let whole = pixels.window(ofLevel: level)
            func place(_ value: Double, _ most: Int) -> Int {
                Int(max(-1, min(Double(most) + 1, (value / pixel).rounded(.down))))
            }
            let (x, y) = (place(left, whole.width) - 1, place(top, whole.height) - 1)
            window = PixelWindow(
                x: x, y: y, width: place(right, whole.width) - x + 2,
                height: place(bottom, whole.height) - y + 2
            ).intersection(whole)
            level += 1
        } while window.count > 4 << 20 && level <= pixels.deepestLevel
        level -= 1
        guard !window.isEmpty else { return false }
        let scratch = UnsafeMutablePointer<Float>.allocate(capacity: window.count)
        defer { scratch.deallocate() }
        try pixels.read(window, level: level, into: scratch)
        pick(from: scratch, window, 1 / Double(1 << level), lattice)
        return true
    }

    /// Takes the pixel under the middle of each tile pixel.
    private func pick(
        from source: UnsafePointer<Float>, _ window: PixelWindow, _ factor: Double, _ lattice: Lattice
    ) {
        let (side, cells) = (Self.side, Self.cells)
        let step = side / cells
        values.withUnsafeMutableBufferPointer { values in
            for row in 0..<side {
                let (cellRow, v) = (row / step, (Double(row % step) + 0.5) / Double(step))
                for cellColumn in 0..<cells {
                    let at = cellRow * (cells + 1) + cellColumn
                    let below = at + cells + 1
                    let startX = lattice.x[at] + (lattice.x[below] - lattice.x[at]) * v
                    let endX = lattice.x[at + 1] + (lattice.x[below + 1] - lattice.x[at + 1]) * v
                    let startY = lattice.y[at] + (lattice.y[below] - lattice.y[at]) * v
                    let endY = lattice.y[at + 1] + (lattice.y[below + 1] - lattice.y[at + 1]) * v
                    for inside in 0..<step {
                        let u = (Double(inside) + 0.5) / Double(step)
                        let x = ((startX + (endX - startX) * u) * factor).rounded(.down) - Double(window.x)
                        let y = ((startY + (endY - startY) * u) * factor).rounded(.down) - Double(window.y)
                        let isInside =
                            x >= 0 && y >= 0 && x < Double(window.width) && y < Double(window.height)
                        values[row * side + cellColumn * step + inside] =
                            isInside ? source[Int(y) * window.width + Int(x)] : .nan
                    }
                }
            }
        }
    }

    // MARK: PNG

    private func png(_ palette: Palette) throws -> [UInt8] {
        sink.truncate()
        sink.append([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        let side: [UInt8] = [0, 0, 1, 0]
        PngChunk.append("IHDR", side + side + [8, 3, 0, 0, 0], to: sink)
        PngChunk.append("PLTE", palette.entries.flatMap { [$0.red, $0.green, $0.blue] }, to: sink)
        PngChunk.append("tRNS", [0], to: sink)
        PngChunk.append("IDAT", [0x78, 0x9C], to: sink)
        let strip = try indices.withUnsafeBufferPointer {
            try encoder.encode(
                $0.baseAddress!, stride: Self.side, columns: Self.side, rows: Self.side, into: sink)
        }
        var adler = Adler32()
        adler.append(strip.adler32, length: strip.rawLength)
        // 03 00: a last deflate block (fixed codes) that holds nothing.
        let sum = withUnsafeBytes(of: adler.value.bigEndian) { [UInt8]($0) }
        PngChunk.append("IDAT", [0x03, 0x00] + sum, to: sink)
        PngChunk.append("IEND", [], to: sink)
        return sink.array
    }
}
