/// JSON whose form is another program's.
enum JSONValue: Codable, Equatable, Sendable {
    case none
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .none
        } else if case .success(let value) = Result(catching: { try container.decode(Bool.self) }) {
            self = .flag(value)
        } else if case .success(let value) = Result(catching: { try container.decode(Double.self) }) {
            self = .number(value)
        } else if case .success(let value) = Result(catching: { try container.decode(String.self) }) {
            self = .text(value)
        } else if case .success(let value) = Result(catching: { try container.decode([JSONValue].self) }) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .none: try container.encodeNil()
        case .flag(let value): try container.encode(value)
        case .number(let value):
            // A whole number stays one: 14 and not 14.0.
            if let whole = Int(exactly: value) {
                try container.encode(whole)
            } else {
                try container.encode(value)
            }
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// A field of an object.
    subscript(key: String) -> JSONValue? {
        guard case .object(let fields) = self else { return nil }
        return fields[key]
    }

    var text: String? { if case .text(let value) = self { value } else { nil } }
    var number: Double? { if case .number(let value) = self { value } else { nil } }
    var list: [JSONValue]? { if case .list(let value) = self { value } else { nil } }
    /// A list of numbers.
    var numbers: [Double]? { list.map { $0.compactMap(\.number) } }
}
