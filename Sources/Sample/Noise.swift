/// Smooth randomness as a pure function of a position and a seed.
///
/// Everything is integer hashing and IEEE 754 additions, multiplications and divisions in a fixed order, so
/// the same arguments give the same bits on every machine; no function of the C mathematics library takes
/// part.
enum Noise {
    /// Mixes two lattice coordinates and a seed into 32 even bits (xor-shift and odd multipliers, in the
    /// manner of MurmurHash3's finaliser).
    @inline(__always)
    static func hash(_ x: Int32, _ y: Int32, _ seed: UInt32) -> UInt32 {
        var h = UInt32(bitPattern: x) &* 0x9E37_79B1
        h ^= UInt32(bitPattern: y) &* 0x85EB_CA77
        h ^= seed &* 0xC2B2_AE3D
        h ^= h >> 16
        h = h &* 0x85EB_CA6B
        h ^= h >> 13
        h = h &* 0xC2B2_AE35
        h ^= h >> 16
        return h
    }

    /// A number from 0 up to, but not including, 1 for a lattice point.
    @inline(__always)
    static func unit(_ x: Int32, _ y: Int32, _ seed: UInt32) -> Float {
        Float(hash(x, y, seed) >> 8) * (1 / 16_777_216)
    }

    /// Gradient noise (K. Perlin, "Improving Noise", 2002) with unnormalised hashed gradients: about −0.7 to
    /// 0.7, mean 0, features about one lattice unit wide. `x` and `y` are positive.
    @inline(__always)
    static func gradient(_ x: Double, _ y: Double, _ seed: UInt32) -> Float {
        let column = Int32(x)
        let row = Int32(y)
        let fx = Float(x - Double(column))
        let fy = Float(y - Double(row))
        let a = slope(column, row, seed, fx, fy)
        let b = slope(column &+ 1, row, seed, fx - 1, fy)
        let c = slope(column, row &+ 1, seed, fx, fy - 1)
        let d = slope(column &+ 1, row &+ 1, seed, fx - 1, fy - 1)
        let u = fx * fx * fx * (fx * (fx * 6 - 15) + 10)
        let v = fy * fy * fy * (fy * (fy * 6 - 15) + 10)
        let top = a + (b - a) * u
        let bottom = c + (d - c) * u
        return top + (bottom - top) * v
    }

    @inline(__always)
    private static func slope(_ x: Int32, _ y: Int32, _ seed: UInt32, _ dx: Float, _ dy: Float) -> Float {
        let h = hash(x, y, seed)
        let gx = Float(h & 0xFFFF) * (2.4 / 65535) - 1.2
        let gy = Float(h >> 16) * (2.4 / 65535) - 1.2
        return gx * dx + gy * dy
    }

    /// A sum of octaves, each with half the wavelength of the one before and `gain` times its height, down to
    /// `finest`; scaled so that the first octave has height 1. Lengths are in the units of `x` and `y`.
    static func fractal(
        _ x: Double, _ y: Double, wavelength: Double, finest: Double, gain: Float, seed: UInt32
    ) -> Float {
        var sum: Float = 0
        var height: Float = 1
        var length = wavelength
        var octave: UInt32 = 0
        while length >= finest && octave < 16 {
            sum += height * gradient(x / length, y / length, seed &+ octave)
            height *= gain
            length *= 0.5
            octave += 1
        }
        return sum
    }

    /// Octaves of folded noise, each weighted by the one above: sharp crests with branching spurs, 0 to about
    /// 1 (F. K. Musgrave's ridged multifractal, "Texturing and Modeling", ch. 16).
    static func ridges(
        _ x: Double, _ y: Double, wavelength: Double, finest: Double, seed: UInt32
    ) -> Float {
        var sum: Float = 0
        var height: Float = 0.5
        var weight: Float = 1
        var length = wavelength
        var octave: UInt32 = 0
        while length >= finest && octave < 16 {
            let crest = 1 - min(1, abs(gradient(x / length, y / length, seed &+ octave)) * 2.2)
            let signal = crest * crest * weight
            sum += signal * height
            weight = min(1, signal * 2.2)
            height *= 0.56
            length *= 0.5
            octave += 1
        }
        return sum
    }

    /// 0 below `low`, 1 above `high`, and a smooth rise between (Hermite).
    @inline(__always)
    static func step(_ low: Float, _ high: Float, _ x: Float) -> Float {
        let t = min(1, max(0, (x - low) / (high - low)))
        return t * t * (3 - 2 * t)
    }
}
