/// A small random generator that is a value: the same seed gives the same numbers on every machine, so a
/// run of the protocol can be replayed exactly (PROTOCOL section 7, S14).
///
/// xoshiro256** by Blackman and Vigna, seeded through SplitMix64 as its authors advise. It is not meant for
/// keys.
public struct SeededGenerator: RandomNumberGenerator, Equatable, Sendable {
    private var a: UInt64
    private var b: UInt64
    private var c: UInt64
    private var d: UInt64

    public init(seed: UInt64) {
        var state = seed
        a = SeededGenerator.splitMix(&state)
        b = SeededGenerator.splitMix(&state)
        c = SeededGenerator.splitMix(&state)
        d = SeededGenerator.splitMix(&state)
    }

    public mutating func next() -> UInt64 {
        let product = b &* 5
        let result = ((product << 7) | (product >> 57)) &* 9
        let shifted = b << 17
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = (d << 45) | (d >> 19)
        return result
    }

    /// A number in `0 ..< bound`, by Lemire's multiplication (the bias below 2⁻³² does not matter here).
    public mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0, "below(\(bound)) asks for a number from an empty range")
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A number in `0 ..< 1` with 53 random bits.
    public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// True with the given probability.
    public mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    /// A span in `low ..< high`.
    public mutating func span(from low: Span, to high: Span) -> Span {
        Span(nanoseconds: low.nanoseconds + Int64(unit() * Double(high.nanoseconds - low.nanoseconds)))
    }

    /// One step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    static func splitMix(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return scramble(state)
    }

    /// SplitMix64's finalizer: a bijection that spreads every input bit over the word.
    @inline(__always)
    public static func scramble(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
