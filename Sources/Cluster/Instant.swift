/// A moment on a node's monotonic clock (time in suspend included). The wall clock decides nothing.
///
/// `Cluster` never reads a clock: every event is handed the instant at which the shell saw it.
public struct Instant: Hashable, Comparable, Sendable {
    /// Nanoseconds since an arbitrary origin, fixed for the process.
    public let nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static let zero = Instant(nanoseconds: 0)

    /// Later than any moment that comes: the deadline of a machine that waits for nothing.
    public static let never = Instant(nanoseconds: .max)

    public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    public static func + (a: Instant, b: Span) -> Instant {
        Instant(nanoseconds: a.nanoseconds + b.nanoseconds)
    }

    public static func - (a: Instant, b: Span) -> Instant {
        Instant(nanoseconds: a.nanoseconds - b.nanoseconds)
    }

    public static func - (a: Instant, b: Instant) -> Span { Span(nanoseconds: a.nanoseconds - b.nanoseconds) }
}

/// A length of time: nanoseconds in 64 bits, so that arithmetic on it is exact and cheap.
public struct Span: Hashable, Comparable, Sendable {
    public let nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static let zero = Span(nanoseconds: 0)

    /// Whole seconds.
    public static func seconds(_ n: Int) -> Span { Span(nanoseconds: Int64(n) * 1_000_000_000) }

    /// Seconds, rounded towards zero to a nanosecond; at most a billion of them, either way, and none when
    /// `n` is not a number: predictions and measurements of other nodes come this way.
    public static func seconds(_ n: Double) -> Span {
        n.isNaN ? .zero : Span(nanoseconds: Int64(max(-1e9, min(1e9, n)) * 1_000_000_000))
    }

    /// Whole milliseconds.
    public static func milliseconds(_ n: Int) -> Span { Span(nanoseconds: Int64(n) * 1_000_000) }

    /// The length in seconds, for arithmetic on rates and for messages.
    public var seconds: Double { Double(nanoseconds) / 1_000_000_000 }

    public static func < (a: Span, b: Span) -> Bool { a.nanoseconds < b.nanoseconds }

    public static func + (a: Span, b: Span) -> Span { Span(nanoseconds: a.nanoseconds + b.nanoseconds) }

    public static func - (a: Span, b: Span) -> Span { Span(nanoseconds: a.nanoseconds - b.nanoseconds) }

    public static func * (a: Span, k: Int) -> Span { Span(nanoseconds: a.nanoseconds * Int64(k)) }

    public static func * (a: Span, k: Double) -> Span { Span(nanoseconds: Int64(Double(a.nanoseconds) * k)) }
}
