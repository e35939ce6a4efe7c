import CKernels

/// Encodes and decodes one block of a float32 COG: 512 x 512 pixels, predictor 3, zlib, between the size
/// leader and the trailer of GDAL's COG layout. Reused for all blocks of a worker; one thread at a time.
public final class FloatBlockCoder {
    /// Columns and rows of a block.
    public static let side = 512
    /// Bytes before the payload: its length.
    static let leader = 4
    /// Bytes of leader and trailer together.
    static let frame = 8

    private static let pixelCount = side * side
    private let deflater = Deflater(for: .zlibStream)
    private let inflater = Inflater()
    private let padded = UnsafeMutablePointer<Float>.allocate(capacity: pixelCount)
    private let shuffled = UnsafeMutableRawBufferPointer.allocate(byteCount: pixelCount * 4, alignment: 64)

    /// A coder with its scratch memory (3.6 MB).
    public init() {}

    deinit {
        padded.deallocate()
        shuffled.deallocate()
    }

    /// Appends the block of `rows` x `columns` pixels (1...512 each; rows are `stride` pixels apart) to
    /// `sink`: payload length as 4 bytes little endian, payload, and the payload's last 4 bytes once more.
    /// What is missing to 512 x 512, right and below, is NaN. Every NaN is stored as 0x7FC00000.
    ///
    /// - Returns: the bytes appended, or nil, and nothing appended, when every pixel is NaN: a sparse block.
    public func encode(
        _ pixels: UnsafePointer<Float>, stride: Int, columns: Int = side, rows: Int = side,
        into sink: ByteSink
    ) -> Int? {
        let side = Self.side
        precondition((1...side).contains(columns) && (1...side).contains(rows), "block \(rows) x \(columns)")
        guard arb_all_nan(pixels, stride, columns, rows) == 0 else { return nil }
        let bytes = shuffled.baseAddress!.assumingMemoryBound(to: UInt8.self)
        if columns == side && rows == side {
            arb_predictor3_encode(pixels, stride, side, side, bytes)
        } else {
            padded.update(repeating: .nan, count: Self.pixelCount)
            for row in 0..<rows { (padded + row * side).update(from: pixels + row * stride, count: columns) }
            arb_predictor3_encode(padded, side, side, side, bytes)
        }
        let start = sink.count
        sink.append([0, 0, 0, 0])
        let length = deflater.compress(UnsafeRawBufferPointer(shuffled), into: sink)
        sink.patch(littleEndian: UInt32(length), at: start)
        sink.append([UInt8](sink.bytes.suffix(4)))
        return length + Self.frame
    }

    /// Decodes a framed block, as `encode` appends it, to 512 x 512 pixels with rows `stride` pixels apart.
    ///
    /// - Throws: `InflateError` when leader, trailer or payload are damaged.
    public func decode(
        _ framed: UnsafeRawBufferPointer, into pixels: UnsafeMutablePointer<Float>, stride: Int = side
    ) throws {
        guard framed.count > Self.frame else { throw InflateError.truncated }
        let length = Int(UInt32(littleEndian: framed.loadUnaligned(as: UInt32.self)))
        guard length == framed.count - Self.frame else { throw InflateError.truncated }
        guard framed.suffix(4).elementsEqual(framed.dropLast(4).suffix(4)) else { throw InflateError.corrupt }
        try decode(
            payload: UnsafeRawBufferPointer(rebasing: framed[4..<4 + length]), into: pixels, stride: stride)
    }

    /// Decodes a block's payload alone: what a TIFF's TileOffsets and TileByteCounts point at.
    ///
    /// - Throws: `InflateError` when the payload is damaged.
    public func decode(
        payload: UnsafeRawBufferPointer, into pixels: UnsafeMutablePointer<Float>, stride: Int = side
    ) throws {
        try inflater.inflate(payload, into: shuffled)
        let bytes = shuffled.baseAddress!.assumingMemoryBound(to: UInt8.self)
        arb_predictor3_decode(bytes, Self.side, Self.side, pixels, stride)
    }
}
