/// An index that a mosaic shows: its formula, and how its values become colours (RASTER.md, Indices).
public struct SpectralIndex: Codable, Hashable, Sendable {
    /// Also the name of its files: lower-case letters, digits, `_` and `-`, at most 40 characters.
    public let name: String
    /// For people: `Normalised difference vegetation index`.
    public let title: String
    public let formula: IndexFormula
    /// The formula as written, over common band names for the built-in indices.
    public let formulaText: String
    /// The values shown as the first and the last colour.
    public let range: ValueRange
    public let colormap: Colormap
    /// Whether SCL class 11 (snow) may be masked; false for NDSI, which looks for snow.
    public let canMaskSnow: Bool

    /// Common names of the bands that the index needs, sorted.
    public var bands: [String] { formula.bands }

    /// A job makes at most this many indices.
    public static let maximumCount = 64
    /// The longest name, in characters.
    public static let maximumNameLength = 40
}

extension SpectralIndex {
    private struct Definition {
        let name: String
        let title: String
        let formula: String
    }

    /// EVI: Huete et al. 2002, Remote Sens. Environ. 83, 195-213. SAVI: Huete 1988, vol. 25, 295-309.
    private static let definitions = [
        Definition(
            name: "ndvi", title: "Normalised difference vegetation index",
            formula: "(nir - red) / (nir + red)"),
        Definition(
            name: "ndsi", title: "Normalised difference snow index",
            formula: "(green - swir16) / (green + swir16)"),
        Definition(
            name: "ndwi", title: "Normalised difference water index",
            formula: "(green - nir) / (green + nir)"),
        Definition(
            name: "ndmi", title: "Normalised difference moisture index",
            formula: "(nir - swir16) / (nir + swir16)"),
        Definition(
            name: "nbr", title: "Normalised burn ratio",
            formula: "(nir - swir22) / (nir + swir22)"),
        Definition(
            name: "evi", title: "Enhanced vegetation index",
            formula: "2.5 * (nir - red) / (nir + 6 * red - 7.5 * blue + 1)"),
        Definition(
            name: "savi", title: "Soil-adjusted vegetation index",
            formula: "1.5 * (nir - red) / (nir + red + 0.5)"),
    ]

    /// Names that outputs of every job use: an expression must not be named so.
    private static let reservedNames = ["mosaic", "provenance"]

    /// Names of the indices that `--index` knows.
    public static let builtInNames = definitions.map(\.name)

    /// The indices of a request, built-in ones first, in the order asked for; NDVI when it names none.
    ///
    /// A range given by the request holds for all of them.
    ///
    /// - Throws: `RequestError` for an unknown or repeated name, a name unfit for a file, a formula that
    ///   cannot be read, or a missing range (expressions and `count` have no natural one).
    public static func resolve(_ request: MosaicRequest) throws -> [SpectralIndex] {
        let total = request.indices.count + request.expressions.count
        guard total <= maximumCount else {
            throw RequestError("\(total) indices are too many for a job; ask for at most \(maximumCount)")
        }
        let names = total == 0 ? ["ndvi"] : request.indices
        var found = try names.map { try builtIn($0, request) }
        found += try request.expressions.map { try own($0, request) }
        var seen: Set<String> = []
        for index in found where !seen.insert(index.name).inserted {
            throw RequestError("index \(index.name) is asked for twice; name it once")
        }
        if request.select == .count, request.range == nil {
            throw RequestError(
                "--select count needs --range LO,HI: a count of scenes has no natural range of colours")
        }
        return found
    }

    private static func builtIn(_ name: String, _ request: MosaicRequest) throws -> SpectralIndex {
        let lower = name.lowercased()
        guard let definition = definitions.first(where: { $0.name == lower }) else {
            throw RequestError(
                "no index is named \(RequestError.quoted(name)); there are "
                    + builtInNames.joined(separator: ", ") + ", or write your own: --expression NAME=EXPR")
        }
        let isSnow = definition.name == "ndsi"
        return SpectralIndex(
            name: definition.name, title: definition.title,
            formula: try Expression.parse(definition.formula), formulaText: definition.formula,
            range: request.range ?? ValueRange(low: -1, high: 1),
            colormap: request.colormap ?? (isSnow ? .blues : .rdylgn), canMaskSnow: !isSnow)
    }

    private static func own(_ expression: NamedExpression, _ request: MosaicRequest) throws -> SpectralIndex {
        let name = expression.name
        guard isFileName(name) else {
            throw RequestError(
                "expression name \(RequestError.quoted(name)) cannot name a file; use 1 to "
                    + "\(maximumNameLength) of a-z, 0-9, _ and -")
        }
        guard !builtInNames.contains(name), !reservedNames.contains(name) else {
            throw RequestError(
                "expression name \(name) is taken by arbutus itself; choose another, for example my-\(name)")
        }
        let formula = try Expression.parse(expression.formula)
        guard let range = request.range else {
            throw RequestError(
                "expression \(name) needs --range LO,HI: the values shown as the first and the last colour")
        }
        return SpectralIndex(
            name: name, title: name, formula: formula, formulaText: expression.formula, range: range,
            colormap: request.colormap ?? .rdylgn, canMaskSnow: true)
    }

    private static func isFileName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= maximumNameLength
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                case UInt8(ascii: "_"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }
}
