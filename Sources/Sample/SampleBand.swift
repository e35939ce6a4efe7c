/// One band of a sample granule, by its Sentinel-2 name.
enum SampleBand: String, CaseIterable, Sendable {
    case b02 = "B02"
    case b03 = "B03"
    case b04 = "B04"
    case b08 = "B08"
    case b11 = "B11"
    case b12 = "B12"
    case scl = "SCL"

    /// The bands that hold reflectance, in the order of `Spectrum`'s lanes.
    static let spectral: [SampleBand] = [.b02, .b03, .b04, .b08, .b11, .b12]

    /// Width of a pixel in metres.
    var resolution: Int {
        switch self {
        case .b02, .b03, .b04, .b08: 10
        case .b11, .b12, .scl: 20
        }
    }

    /// Common name (STAC eo extension), with wavelengths in micrometres (Sentinel-2A).
    var description: (common: String, title: String, centre: Double, width: Double)? {
        switch self {
        case .b02: ("blue", "Blue (band 2) - 10m", 0.49, 0.098)
        case .b03: ("green", "Green (band 3) - 10m", 0.56, 0.045)
        case .b04: ("red", "Red (band 4) - 10m", 0.665, 0.038)
        case .b08: ("nir", "NIR 1 (band 8) - 10m", 0.842, 0.145)
        case .b11: ("swir16", "SWIR 1 (band 11) - 20m", 1.61, 0.143)
        case .b12: ("swir22", "SWIR 2 (band 12) - 20m", 2.19, 0.242)
        case .scl: nil
        }
    }

    /// `band_id` in a product's metadata: its place among all thirteen bands.
    var productID: Int? {
        switch self {
        case .b02: 1
        case .b03: 2
        case .b04: 3
        case .b08: 7
        case .b11: 11
        case .b12: 12
        case .scl: nil
        }
    }
}
