// The names of things: which job, which task of its plan, which run, and the digest of any content.

/// Which job: 128 bits chosen by the client, so that a retry is the same job (PROTOCOL 3).
public struct JobID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The first eight bytes, big endian.
    public let high: UInt64
    /// The last eight bytes, big endian.
    public let low: UInt64

    /// The job whose sixteen bytes are `high` and `low`.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Byte order.
    public static func < (a: JobID, b: JobID) -> Bool { (a.high, a.low) < (b.high, b.low) }

    /// Thirty-two hexadecimal digits.
    public var description: String { hexadecimal(high) + hexadecimal(low) }
}

/// Which task of a plan: its position in the plan's order (PROTOCOL 4). The plan maps it to the task's
/// key.
public struct TaskID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Zero-based position along the curve.
    public let index: Int

    /// The task at `index`.
    public init(_ index: Int) { self.index = index }

    /// Order along the curve.
    public static func < (a: TaskID, b: TaskID) -> Bool { a.index < b.index }

    /// `#` and the position.
    public var description: String { "#\(index)" }
}

/// Which attempt at a job: 1 at first, one more with each resume (PROTOCOL 3).
public struct RunID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Counts from 1.
    public let number: UInt32

    /// Run `number`.
    public init(_ number: UInt32) { self.number = number }

    /// The run of a new job.
    public static let first = RunID(1)

    /// The run that a resume of this one starts.
    public var next: RunID { RunID(number &+ 1) }

    /// Later runs are greater.
    public static func < (a: RunID, b: RunID) -> Bool { a.number < b.number }

    /// `run` and the number.
    public var description: String { "run \(number)" }
}

/// The name of any content by its bytes: BLAKE2b-256, computed by the shell. Also a task's key (PROTOCOL 3).
public struct Digest: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The 32 bytes as four words, big endian.
    public let words: (UInt64, UInt64, UInt64, UInt64)

    /// The digest of these four words.
    public init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) { words = (a, b, c, d) }

    /// Same bytes.
    public static func == (a: Digest, b: Digest) -> Bool { a.words == b.words }

    /// Byte order.
    public static func < (a: Digest, b: Digest) -> Bool { a.words < b.words }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }

    /// The first eight bytes in hexadecimal, enough for a log line.
    public var description: String { hexadecimal(words.0) + "…" }
}

/// Sixteen digits.
func hexadecimal(_ x: UInt64) -> String {
    let digits = String(x, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

/// A fixed scrambling of 64 bits (the finalizer of splitmix64): the same on every node and in every run,
/// unlike `Hasher`.
func scrambled(_ x: UInt64) -> UInt64 {
    var z = x &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
}
