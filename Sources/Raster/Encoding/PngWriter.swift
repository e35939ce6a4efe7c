import Mosaic

/// Joins strips to an 8-bit palette PNG: signature, IHDR, PLTE, tRNS, then IDAT chunks whose data together is
/// one zlib stream (header, the strips in order, an empty last block and the checksum), IEND.
public struct PngWriter {
    /// The strip that comes next, from 0.
    public private(set) var nextStrip = 0

    private let file: OutputWriter
    private let columns: Int
    private let rows: Int
    private var adler = Adler32()

    /// Appends the chunks before the pixels to `file`, which holds nothing before; who called finishes it.
    ///
    /// - Throws: `RasterError` when PNG cannot hold the size (2³¹ − 1 pixels a side) or the disk is full.
    public init(to file: OutputWriter, columns: Int, rows: Int, palette: Palette) throws {
        guard min(columns, rows) >= 1, max(columns, rows) <= Int(Int32.max) else {
            throw RasterError(
                "a PNG cannot have \(columns) x \(rows) pixels, only 1 to 2147483647 a side; choose a "
                    + "coarser --resolution or --no-png")
        }
        self.file = file
        self.columns = columns
        self.rows = rows
        let sink = ByteSink(capacity: 1024)
        sink.append([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        // 8 bits a sample, colour type 3 (palette), no interlace.
        PngChunk.append("IHDR", Self.bigEndian(columns) + Self.bigEndian(rows) + [8, 3, 0, 0, 0], to: sink)
        PngChunk.append("PLTE", palette.entries.flatMap { [$0.red, $0.green, $0.blue] }, to: sink)
        PngChunk.append("tRNS", [0], to: sink)
        PngChunk.append("IDAT", [0x78, 0x9C], to: sink)
        try file.append(sink.bytes)
    }

    /// Strips that the picture needs.
    public var stripCount: Int { (rows + PngStrip.rows - 1) / PngStrip.rows }

    /// Rows of strip `number`, from 0.
    public func rows(ofStrip number: Int) -> Int { min(PngStrip.rows, rows - number * PngStrip.rows) }

    /// Writes the next strip, from top to bottom.
    ///
    /// - Parameter chunk: what `PngStripEncoder.encode` appended for `strip`.
    /// - Throws: `RasterError` when the disk is full.
    public mutating func append(_ strip: PngStrip, chunk: UnsafeRawBufferPointer) throws {
        precondition(
            nextStrip < stripCount && strip.rawLength == rows(ofStrip: nextStrip) * (columns + 1)
                && chunk.count == strip.chunkLength,
            "strip \(nextStrip) of \(stripCount): \(strip), \(chunk.count) bytes")
        try file.append(chunk)
        adler.append(strip.adler32, length: strip.rawLength)
        nextStrip += 1
    }

    /// Writes what follows the last strip.
    ///
    /// - Returns: the file's length in bytes.
    /// - Throws: `RasterError` when the disk is full.
    @discardableResult
    public mutating func finish() throws -> Int {
        precondition(nextStrip == stripCount, "finished after \(nextStrip) of \(stripCount) strips")
        let sink = ByteSink(capacity: 64)
        // 03 00: a last deflate block (fixed codes) that holds nothing.
        PngChunk.append("IDAT", [0x03, 0x00] + Self.bigEndian(Int(adler.value)), to: sink)
        PngChunk.append("IEND", [], to: sink)
        try file.append(sink.bytes)
        return file.byteCount
    }

    private static func bigEndian(_ value: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(value).bigEndian) { [UInt8]($0) }
    }
}

/// The Adler-32 checksum of pieces joined together, from the checksums of the pieces (RFC 1950, section 9:
/// two sums modulo 65,521, the second one of all states of the first).
struct Adler32: Equatable {
    private static let modulus = 65_521

    /// The checksum so far; 1 for nothing.
    private(set) var value: UInt32 = 1

    /// Adds a piece of `length` bytes whose own checksum is `checksum`.
    ///
    /// Behind bytes with the sums (a, b) a piece's own sums (c, d), which began at (1, 0), become (a + c − 1,
    /// b + d + length · (a − 1)): each of its `length` states of the first sum is larger by a − 1.
    mutating func append(_ checksum: UInt32, length: Int) {
        let modulus = Self.modulus
        let (a, b) = (Int(value & 0xFFFF), Int(value >> 16))
        let (c, d) = (Int(checksum & 0xFFFF), Int(checksum >> 16))
        let low = (a + c - 1 + modulus) % modulus
        let high = (b + d + (length % modulus) * (a - 1 + modulus)) % modulus
        value = UInt32(high) << 16 | UInt32(low)
    }
}
