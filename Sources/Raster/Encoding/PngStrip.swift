import CISAL
import CKernels

/// A strip of a palette PNG as a complete IDAT chunk: rows filtered and compressed on their own, so that the
/// strips of one picture can be made by many threads and joined without touching their pixels (PLATFORM.md).
public struct PngStrip: Codable, Hashable, Sendable {
    /// Rows of a full strip; the last one of a picture may have fewer.
    public static let rows = 512

    /// Adler-32 (RFC 1950) of the filtered rows, on its own.
    public var adler32: UInt32
    /// Bytes of the filtered rows: rows x (columns + 1).
    public var rawLength: Int
    /// Bytes of the chunk: length, type, data and CRC.
    public var chunkLength: Int
}

/// Makes `PngStrip`s; its memory is reused. One thread at a time.
public final class PngStripEncoder {
    /// Filtered bytes that are compressed in one piece: they stay in the processor's cache between filter and
    /// deflate. Part of what decides the bytes.
    private static let pieceBytes = 1 << 20

    private let deflater = Deflater(for: .pngPart)
    private let filtered = ByteSink()

    public init() {}

    /// Appends the IDAT chunk of `rows` x `columns` palette indices, whose rows are `stride` bytes apart, to
    /// `sink`: first row filtered with Sub, the others with Up.
    ///
    /// - Throws: `RasterError` when the chunk would pass PNG's limit of 2³¹ − 1 bytes.
    public func encode(
        _ indices: UnsafePointer<UInt8>, stride: Int, columns: Int, rows: Int, into sink: ByteSink
    ) throws -> PngStrip {
        precondition(columns >= 1 && rows >= 1, "a strip of \(rows) x \(columns)")
        let rawLength = rows * (columns + 1)
        guard Deflater.bound(rawLength) < Int(Int32.max) else {
            throw RasterError(
                "a PNG cannot have \(columns) columns; choose a coarser --resolution or --no-png")
        }
        let start = sink.count
        sink.append([0, 0, 0, 0] + Array("IDAT".utf8))
        var adler: UInt32 = 1
        let piece = max(1, Self.pieceBytes / (columns + 1))
        for first in Swift.stride(from: 0, to: rows, by: piece) {
            let length = min(piece, rows - first) * (columns + 1)
            filtered.truncate()
            let target = filtered.reserve(length).assumingMemoryBound(to: UInt8.self)
            let above = first > 0 ? indices + (first - 1) * stride : nil
            arb_png_filter(indices + first * stride, stride, columns, min(piece, rows - first), above, target)
            filtered.advance(by: length)
            adler = isal_adler32(adler, target, UInt64(length))
            _ = deflater.compress(filtered.bytes, into: sink)
        }
        PngChunk.close(sink, from: start)
        return PngStrip(adler32: adler, rawLength: rawLength, chunkLength: sink.count - start)
    }
}

/// PNG chunks (PNG specification, section 5.3): length, type, data, CRC-32 of type and data.
enum PngChunk {
    /// Fills in the length of the chunk that begins at `start` and appends its CRC.
    static func close(_ sink: ByteSink, from start: Int) {
        sink.patch(bigEndian: UInt32(sink.count - start - 8), at: start)
        let covered = UnsafeRawBufferPointer(rebasing: sink.bytes[(start + 4)...])
        let crc = crc32_gzip_refl(
            0, covered.baseAddress!.assumingMemoryBound(to: UInt8.self), UInt64(covered.count))
        sink.append(withUnsafeBytes(of: crc.bigEndian) { [UInt8]($0) })
    }

    /// A whole chunk.
    static func append(_ type: String, _ data: [UInt8], to sink: ByteSink) {
        let start = sink.count
        sink.append([0, 0, 0, 0] + Array(type.utf8) + data)
        close(sink, from: start)
    }
}
