/// Which pixels of the Sentinel-2 scene classification (SCL) are hidden from an index (RASTER.md, Clouds).
public struct CloudMask: Codable, Hashable, Sendable {
    /// Nodata, saturated, shadow, cloud (medium and high probability), cirrus.
    public static let defaultClasses = [0, 1, 3, 8, 9, 10]
    /// The classes that mean something. Values from 12 on occur too, and every mask hides them.
    public static let knownClasses = 0...11
    /// The classes that a request may name; naming one from 12 on changes nothing.
    public static let namableClasses = 0...255
    /// What the classes 0 to 11 mean (Sentinel-2 Level-2A Algorithm Theoretical Basis Document, SCL).
    public static let classNames = [
        "nodata", "saturated", "dark", "shadow", "vegetation", "bare", "water", "unclassified", "cloud",
        "cloud", "cirrus", "snow",
    ]
    /// Snow or ice.
    public static let snow = 11

    /// 256 entries, one for each SCL value: 1 hides the pixel, 0 does not.
    public let table: [UInt8]

    /// The table of one index; nil when the request masks nothing, so that SCL need not be read.
    public init?(_ rule: MaskRule, for index: SpectralIndex) {
        let classes: [Int]
        switch rule {
        case .none: return nil
        case .automatic: classes = Self.defaultClasses
        case .classes(let given): classes = given
        }
        table = (0...255).map { value in
            if value == Self.snow, !index.canMaskSnow { return 0 }
            return classes.contains(value) || value > Self.knownClasses.upperBound ? 1 : 0
        }
    }

    /// Whether an SCL value hides its pixel.
    public func hides(_ value: UInt8) -> Bool { table[Int(value)] == 1 }
}
