/// The weather of one acquisition: cumulus fields with their shadows, and cirrus. A function of a position,
/// like `Landscape`, but different for each date.
struct Sky: Sendable {
    let size: Double
    let seed: UInt32
    /// Added to the field that becomes cloud: more is cloudier.
    let amount: Float

    /// The sun stands in the south-east, so shadows fall to the north-west (units of 10 m).
    static let shadowX = 46.0
    static let shadowY = 62.0

    init(size: Int, seed: UInt32, acquisition: Int) {
        self.size = Double(size)
        self.seed = Noise.hash(0xC10D, Int32(acquisition), seed)
        amount = [-0.02, 0.10, -0.06, 0.04][acquisition % 4]
    }

    struct Weather {
        /// Rises through 0 at a cloud's edge.
        var cloud: Float
        /// The cloud that stands between this position and the sun.
        var shading: Float
        var cirrus: Float
    }

    func weather(_ x: Double, _ y: Double) -> Weather {
        Weather(
            cloud: cumulus(x, y),
            shading: cumulus(x + Self.shadowX, y + Self.shadowY),
            cirrus: streaks(x, y))
    }

    private func cumulus(_ x: Double, _ y: Double) -> Float {
        let cluster = Noise.fractal(x, y, wavelength: size * 0.7, finest: size * 0.3, gain: 0.5, seed: seed)
        let puffs = Noise.fractal(
            x, y, wavelength: min(size * 0.14, 300), finest: 8, gain: 0.6, seed: seed &+ 20)
        return cluster * 1.1 + puffs * 0.75 - 0.50 + amount
    }

    /// Bands of ice cloud drawn out along the wind.
    private func streaks(_ x: Double, _ y: Double) -> Float {
        let along = x * 0.82 + y * 0.57
        let across = y * 0.82 - x * 0.57 + 2 * Landscape.origin
        let wide = Noise.fractal(
            x, y, wavelength: size * 0.8, finest: size * 0.4, gain: 0.5, seed: seed &+ 40)
        let fine = Noise.fractal(
            along / 5, across, wavelength: size * 0.11, finest: 10, gain: 0.6, seed: seed &+ 60)
        return wide * 1.2 + fine * 0.35 - 0.42
    }
}
