/// The JSON Schema of a written `MosaicRequest` (draft 2020-12).
///
/// Keys come from `MosaicRequest.CodingKeys` and choices from the enumerations; a test compares the two.
public enum RequestSchema {
    /// The schema as JSON text.
    public static var text: String {
        let properties = MosaicRequest.CodingKeys.allCases.map { key in
            "    \"\(key.rawValue)\": \(property(key))"
        }
        return """
            {
              "$schema": "https://json-schema.org/draft/2020-12/schema",
              "title": "Arbutus mosaic request",
              "type": "object",
              "additionalProperties": false,
              "properties": {
            \(properties.joined(separator: ",\n"))
              }
            }
            """
    }

    private static func property(_ key: MosaicRequest.CodingKeys) -> String {
        switch key {
        case .title:
            #"{"type": ["string", "null"], "maxLength": 200}"#
        case .indices:
            """
            {"type": "array", "items": {"type": "string"}, "maxItems": \(SpectralIndex.maximumCount), \
            "description": "Built-in indices in output order; ndvi when nothing is asked for", \
            "examples": [\(words(SpectralIndex.builtInNames))]}
            """
        case .expressions:
            """
            {"type": "array", "items": {"type": "object", "additionalProperties": false, \
            "required": ["name", "formula"], "properties": {"name": {"type": "string", \
            "pattern": "^[a-z0-9_-]{1,\(SpectralIndex.maximumNameLength)}$"}, \
            "formula": {"type": "string", "maxLength": \(Expression.maximumLength)}}}}
            """
        case .scenes:
            #"{"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": true}"#
        case .bands:
            """
            {"type": "object", "propertyNames": {"enum": [\(words(BandName.common))]}, \
            "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 65535}}
            """
        case .area:
            """
            {"type": ["array", "null"], "items": {"type": "number"}, "minItems": 4, "maxItems": 4, \
            "description": "[west, south, east, north] in degrees; west > east crosses 180 degrees"}
            """
        case .clip:
            #"{"type": ["string", "null"], "description": "Path of a GeoJSON file"}"#
        case .select: choice(SelectionRule.self)
        case .mask:
            """
            {"anyOf": [{"enum": ["auto", "none"]}, {"type": "array", "minItems": 1, "uniqueItems": true, \
            "items": {"type": "integer", "minimum": 0, "maximum": \(CloudMask.namableClasses.upperBound)}}, \
            {"type": "string", "pattern": "^[0-9]+(, *[0-9]+)*$"}]}
            """
        case .maskBuffer:
            #"{"type": "number", "minimum": 0, "maximum": 10000, "description": "Metres"}"#
        case .offset:
            #"{"type": ["number", "null"], "minimum": -65535, "maximum": 65535, "description": "DN"}"#
        case .clamp: choice(ClampRule.self)
        case .resampling: choice(Resampling.self)
        case .crs:
            #"{"type": ["string", "null"], "description": "EPSG:… or WKT"}"#
        case .resolution:
            #"{"type": ["number", "null"], "exclusiveMinimum": 0, "description": "CRS units"}"#
        case .colormap: choice(Colormap.self)
        case .range:
            """
            {"type": ["array", "null"], "items": {"type": "number"}, "minItems": 2, "maxItems": 2, \
            "description": "[low, high]; required for expressions and for select count"}
            """
        case .png, .overlay, .provenance: #"{"type": "boolean"}"#
        case .onError: choice(ErrorRule.self)
        }
    }

    private static func choice<Choice>(_ type: Choice.Type) -> String
    where Choice: RawRepresentable<String> & CaseIterable {
        #"{"enum": [\#(words(Choice.allCases.map(\.rawValue)))]}"#
    }

    private static func words(_ list: [String]) -> String {
        list.map { "\"\($0)\"" }.joined(separator: ", ")
    }
}
