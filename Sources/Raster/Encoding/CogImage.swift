import Mosaic

/// What a COG says about itself besides its pixels.
public struct CogImage: Sendable {
    /// CRS, place and size of the full resolution.
    public var grid: Grid
    /// The band's description: `ndvi`.
    public var bandName: String
    /// Metadata of the file, in the order in which it is written. Never a time, a node, a host or a path:
    /// equal mosaics are equal bytes.
    public var items: [(key: String, value: String)]
    /// Statistics of all valid pixels; nil to leave them out.
    public var statistics: PixelStatistics?

    public init(
        grid: Grid, bandName: String, items: [(key: String, value: String)] = [],
        statistics: PixelStatistics? = nil
    ) {
        self.grid = grid
        self.bandName = bandName
        self.items = items
        self.statistics = statistics
    }

    /// The GDAL_METADATA tag (42112): GDAL escapes each value twice, once as text and once as XML, and undoes
    /// both; so do we.
    var metadataXML: String {
        var xml = "<GDALMetadata>\n"
        for (key, value) in items {
            xml += "  <Item name=\"\(XML.escaped(key))\">\(XML.escaped(XML.escaped(value)))</Item>\n"
        }
        for (key, value) in statisticsItems {
            xml += "  <Item name=\"\(key)\" sample=\"0\">\(value)</Item>\n"
        }
        let name = XML.escaped(XML.escaped(bandName))
        xml += "  <Item name=\"DESCRIPTION\" sample=\"0\" role=\"description\">\(name)</Item>\n"
        return xml + "</GDALMetadata>\n"
    }

    /// GDAL's names for band statistics, in the order in which GDAL writes them.
    private var statisticsItems: [(String, String)] {
        guard let statistics, statistics.count > 0 else { return [] }
        let share = 100 * Double(statistics.count) / Double(grid.columns * grid.rows)
        return [
            ("STATISTICS_MAXIMUM", "\(statistics.maximum)"), ("STATISTICS_MEAN", "\(statistics.mean)"),
            ("STATISTICS_MINIMUM", "\(statistics.minimum)"),
            ("STATISTICS_STDDEV", "\(statistics.standardDeviation)"),
            ("STATISTICS_VALID_PERCENT", "\((share * 100).rounded() / 100)"),
        ]
    }
}

/// Text for XML 1.0: what a file or a user wrote cannot end an element or an attribute.
enum XML {
    /// `text` with the five markup characters as entities and without the characters that XML cannot hold.
    static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&apos;"
            case "\t", "\n", "\r": out.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || (0xFFFE...0xFFFF).contains(scalar.value): continue
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
