extension String {
    /// Text from a file or a user, fit for one line of a message: control characters shown as `?`, at most
    /// 300 characters.
    public var onOneLine: String {
        let shown = unicodeScalars.prefix(301).map { scalar -> Character in
            scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                || scalar.properties.generalCategory == .lineSeparator
                || scalar.properties.generalCategory == .paragraphSeparator ? "?" : Character(scalar)
        }
        return shown.count > 300 ? String(shown.prefix(299)) + "…" : String(shown)
    }

    /// GDAL's message as the reason in a sentence of ours: on one line, without its full stop, and the two
    /// that every user meets in plain words.
    var asReason: String {
        if contains("not recognized as a supported file format") { return "not a raster that GDAL can read" }
        if contains("does not exist in the file system") { return "no such file" }
        let line = onOneLine
        return line.hasSuffix(".") ? String(line.dropLast()) : line
    }

    /// GDAL's message as a reason in a sentence that names `address` already: without the address in front,
    /// which GDAL and libtiff write up to three times.
    func asReason(about address: String) -> String {
        var rest = self[...]
        while rest.hasPrefix(address), rest.dropFirst(address.count).hasPrefix(":") {
            rest = rest.dropFirst(address.count + 1).drop { $0 == " " }
        }
        return String(rest).asReason
    }

    /// Text on one line between quotation marks.
    public var quoted: String { "'\(onOneLine)'" }
}
