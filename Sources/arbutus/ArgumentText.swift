import Mosaic

/// The values of options as text, turned into numbers and pairs.
enum ArgumentText {
    /// `-123,49,-122,50` as so many finite numbers.
    ///
    /// - Throws: `RequestError` that names the option and its form.
    static func numbers(_ text: String, option: String, form: String) throws -> [Double] {
        let count = form.split(separator: ",").count
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { number($0) }
        guard parts.count == count, numbers.count == count else {
            throw RequestError(
                "\(option) \(RequestError.quoted(text)) is not understood; it takes "
                    + "\(spelled(count)) numbers: \(form)")
        }
        return numbers
    }

    /// One finite number.
    static func number(_ text: String, option: String, unit: String) throws -> Double {
        guard let value = number(text[...]) else {
            throw RequestError("\(option) \(RequestError.quoted(text)) is not a number of \(unit)")
        }
        return value
    }

    /// `red=1,nir=2` as band numbers by common name.
    static func bands(_ text: String) throws -> [String: Int] {
        var bands: [String: Int] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false).map(trimmed)
            guard sides.count == 2, let number = Int(sides[1]) else {
                throw RequestError(
                    "--bands \(RequestError.quoted(part)) is not understood; write NAME=NUMBER with commas "
                        + "between, for example red=1,nir=2")
            }
            let name = sides[0].lowercased()
            guard bands.updateValue(number, forKey: name) == nil else {
                throw RequestError("--bands names \(RequestError.quoted(name)) twice; name each band once")
            }
        }
        return bands
    }

    /// `NAME=EXPR` at its first equals sign.
    static func expression(_ text: String) throws -> NamedExpression {
        guard let mark = text.firstIndex(of: "=") else {
            throw RequestError(
                "--expression \(RequestError.quoted(text)) has no name; write NAME=EXPR, for example "
                    + "ratio=nir/red")
        }
        return NamedExpression(
            name: trimmed(text[..<mark]), formula: trimmed(text[text.index(after: mark)...]))
    }

    private static func number(_ text: Substring) -> Double? {
        guard let value = Double(trimmed(text)), value.isFinite else { return nil }
        return value
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    private static func spelled(_ count: Int) -> String { count == 4 ? "four" : "two" }
}
