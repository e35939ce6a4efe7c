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

    /// The same between quotation marks.
    public var quoted: String { "'\(onOneLine)'" }
}
