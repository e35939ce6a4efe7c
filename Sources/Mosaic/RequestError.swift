/// A request that cannot be carried out, as a sentence: what is wrong, which part, what to do.
public struct RequestError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }

    /// Text from a user or a file, fit to stand in a sentence: quoted, cut after 60 characters, and with
    /// every control character replaced, so that it can neither forge lines nor move a terminal's cursor.
    public static func quoted(_ text: some StringProtocol) -> String {
        let shown = text.prefix(60).map { $0.isPrintable ? $0 : "?" }
        return "\"" + String(shown) + (shown.count < text.count ? "…" : "") + "\""
    }

    /// A number as a person writes it: `-1000`, `0.5`.
    static func shown(_ number: Double) -> String {
        number.magnitude < 1e15 && number == number.rounded() ? "\(Int(number))" : "\(number)"
    }
}

extension Character {
    /// Whether the character only shows itself: no control (C0, C1, DEL), no change of the writing direction.
    var isPrintable: Bool {
        !unicodeScalars.contains { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
            default: false
            }
        }
    }
}
