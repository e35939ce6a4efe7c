/// Why a mosaic pixel has the value it has. The raw values are written in blobs and in `provenance.tif`.
public enum Reason: UInt8, Codable, CaseIterable, Sendable {
    /// A scene gave a value.
    case valid = 0
    /// No scene covers the pixel, or the clip leaves it out.
    case outside = 1
    /// A scene covers the pixel, and its sensor saw nothing there.
    case nodata = 2
    /// The scene classification excludes the pixel (clouds, shadows).
    case masked = 3
    /// The index has no value there (a denominator of zero, or a result that is not finite).
    case undefined = 4
    /// The source could not be read there. Never mixed with nodata.
    case readFailed = 5
}

/// Pixels by reason; the counts of a mosaic sum to its pixels.
public struct ReasonCounts: Codable, Hashable, Sendable {
    /// Indexed by `Reason.rawValue`.
    public var counts: [Int]

    public init() { counts = [Int](repeating: 0, count: Reason.allCases.count) }

    /// Pixels with that reason.
    public subscript(_ reason: Reason) -> Int {
        get { counts[Int(reason.rawValue)] }
        set { counts[Int(reason.rawValue)] = newValue }
    }

    /// All pixels.
    public var total: Int { counts.reduce(0, +) }

    /// Reads what `encode` writes; a reason that is not named counts 0.
    public init(from decoder: any Decoder) throws {
        self.init()
        let named = try [String: Int](from: decoder)
        for reason in Reason.allCases { self[reason] = named["\(reason)"] ?? 0 }
    }

    /// Writes `{"valid": 12, "masked": 3, …}`.
    public func encode(to encoder: any Encoder) throws {
        let named = Reason.allCases.map { ("\($0)", self[$0]) }
        try [String: Int](uniqueKeysWithValues: named).encode(to: encoder)
    }

    public static func += (a: inout ReasonCounts, b: ReasonCounts) {
        for index in a.counts.indices { a.counts[index] += b.counts[index] }
    }
}
