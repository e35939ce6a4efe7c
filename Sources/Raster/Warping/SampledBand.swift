import CKernels
import Mosaic

/// A band as the warp samples it: itself, or its means over cells of `factor` × `factor` pixels when the
/// job's pixels are that much coarser (RASTER.md: 10 m → 20 m average).
///
/// The cells begin on the job's lattice where the band's lattice allows, so that a plain 2 × 2 mean comes out
/// exact.
struct SampledBand: Sendable {
    let band: Band
    let factor: Int
    /// The lattice of the cells; equal to the band's grid when `factor` is 1.
    let grid: Grid
    /// Where the first cell begins in the band's pixels, 0 or negative.
    private let startX: Int
    private let startY: Int

    /// - Parameter ratio: job pixel ÷ band pixel, the smaller of the two directions.
    init(_ band: Band, ratio: Double, job: Grid, resampling: Resampling) {
        self.band = band
        let factor = resampling == .nearest ? 1 : max(1, Int((ratio + 0.05).rounded(.down)))
        self.factor = factor
        let own = band.grid
        let phaseX = Self.phase((job.originX - own.originX) / own.pixelWidth, factor, job.crs == own.crs)
        let phaseY = Self.phase((own.originY - job.originY) / own.pixelHeight, factor, job.crs == own.crs)
        startX = phaseX == 0 ? 0 : phaseX - factor
        startY = phaseY == 0 ? 0 : phaseY - factor
        grid = Grid(
            crs: own.crs, originX: own.originX + Double(startX) * own.pixelWidth,
            originY: own.originY - Double(startY) * own.pixelHeight,
            pixelWidth: own.pixelWidth * Double(factor),
            pixelHeight: own.pixelHeight * Double(factor),
            columns: (own.columns - startX + factor - 1) / factor,
            rows: (own.rows - startY + factor - 1) / factor)
    }

    private static func phase(_ offset: Double, _ factor: Int, _ sameCRS: Bool) -> Int {
        let whole = offset.rounded()
        guard factor > 1, sameCRS, abs(offset) < 1e12, abs(offset - whole) < 1e-3 else { return 0 }
        let rest = Int(whole) % factor
        return rest < 0 ? rest + factor : rest
    }

    /// Reads cells of `window` (inside `grid`) as float32 DN, NaN without data; rows are `stride` floats
    /// apart.
    func read(
        _ window: PixelWindow, into target: UnsafeMutablePointer<Float>, stride: Int,
        from reader: SourceReader,
        scratch: Scratch
    ) throws {
        guard factor > 1 else { return try reader.read(band, window, into: target, stride: stride) }
        let rowsAtOnce = max(1, (1 << 21) / max(1, window.width * factor * factor))
        for first in Swift.stride(from: 0, to: window.height, by: rowsAtOnce) {
            let rows = min(rowsAtOnce, window.height - first)
            let wanted = PixelWindow(
                x: window.x * factor + startX, y: (window.y + first) * factor + startY,
                width: window.width * factor,
                height: rows * factor)
            let held = wanted.intersection(band.grid.window)
            let pixels = scratch.floats(.reduction, atLeast: held.count)
            try reader.read(band, held, into: pixels, stride: held.width)
            arb_reduce(
                pixels, held.width, Int32(held.width), Int32(held.height), Int32(wanted.x - held.x),
                Int32(wanted.y - held.y), Int32(factor), target + first * stride, stride, Int32(window.width),
                Int32(rows))
        }
    }

}
