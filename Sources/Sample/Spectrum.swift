/// Surface reflectance in the six bands that a sample granule has, 0 to 1, in the order of
/// `SampleBand.spectral` (the last two lanes are unused).
typealias Spectrum = SIMD8<Float>

/// Reflectances of what covers the land in July, rounded from published Sentinel-2 spectra of such covers.
enum Cover {
    static let soil = make(0.075, 0.105, 0.145, 0.23, 0.31, 0.26)
    static let paleSoil = make(0.11, 0.145, 0.19, 0.27, 0.36, 0.31)
    static let ripeWheat = make(0.065, 0.105, 0.145, 0.29, 0.33, 0.22)
    static let maize = make(0.025, 0.062, 0.030, 0.43, 0.20, 0.09)
    static let meadow = make(0.036, 0.078, 0.050, 0.36, 0.23, 0.12)
    static let beet = make(0.030, 0.082, 0.036, 0.51, 0.21, 0.09)
    static let vineyard = make(0.050, 0.080, 0.078, 0.27, 0.27, 0.18)
    static let fallow = make(0.056, 0.088, 0.098, 0.26, 0.30, 0.21)
    static let broadleaf = make(0.019, 0.043, 0.023, 0.37, 0.17, 0.075)
    static let conifer = make(0.015, 0.029, 0.018, 0.22, 0.10, 0.045)
    static let alpineGrass = make(0.040, 0.074, 0.060, 0.31, 0.25, 0.15)
    static let rock = make(0.125, 0.142, 0.155, 0.19, 0.22, 0.20)
    static let gravel = make(0.155, 0.185, 0.205, 0.25, 0.30, 0.27)
    static let town = make(0.112, 0.125, 0.138, 0.21, 0.23, 0.20)
    static let road = make(0.105, 0.120, 0.128, 0.19, 0.22, 0.19)
    static let deepWater = make(0.034, 0.036, 0.018, 0.009, 0.005, 0.004)
    static let shallowWater = make(0.055, 0.072, 0.050, 0.020, 0.007, 0.005)
    static let snow = make(0.86, 0.87, 0.86, 0.78, 0.10, 0.075)
    static let cloud = make(0.66, 0.65, 0.65, 0.68, 0.44, 0.33)
    static let cirrus = make(0.36, 0.35, 0.35, 0.38, 0.24, 0.18)
    /// What sky light leaves in a cloud's shadow; the blue keeps most.
    static let shade = make(0.46, 0.42, 0.38, 0.34, 0.32, 0.30)
    /// The same on slopes turned from the sun.
    static let skyLight = make(0.40, 0.34, 0.30, 0.26, 0.24, 0.22)

    /// Crops of a plain's parcels; repeated ones are common.
    static let crops = [
        ripeWheat, maize, meadow, ripeWheat, beet, soil, maize, vineyard, meadow, maize, ripeWheat, meadow,
        paleSoil, maize, beet, fallow,
    ]

    private static func make(
        _ blue: Float, _ green: Float, _ red: Float, _ nir: Float, _ swir16: Float, _ swir22: Float
    ) -> Spectrum {
        Spectrum(blue, green, red, nir, swir16, swir22, 0, 0)
    }
}

extension Spectrum {
    /// This spectrum with a share `t` (0 to 1) of another.
    @inline(__always)
    func mixed(_ other: Spectrum, _ t: Float) -> Spectrum { self + (other - self) * t }

    /// The normalised difference of near infrared and red.
    @inline(__always)
    var ndvi: Float { (self[3] - self[2]) / (self[3] + self[2]) }
}
