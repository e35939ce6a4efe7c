/// Bytes that are equal exactly when the values are: what a task's key is a hash of (PROTOCOL.md, section 3).
///
/// Every value is written with a fixed width or a length before it, so no two sequences of values share
/// bytes.
public struct CanonicalBytes: Sendable {
    public private(set) var bytes: [UInt8] = []

    /// - Parameter kind: what is described, with its version; part of the bytes.
    public init(_ kind: String) { append(kind) }

    /// 64 bits, least significant byte first.
    public mutating func append(_ value: Int) { append(bits: UInt64(bitPattern: Int64(value))) }

    /// The value's bits, with both zeros as one.
    public mutating func append(_ value: Double) { append(bits: (value == 0 ? 0 : value).bitPattern) }

    /// One byte.
    public mutating func append(_ value: Bool) { bytes.append(value ? 1 : 0) }

    /// The UTF-8 bytes behind their number.
    public mutating func append(_ text: String) {
        let utf8 = Array(text.utf8)
        append(utf8.count)
        bytes.append(contentsOf: utf8)
    }

    /// Whether there is one, and it.
    public mutating func append(_ value: Double?) {
        append(value != nil)
        if let value { append(value) }
    }

    /// Whether there is one, and it.
    public mutating func append(_ text: String?) {
        append(text != nil)
        if let text { append(text) }
    }

    /// Whether there is one, and it.
    public mutating func append(_ value: Int?) {
        append(value != nil)
        if let value { append(value) }
    }

    /// CRS, origin, pixel size, columns and rows.
    public mutating func append(_ grid: Grid) {
        append(grid.crs.name)
        for value in [grid.originX, grid.originY, grid.pixelWidth, grid.pixelHeight] { append(value) }
        append(grid.columns)
        append(grid.rows)
    }

    private mutating func append(bits: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }
}
