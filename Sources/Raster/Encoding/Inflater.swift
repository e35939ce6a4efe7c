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
