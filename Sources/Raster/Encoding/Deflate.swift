import CISAL

/// Why compressed bytes could not be turned back; the caller knows which file and block and adds them.
public enum InflateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The stream breaks a rule of RFC 1950 or 1951, or its checksum does not match.
    case corrupt
    /// The input ends before the stream does.
    case truncated
    /// The stream holds another number of bytes than it should.
    case wrongLength(expected: Int, found: Int)
    /// The stream holds more bytes than the block.
    case tooLong(expected: Int)

    public var description: String {
        switch self {
        case .corrupt: "the compressed data is corrupt"
        case .truncated: "the compressed data ends too early"
        case .wrongLength(let expected, let found): "\(found) bytes came out instead of \(expected)"
        case .tooLong(let expected): "more than \(expected) bytes came out"
        }
    }
}

/// Compresses whole buffers with ISA-L; its memory is reused. One thread at a time.
///
/// Levels 1 and 2 only: they give the same bytes on every processor, level 3 does not (PLATFORM.md).
final class Deflater {
    /// What the bytes are for: it fixes the level, the wrapper and the flush.
    enum Purpose {
        /// A TIFF block: a zlib stream (RFC 1950), level 1.
        case tiffBlock
        /// A part of a PNG's zlib stream: raw deflate (RFC 1951), level 2, ending on a byte boundary in no
        /// final block, so that parts can follow each other.
        case pngPart
    }

    /// Matches reach back 2¹² bytes and not 2¹⁵: farther ones in such data are chance and cost more bits than
    /// they save (measured on NDVI: blocks 8 % faster and 0.2 % smaller, PNG strips 2 % smaller).
    private static let windowBits: UInt16 = 12

    private let purpose: Purpose
    private let stream: UnsafeMutablePointer<isal_zstream>
    private let levelBuffer: UnsafeMutableRawPointer
    private let levelBytes: Int

    init(for purpose: Purpose) {
        self.purpose = purpose
        levelBytes = purpose == .tiffBlock ? ARB_ISAL_LEVEL1_BYTES : ARB_ISAL_LEVEL2_BYTES
        levelBuffer = .allocate(byteCount: levelBytes, alignment: 64)
        let size = MemoryLayout<isal_zstream>.size
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        stream = memory.bindMemory(to: isal_zstream.self, capacity: 1)
    }

    deinit {
        UnsafeMutableRawPointer(stream).deallocate()
        levelBuffer.deallocate()
    }

    /// Bytes of the first chunk, see `compress(_:into:)`: 4 to 16, which ISA-L's finishing routine takes.
    private static let opening = 16

    /// More than the most bytes that `count` bytes can become: no literal takes more than 15 bits, no match
    /// of 4 bytes or more 48 (RFC 1951, 3.2), and of the blocks, tens of thousands of symbols each, none has
    /// a header of more than 350 bytes.
    static func bound(_ count: Int) -> Int { 2 * count + 1024 }

    /// Appends the compressed form of `input` (below 2 GiB) to `sink` and returns its length.
    ///
    /// The first bytes go in a chunk of their own, which a flush ends (some 20 bytes more). In one piece,
    /// ISA-L 2.30 hashes the *address of the stream* in place of the input's third byte
    /// (`igzip_icf_body_h1_gr_bt.asm`, `.write_first_byte` reads `tmp2` before anything set it), and then one
    /// compression in some hundreds has other bytes in another process or another thread.
    func compress(_ input: UnsafeRawBufferPointer, into sink: ByteSink) -> Int {
        let room = Self.bound(input.count)
        precondition(room <= Int(UInt32.max), "deflate of \(input.count) bytes in one piece")
        isal_deflate_init(stream)
        stream.pointee.level = purpose == .tiffBlock ? 1 : 2
        stream.pointee.level_buf = levelBuffer.assumingMemoryBound(to: UInt8.self)
        stream.pointee.level_buf_size = UInt32(levelBytes)
        stream.pointee.hist_bits = Self.windowBits
        stream.pointee.gzip_flag = UInt16(purpose == .tiffBlock ? IGZIP_ZLIB : IGZIP_DEFLATE)
        stream.pointee.next_out = sink.reserve(room).assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room)
        let opening = min(input.count, Self.opening)
        if opening < input.count { feed(UnsafeRawBufferPointer(rebasing: input[..<opening]), isLast: false) }
        let rest = opening < input.count ? UnsafeRawBufferPointer(rebasing: input[opening...]) : input
        feed(rest, isLast: true)
        let written = room - Int(stream.pointee.avail_out)
        sink.advance(by: written)
        return written
    }

    /// Compresses all of `chunk`; the last one ends the stream or the part.
    private func feed(_ chunk: UnsafeRawBufferPointer, isLast: Bool) {
        let ends = isLast && purpose == .tiffBlock
        stream.pointee.end_of_stream = ends ? 1 : 0
        stream.pointee.flush = UInt16(ends ? NO_FLUSH : isLast ? FULL_FLUSH : SYNC_FLUSH)
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: chunk.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(chunk.count)
        let status = isal_deflate(stream)
        let state = stream.pointee.internal_state.state
        precondition(
            status == COMP_OK && stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0
                && state == (ends ? ZSTATE_END : ZSTATE_NEW_HDR),
            "ISA-L returned \(status) in \(state) after \(chunk.count) bytes, \(stream.pointee.avail_in) left"
        )
    }
}

/// Turns zlib streams (RFC 1950) back into bytes with ISA-L; its memory is reused. One thread at a time.
public final class Inflater {
    private let state: UnsafeMutablePointer<inflate_state>

    /// An inflater with its own tables (about 100 KB).
    public init() {
        let size = MemoryLayout<inflate_state>.size
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        state = memory.bindMemory(to: inflate_state.self, capacity: 1)
    }

    deinit { UnsafeMutableRawPointer(state).deallocate() }

    /// Fills `output` with exactly what the zlib stream `input` holds. Bytes behind the end of the stream do
    /// not matter (TIFF writers pad).
    ///
    /// - Throws: `InflateError` for a corrupt or truncated stream, and when it holds fewer or more bytes than
    ///   `output`; what `output` then contains means nothing.
    public func inflate(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws {
        guard input.count >= 6 else { throw InflateError.truncated }
        guard input.count <= Int(UInt32.max), output.count <= Int(UInt32.max) else {
            throw InflateError.corrupt
        }
        isal_inflate_init(state)
        state.pointee.crc_flag = UInt32(ISAL_ZLIB)
        let start = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.next_in = UnsafeMutablePointer(mutating: start)
        state.pointee.avail_in = UInt32(input.count)
        state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = UInt32(output.count)
        let status = isal_inflate_stateless(state)
        let found = output.count - Int(state.pointee.avail_out)
        switch status {
        case ISAL_DECOMP_OK where found == output.count: return
        case ISAL_DECOMP_OK: throw InflateError.wrongLength(expected: output.count, found: found)
        case ISAL_END_INPUT: throw InflateError.truncated
        case ISAL_OUT_OVERFLOW: throw InflateError.tooLong(expected: output.count)
        default: throw InflateError.corrupt
        }
    }
}
