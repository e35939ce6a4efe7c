import CGDAL
import Mosaic

/// A band read coarsely: a look at the whole of it for the price of an overview.
public struct BandSample: Sendable {
    public let columns: Int
    public let rows: Int
    /// rows × columns, row by row, as stored (no scale, no offset).
    public let values: [Double]
}

extension Dataset {
    /// Reads every n-th pixel of a band, from overviews where there are any, so that no side exceeds `side`.
    ///
    /// - Throws: `RasterError` with GDAL's reason when the samples cannot be read.
    public func sample(band number: Int, side: Int = 256) throws -> BandSample {
        let band = try band(number)
        let (width, height) = size
        let step = max(1, Double(max(width, height)) / Double(side))
        let columns = max(1, Int(Double(width) / step))
        let rows = max(1, Int(Double(height) / step))
        var values = [Double](repeating: 0, count: columns * rows)
        let read = GDALRuntime.capturing {
            GDALRasterIOEx(
                band, GF_Read, 0, 0, Int32(width), Int32(height), &values, Int32(columns), Int32(rows),
                GDT_Float64,
                0, 0, nil)
        }
        guard read.value == CE_None else {
            throw RasterError(
                "cannot read \(shownAddress), band \(number): "
                    + "\((read.message ?? "GDAL gave no reason").asReason); restore the file or drop it "
                    + "from the job")
        }
        return BandSample(columns: columns, rows: rows, values: values)
    }
}
