import CGDAL

/// An element of a product's XML: names without namespace prefix, attributes, text and children in order.
///
/// GDAL's small parser reads it; entities other than the five of XML are never expanded and nothing outside
/// the text is fetched.
public struct MetadataElement: Hashable, Sendable {
    public var name: String
    public var attributes: [String: String] = [:]
    /// The element's own text, without white space around it.
    public var text = ""
    public var children: [MetadataElement] = []

    /// The most bytes that product metadata may have.
    public static let sizeLimit = 64 << 20
    private static let depthLimit = 64

    /// Reads and parses a file of at most `sizeLimit` bytes.
    ///
    /// - Throws: `RasterError` when the file cannot be read or is no XML.
    public init(reading path: String) throws {
        try self.init(parsing: try VirtualFile.read(path, limit: Self.sizeLimit), called: path)
    }

    /// Parses XML text; `name` is for error messages.
    ///
    /// - Throws: `RasterError` when it is no XML, or nested deeper than 64 elements.
    public init(parsing bytes: [UInt8], called name: String) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        let parsed = GDALRuntime.capturing { CPLParseXMLString(text) }
        guard let tree = parsed.value else {
            throw RasterError(
                "cannot read \(name.onOneLine): no XML (\((parsed.message ?? "empty").asReason)); restore "
                    + "the file")
        }
        defer { CPLDestroyXMLNode(tree) }
        var node: UnsafeMutablePointer<CPLXMLNode>? = tree
        while let current = node {
            let value = String(cString: current.pointee.pszValue)
            if current.pointee.eType == CXT_Element, !value.hasPrefix("?") {
                try self.init(current, depth: 0, called: name)
                return
            }
            node = current.pointee.psNext
        }
        throw RasterError("cannot read \(name.onOneLine): the XML has no element; restore the file")
    }

    private init(_ node: UnsafeMutablePointer<CPLXMLNode>, depth: Int, called file: String) throws {
        guard depth < Self.depthLimit else {
            throw RasterError(
                "cannot read \(file.onOneLine): XML nested deeper than \(Self.depthLimit); restore the file")
        }
        name = Self.localName(node.pointee.pszValue)
        var child = node.pointee.psChild
        while let current = child {
            switch current.pointee.eType {
            case CXT_Element: children.append(try Self(current, depth: depth + 1, called: file))
            case CXT_Text: text += String(cString: current.pointee.pszValue)
            case CXT_Attribute:
                let value = current.pointee.psChild.map { String(cString: $0.pointee.pszValue) } ?? ""
                attributes[Self.localName(current.pointee.pszValue)] = value
            default: break
            }
            child = current.pointee.psNext
        }
        text = text.trimmed
    }

    private static func localName(_ raw: UnsafePointer<CChar>) -> String {
        let full = String(cString: raw)
        return full.split(separator: ":").last.map { String($0) } ?? full
    }

    /// All elements of that name below this one, in document order.
    public func all(_ name: String) -> [MetadataElement] {
        children.flatMap { ($0.name == name ? [$0] : []) + $0.all(name) }
    }

    /// The first element below this one that has one of the names, tried in order.
    public func first(_ names: String...) -> MetadataElement? {
        for name in names {
            if let found = all(name).first { return found }
        }
        return nil
    }
}
