import CKernels

/// Sums over the valid (not NaN) pixels of a block, and of a mosaic when added up in block order: float64
/// addition is not associative, so the order is part of the result (RASTER.md, Arithmetic).
public struct PixelStatistics: Codable, Hashable, Sendable {
    /// Valid pixels. When 0, all other numbers are 0 too.
    public var count: Int
    public var minimum: Float
    public var maximum: Float
    public var sum: Double
    public var sumOfSquares: Double

    public static let none = PixelStatistics(count: 0, minimum: 0, maximum: 0, sum: 0, sumOfSquares: 0)

    public init(count: Int, minimum: Float, maximum: Float, sum: Double, sumOfSquares: Double) {
        self.count = count
        self.minimum = minimum
        self.maximum = maximum
        self.sum = sum
        self.sumOfSquares = sumOfSquares
    }

    /// Measures `rows` x `columns` pixels whose rows are `stride` pixels apart.
    public init(_ pixels: UnsafePointer<Float>, stride: Int, columns: Int, rows: Int) {
        var raw = arb_statistics()
        arb_statistics_of(pixels, stride, columns, rows, &raw)
        self.init(
            count: Int(raw.count), minimum: raw.minimum, maximum: raw.maximum, sum: raw.sum,
            sumOfSquares: raw.sum_of_squares)
    }

    /// Mean of the valid pixels; 0 when there is none.
    public var mean: Double { count == 0 ? 0 : sum / Double(count) }

    /// Population standard deviation, as GDAL computes it: √(Σv²/n − mean²); 0 when there is no valid pixel.
    public var standardDeviation: Double {
        guard count > 0 else { return 0 }
        return max(0, sumOfSquares / Double(count) - mean * mean).squareRoot()
    }

    public static func += (a: inout PixelStatistics, b: PixelStatistics) {
        guard b.count > 0 else { return }
        guard a.count > 0 else {
            a = b
            return
        }
        a.count += b.count
        a.minimum = min(a.minimum, b.minimum)
        a.maximum = max(a.maximum, b.maximum)
        a.sum += b.sum
        a.sumOfSquares += b.sumOfSquares
    }
}
