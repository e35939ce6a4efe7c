/// Places on a Hilbert curve, so that tasks that follow each other lie beside each other and share source
/// blocks.
///
/// The mapping is the classic one by quadrant rotation (Hilbert 1891; J. K. Lawder, "Calculation of mappings
/// between one and n-dimensional values using the Hilbert space-filling curve", 2000).
enum HilbertCurve {
    /// Distance along the curve that fills a square of `side` cells (a power of two) of the cell (`x`, `y`).
    static func distance(x: Int, y: Int, side: Int) -> Int {
        var (x, y, distance) = (x, y, 0)
        var half = side / 2
        while half > 0 {
            let right = x & half != 0
            let lower = y & half != 0
            distance += half * half * ((right ? 3 : 0) ^ (lower ? 1 : 0))
            if !lower {
                if right {
                    x = half - 1 - (x & (half - 1))
                    y = half - 1 - (y & (half - 1))
                }
                swap(&x, &y)
            }
            half /= 2
        }
        return distance
    }
}
