/// The land that every granule of a sample shows: relief, rivers, lakes, soils and what grows, as functions
/// of a position. Positions are in units of 10 m, counted from the first granule's corner and always
/// positive.
///
/// The large forms scale with the granule, so that one of 128 px and one of 10980 px both hold mountains, a
/// plain and a river; fields, roads and the texture keep their real size.
struct Landscape: Sendable {
    /// Where the first granule's corner lies, so that no position is negative.
    static let origin = 16_384.0

    let size: Double
    let seed: UInt32

    init(size: Int, seed: UInt32) {
        self.size = Double(size)
        self.seed = Noise.hash(0x5EED, 1, seed)
    }

    /// The slowly varying part of the land at one position; between positions it is interpolated.
    struct Relief {
        /// 0 at the rivers to about 1 at the highest peaks.
        var elevation: Float
        /// Signed river fields: zero along the bed. Divided by their slope they are distances in pixels.
        var river: Float
        var brook: Float
        /// Above zero in a lake.
        var lake: Float
        /// Dry to moist, about −1 to 1.
        var moisture: Float
        /// Above zero in a town.
        var town: Float
    }

    /// Mountains rise away from the river, so that it runs in a valley and plains lie beside it; brooks run
    /// down to it from both sides.
    func relief(_ x: Double, _ y: Double) -> Relief {
        let bendX = bend(x, y, 10)
        let bendY = bend(x, y, 30)
        let wx = x + Double(bendX) * size * 0.11
        let wy = y + Double(bendY) * size * 0.11
        let river = Float((wy - Self.origin) / size - 0.62) + sway(x, y) + 0.05 * bendX
        let brook = wave((wx - Self.origin) / (size * 0.36) + 0.6 * Double(bendX) + 40)
        let massif = Noise.step(
            -0.25, 0.25,
            Noise.fractal(x, y, wavelength: size * 0.8, finest: size * 0.4, gain: 0.5, seed: seed &+ 90))
        let away = Noise.step(0.06, 0.50, abs(river) * (0.6 + 0.4 * massif))
        let hills = Noise.fractal(wx, wy, wavelength: size * 0.2, finest: 8, gain: 0.5, seed: seed &+ 110)
        let crests = Noise.ridges(wx, wy, wavelength: size * 0.3, finest: 8, seed: seed &+ 130)
        let valley = min(1, abs(brook) * 1.6)
        let mountains = away * (0.25 + 0.75 * massif) * (0.15 + crests) * (0.72 + 0.28 * valley)
        let elevation = 0.04 + 0.07 * away * (1 + hills) + 1.05 * mountains
        return Relief(
            elevation: elevation, river: river, brook: brook,
            lake: Noise.fractal(x, y, wavelength: size * 0.15, finest: 8, gain: 0.42, seed: seed &+ 150)
                - 0.47
                - 3 * max(0, elevation - 0.12),
            moisture: Noise.fractal(x, y, wavelength: size * 0.2, finest: 8, gain: 0.6, seed: seed &+ 170),
            town: Noise.fractal(x, y, wavelength: 260, finest: 12, gain: 0.6, seed: seed &+ 190) - 0.60)
    }

    /// Draws straight lines out of their way, so that valleys wind.
    private func bend(_ x: Double, _ y: Double, _ number: UInt32) -> Float {
        Noise.fractal(
            x, y, wavelength: size * 0.40, finest: size * 0.03, gain: 0.5, seed: seed &+ number)
    }

    private func sway(_ x: Double, _ y: Double) -> Float {
        0.5 * Noise.fractal(x, y, wavelength: size * 0.85, finest: size * 0.4, gain: 0.3, seed: seed &+ 50)
    }

    /// A smooth wave of period 2 between −1 and 1, zero at whole numbers: two parabolas. `t` is positive.
    private func wave(_ t: Double) -> Float {
        let u = Float(t - 2 * (t / 2).rounded(.down)) - 1
        return 4 * u * (1 - abs(u))
    }
}
