import CGDAL
import Mosaic

/// The float pixels of a mosaic at full resolution and halved again and again. One thread at a time.
public protocol MosaicPixels: AnyObject {
    var grid: Grid { get }
    /// The last level that can be read; a pixel of level n is 2ⁿ of the grid wide.
    var deepestLevel: Int { get }
    /// Fills `target` (row by row, nothing between rows) with a window of a level, in pixels of that level;
    /// what has no value is NaN.
    ///
    /// - Throws: `RasterError` when the pixels cannot be read.
    func read(_ window: PixelWindow, level: Int, into target: UnsafeMutablePointer<Float>) throws
}

extension MosaicPixels {
    /// All pixels of a level.
    func window(ofLevel level: Int) -> PixelWindow {
        PixelWindow(
            x: 0, y: 0, width: max(1, (grid.columns + (1 << level) - 1) >> level),
            height: max(1, (grid.rows + (1 << level) - 1) >> level))
    }
}

/// A finished COG with its overviews, read with GDAL.
public final class CogPixels: MosaicPixels {
    public let grid: Grid
    private let dataset: Dataset
    /// Full resolution first.
    private let bands: [GDALRasterBandH]

    /// The coarsest overview.
    public var deepestLevel: Int { bands.count - 1 }

    /// - Parameter grid: of the job that made the file.
    /// - Throws: `RasterError` when the file is missing, or has other pixels than the grid.
    public init(path: String, grid: Grid) throws {
        dataset = try Dataset(opening: path)
        guard dataset.size == (grid.columns, grid.rows) else {
            throw RasterError(
                "\(path) has \(dataset.size.columns) × \(dataset.size.rows) pixels and its job "
                    + "\(grid.columns) × \(grid.rows); resume the job to write it again")
        }
        let band = try dataset.band(1)
        bands =
            [band]
            + (0..<GDALGetOverviewCount(band)).compactMap { GDALGetOverview(band, $0) }
        self.grid = grid
    }

    /// Fills `target` with a window of a level; what has no value is NaN.
    public func read(_ window: PixelWindow, level: Int, into target: UnsafeMutablePointer<Float>) throws {
        let band = bands[level]
        let (width, height) = (Int(GDALGetRasterBandXSize(band)), Int(GDALGetRasterBandYSize(band)))
        let whole = PixelWindow(x: 0, y: 0, width: width, height: height)
        precondition(whole.contains(window), "\(window) of \(width) × \(height) pixels")
        let outcome = GDALRuntime.capturing {
            GDALRasterIO(
                band, GF_Read, Int32(window.x), Int32(window.y), Int32(window.width), Int32(window.height),
                target, Int32(window.width), Int32(window.height), GDT_Float32, 0, 0)
        }
        guard outcome.value == CE_None else {
            throw RasterError(
                "cannot read \(dataset.address): \(outcome.message ?? "GDAL gave no reason"); resume the job "
                    + "to write it again")
        }
    }
}
