/// Band names per sensor, and the common names that scenes and expressions use.
///
/// Common names follow the STAC eo extension (v1.1, "Common Band Names"), as Earth Search writes them.
public enum BandName {
    /// All common names, in order of wavelength.
    public static let common = [
        "coastal", "blue", "green", "red", "rededge1", "rededge2", "rededge3", "nir", "nir08", "nir09",
        "cirrus", "swir16", "swir22",
    ]

    private static let sentinel2 = [
        "B01": "coastal", "B02": "blue", "B03": "green", "B04": "red", "B05": "rededge1", "B06": "rededge2",
        "B07": "rededge3", "B08": "nir", "B8A": "nir08", "B09": "nir09", "B10": "cirrus", "B11": "swir16",
        "B12": "swir22",
    ]

    /// Landsat 8/9 Collection 2 Level 2 (SR_B…), also with the bare names.
    private static let landsat = [
        "SR_B1": "coastal", "SR_B2": "blue", "SR_B3": "green", "SR_B4": "red", "SR_B5": "nir",
        "SR_B6": "swir16", "SR_B7": "swir22",
        "B1": "coastal", "B2": "blue", "B3": "green", "B4": "red", "B5": "nir", "B6": "swir16",
        "B7": "swir22",
    ]

    /// The common name for a sensor's own band name in any case, or for a common name itself; nil for
    /// anything else (SCL, AOT, WVP, TCI and angles are no spectral bands).
    public static func common(_ name: String, sensor: Scene.Sensor) -> String? {
        let lower = name.lowercased()
        if common.contains(lower) { return lower }
        let upper = name.uppercased()
        switch sensor {
        case .sentinel2: return sentinel2[upper] ?? sentinel2[padded(upper)]
        case .landsat: return landsat[upper]
        case .earthDaily, .plain: return nil
        }
    }

    /// `B2` → `B02`: some writers drop the zero.
    private static func padded(_ name: String) -> String {
        guard name.count == 2, name.hasPrefix("B") else { return name }
        return "B0" + name.dropFirst()
    }
}
