import CKernels
import Mosaic

/// Renders a plan's first index straight to palette indices, in strips of rows: pictures that need no blobs.
/// One thread at a time.
public final class PaletteRenderer {
    private let plan: MosaicPlan
    private let blocks: BlockRenderer

    /// - Throws: `RasterError` when the plan's clip cannot be read.
    public init(plan: MosaicPlan, cache: BlockCache) throws {
        self.plan = plan
        blocks = try BlockRenderer(plan: plan, cache: cache)
    }

    /// Fills strip `number` (512 rows, fewer at the end) of the plan's grid.
    ///
    /// - Parameter target: rows × columns of the strip.
    /// - Throws: `RasterError` when a source cannot be read.
    public func strip(_ number: Int, into target: UnsafeMutablePointer<UInt8>) throws {
        let edge = MosaicPlan.blockEdge
        let grid = plan.grid
        let rows = min(edge, grid.rows - number * edge)
        let range = plan.indices[0].range
        for x in stride(from: 0, to: grid.columns, by: edge) {
            let window = PixelWindow(x: x, y: number * edge, width: min(edge, grid.columns - x), height: rows)
            let picture = blocks.render(window, scenes: Array(plan.scenes.indices))
            defer { picture.giveBack() }
            if let failure = picture.failures.first { throw RasterError(failure) }
            arb_quantise(
                picture.planes[0].values, window.width, window.width, rows, Float(range.low),
                Float(range.high),
                target + x, grid.columns)
        }
    }
}
