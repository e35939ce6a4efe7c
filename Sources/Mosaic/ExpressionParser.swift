/// Turns the text of a formula into the steps of an `IndexProgram`, by recursive descent:
///
///     sum     = product { ("+" | "-") product }
///     product = signed { ("*" | "/") signed }
///     signed  = "-" signed | "+" signed | primary
///     primary = number | band | function "(" sum { "," sum } ")" | "(" sum ")"
///
/// Steps are emitted in the order in which a stack machine needs them, so there is no tree in between.
struct ExpressionParser {
    private let text: String
    private let bytes: [UInt8]
    private var position = 0
    private var nesting = 0
    private var steps: [IndexOperation] = []
    /// Bands in the order of their first use; sorted at the end.
    private var bands: [String] = []

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    /// Reads the whole text.
    mutating func program() throws -> IndexProgram {
        try sum()
        guard peek() == nil else { throw unexpected("an operator (+ - * /) or the end") }
        guard !bands.isEmpty else {
            throw RequestError("expression \(RequestError.quoted(text)) uses no band; name at least one")
        }
        let sorted = bands.sorted()
        let places = bands.map { name in sorted.firstIndex { $0 == name } ?? 0 }
        let operations = steps.map { step in
            if case .band(let index) = step { IndexOperation.band(places[index]) } else { step }
        }
        let depth = stackDepth(operations)
        guard depth <= Expression.maximumDepth else { throw tooDeep() }
        return IndexProgram(bands: sorted, operations: operations, stackDepth: depth)
    }

    private mutating func sum() throws {
        try product()
        while let sign = peek(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            position += 1
            try product()
            steps.append(sign == UInt8(ascii: "+") ? .add : .subtract)
        }
    }

    private mutating func product() throws {
        try signed()
        while let sign = peek(), sign == UInt8(ascii: "*") || sign == UInt8(ascii: "/") {
            position += 1
            try signed()
            steps.append(sign == UInt8(ascii: "*") ? .multiply : .divide)
        }
    }

    private mutating func signed() throws {
        guard let sign = peek(), sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") else {
            return try primary()
        }
        position += 1
        try nested { try $0.signed() }
        guard sign == UInt8(ascii: "-") else { return }
        if case .constant(let number) = steps.last {
            steps[steps.count - 1] = .constant(-number)
        } else {
            steps.append(.negate)
        }
    }

    private mutating func primary() throws {
        guard let byte = peek() else { throw unexpected("a band, a number or (") }
        if byte == UInt8(ascii: "(") {
            position += 1
            try nested { try $0.sum() }
            try expect(")")
        } else if Self.isDigit(byte) || byte == UInt8(ascii: ".") {
            try number()
        } else if Self.isLetter(byte) {
            try name()
        } else {
            throw unexpected("a band, a number or (")
        }
    }

    private mutating func number() throws {
        let start = position
        skip(Self.isDigit)
        if current == UInt8(ascii: ".") {
            position += 1
            skip(Self.isDigit)
        }
        if let mark = current, mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") {
            position += 1
            if let sign = current, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            skip(Self.isDigit)
        }
        let digits = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Float(digits), value.isFinite else {
            throw failure("\(RequestError.quoted(digits)) is no number", at: start)
        }
        steps.append(.constant(value))
    }

    private mutating func name() throws {
        let start = position
        skip { Self.isLetter($0) || Self.isDigit($0) }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        if peek() == UInt8(ascii: "(") { return try call(word, at: start) }
        let band = try resolve(word, at: start)
        if let known = bands.firstIndex(of: band) {
            steps.append(.band(known))
        } else {
            steps.append(.band(bands.count))
            bands.append(band)
        }
    }

    private mutating func call(_ function: String, at start: Int) throws {
        let step: IndexOperation
        switch function.lowercased() {
        case "min": step = .minimum
        case "max": step = .maximum
        case "abs": step = .absolute
        case "sqrt": step = .squareRoot
        default:
            throw failure(
                "no function is named \(RequestError.quoted(function)); there are min, max, abs and sqrt",
                at: start)
        }
        position += 1
        try nested { try $0.sum() }
        for _ in 1..<max(step.operands, 1) {
            try expect(",")
            try nested { try $0.sum() }
        }
        try expect(")")
        steps.append(step)
    }

    /// The common name of a band. A name that sensors use for different bands is refused.
    private func resolve(_ word: String, at start: Int) throws -> String {
        let sensors: [Scene.Sensor] = [.sentinel2, .landsat]
        let meanings = Set(sensors.compactMap { BandName.common(word, sensor: $0) }).sorted()
        if meanings.count > 1 {
            throw failure(
                "band \(word) is \(meanings.joined(separator: " or ")), depending on the sensor; write the "
                    + "common name", at: start)
        }
        guard let band = meanings.first else {
            throw failure(
                "no band is named \(RequestError.quoted(word)); there are "
                    + BandName.common.joined(separator: ", ") + ", and sensor names such as B04 or SR_B4",
                at: start)
        }
        return band
    }

    private func stackDepth(_ operations: [IndexOperation]) -> Int {
        var height = 0
        var deepest = 0
        for operation in operations {
            height += 1 - operation.operands
            deepest = max(deepest, height)
        }
        return deepest
    }

    // Characters

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// The next byte that is not white space.
    private mutating func peek() -> UInt8? {
        skip { $0 == UInt8(ascii: " ") || (9...13).contains($0) }
        return current
    }

    private mutating func skip(_ matches: (UInt8) -> Bool) {
        while let byte = current, matches(byte) { position += 1 }
    }

    private mutating func expect(_ mark: Character) throws {
        guard peek() == mark.asciiValue else { throw unexpected(String(mark)) }
        position += 1
    }

    private mutating func nested(_ body: (inout ExpressionParser) throws -> Void) throws {
        guard nesting < Expression.maximumDepth else { throw tooDeep() }
        nesting += 1
        try body(&self)
        nesting -= 1
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    // Errors

    private func unexpected(_ wanted: String) -> RequestError {
        guard position < bytes.count else {
            return failure("expected \(wanted), but the text ends", at: position)
        }
        let found = String(decoding: bytes[position...], as: UTF8.self).prefix(1)
        return failure("expected \(wanted), found \(RequestError.quoted(found))", at: position)
    }

    private func tooDeep() -> RequestError {
        RequestError(
            "expression \(RequestError.quoted(text)) is nested more than \(Expression.maximumDepth) deep; "
                + "simplify it")
    }

    private func failure(_ reason: String, at place: Int) -> RequestError {
        RequestError(
            "cannot read expression \(RequestError.quoted(text)) at character \(place + 1): \(reason)")
    }
}
