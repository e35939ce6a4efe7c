/// One step of an `IndexProgram`: takes its operands from the top of a stack and leaves its result there.
public enum IndexOperation: Codable, Hashable, Sendable {
    /// Puts the reflectance of a band on the stack; an index into `IndexProgram.bands`.
    case band(Int)
    case constant(Float)
    case add, subtract, multiply
    /// NaN where the divisor is 0.
    case divide
    case negate
    /// NaN where either operand is NaN.
    case minimum, maximum
    case absolute, squareRoot

    /// Values that the step takes from the stack; it always leaves one.
    public var operands: Int {
        switch self {
        case .band, .constant: 0
        case .negate, .absolute, .squareRoot: 1
        case .add, .subtract, .multiply, .divide, .minimum, .maximum: 2
        }
    }
}

/// A formula over reflectances as steps for a stack machine, all in float32 (IEEE 754, no contraction).
///
/// The result is undefined exactly where it is not finite (RASTER.md, Indices).
public struct IndexProgram: Codable, Hashable, Sendable {
    /// Common names of the bands that the formula uses, sorted.
    public let bands: [String]
    /// The steps in postfix order; valid by construction: never an underflow, one value at the end.
    public let operations: [IndexOperation]
    /// The most values that stand on the stack at once, 1 to `Expression.maximumDepth`.
    public let stackDepth: Int

    /// The formula's value for one pixel; the reference that kernels are compared with.
    ///
    /// - Parameter reflectance: one value for each of `bands`, in that order.
    public func value(_ reflectance: [Float]) -> Float {
        precondition(reflectance.count == bands.count, "\(bands) got \(reflectance.count) values")
        var stack: [Float] = []
        stack.reserveCapacity(stackDepth)
        for operation in operations {
            let right = operation.operands > 0 ? stack.removeLast() : 0
            let left = operation.operands > 1 ? stack.removeLast() : 0
            switch operation {
            case .band(let index): stack.append(reflectance[index])
            case .constant(let number): stack.append(number)
            case .add: stack.append(left + right)
            case .subtract: stack.append(left - right)
            case .multiply: stack.append(left * right)
            case .divide: stack.append(right == 0 ? .nan : left / right)
            case .negate: stack.append(-right)
            case .minimum: stack.append(left.isNaN || left < right ? left : right)
            case .maximum: stack.append(left.isNaN || left > right ? left : right)
            case .absolute: stack.append(right.magnitude)
            case .squareRoot: stack.append(right.squareRoot())
            }
        }
        return stack[0]
    }
}

/// How an index is computed.
public enum IndexFormula: Codable, Hashable, Sendable {
    /// (a − b) / (a + b) of two bands, in float32 on the integers DN + offset; undefined where the
    /// denominator is ≤ 0 (RASTER.md, Indices).
    case normalisedDifference(String, String)
    /// Anything else, on float32 reflectances.
    case program(IndexProgram)

    /// Common names of the bands that the formula uses, sorted, each once.
    public var bands: [String] {
        switch self {
        case .normalisedDifference(let a, let b): a == b ? [a] : [a, b].sorted()
        case .program(let program): program.bands
        }
    }
}

/// The small language of index formulas: band names, numbers, + − * /, parentheses, min max abs sqrt.
///
/// Nothing else can be said in it, so a formula from a stranger is safe to run; length and depth are bounded.
/// Band names are common (`nir`) or a sensor's own (`B08`, `SR_B5`), in any case.
public enum Expression {
    /// UTF-8 bytes.
    public static let maximumLength = 4096
    /// Of nested parentheses, signs and calls, and of the values on the stack.
    public static let maximumDepth = 64

    /// Reads a formula.
    ///
    /// - Throws: `RequestError` with the position (in characters, from 1) of what cannot be understood.
    public static func parse(_ text: String) throws -> IndexFormula {
        guard text.utf8.count <= maximumLength else {
            throw RequestError(
                "expression of \(text.utf8.count) bytes is too long; write at most \(maximumLength)")
        }
        var parser = ExpressionParser(text)
        let program = try parser.program()
        return normalisedDifference(program) ?? .program(program)
    }

    /// (a − b) / (a + b) or (a − b) / (b + a), which are equal to the bit.
    private static func normalisedDifference(_ program: IndexProgram) -> IndexFormula? {
        let steps = program.operations
        guard steps.count == 7, case .band(let a) = steps[0], case .band(let b) = steps[1] else { return nil }
        let forms: [[IndexOperation]] = [
            [.band(a), .band(b), .subtract, .band(a), .band(b), .add, .divide],
            [.band(a), .band(b), .subtract, .band(b), .band(a), .add, .divide],
        ]
        guard forms.contains(steps) else { return nil }
        return .normalisedDifference(program.bands[a], program.bands[b])
    }
}
