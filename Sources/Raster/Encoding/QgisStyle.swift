import Mosaic

/// The `.qml` beside a COG: QGIS 3 opens the file with the same colours as the PNG, between the same values.
public enum QgisStyle {
    /// A style that draws band 1 in pseudocolour: the palette's anchors spread over `range`, linear between
    /// them, values outside shown as the nearest end, nodata transparent.
    public static func xml(palette: Palette, range: ValueRange) -> String {
        let stops = palette.anchors.map { anchor in
            (value: value(at: Palette.position(ofEntry: anchor.entry), in: range), colour: anchor.colour)
        }
        let items = stops.map { stop in
            let label = XML.escaped(shortLabel(stop.value))
            let colour = hex(stop.colour)
            return
                "          <item value=\"\(stop.value)\" label=\"\(label)\" color=\"\(colour)\" "
                + "alpha=\"255\"/>"
        }
        let (low, high) = (range.low, range.high)
        return """
            <!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
            <qgis version="3.22.0" hasScaleBasedVisibilityFlag="0" styleCategories="Symbology">
              <pipe>
                <rasterrenderer type="singlebandpseudocolor" band="1" opacity="1" alphaBand="-1" \
            nodataColor="" classificationMin="\(low)" classificationMax="\(high)">
                  <rasterTransparency/>
                  <minMaxOrigin>
                    <limits>None</limits>
                    <extent>WholeRaster</extent>
                    <statAccuracy>Estimated</statAccuracy>
                  </minMaxOrigin>
                  <rastershader>
                    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" \
            minimumValue="\(low)" maximumValue="\(high)" labelPrecision="4">
            \(items.joined(separator: "\n"))
                    </colorrampshader>
                  </rastershader>
                </rasterrenderer>
                <brightnesscontrast brightness="0" contrast="0" gamma="1"/>
                <huesaturation saturation="0" grayscaleMode="0" colorizeOn="0"/>
                <rasterresampler maxOversampling="2"/>
              </pipe>
              <blendMode>0</blendMode>
            </qgis>

            """
    }

    private static func value(at position: Double, in range: ValueRange) -> Double {
        if position == 1 { return range.high }
        return range.low + position * (range.high - range.low)
    }

    /// Four decimals at most, for the legend.
    private static func shortLabel(_ value: Double) -> String {
        guard abs(value) < 1e12 else { return "\(value)" }
        return WorldFile.decimal((value * 10_000).rounded() / 10_000)
    }

    private static func hex(_ colour: RGB) -> String {
        "#"
            + [colour.red, colour.green, colour.blue].map { channel in
                let digits = String(channel, radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
    }
}
