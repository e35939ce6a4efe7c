import Cipher

/// Opens the frames of one direction out of a stream of bytes that comes in any pieces.
///
/// Frames that lie whole in a piece are opened where they are; only what is cut at a piece's end is kept.
/// Both buffers are reused, and grow with bytes that arrived, never with a number that was read.
final class FrameOpener {
    private var cipher: CipherState
    private let framesPerKey: UInt64
    /// The beginning of a frame whose end has not arrived.
    private var partial = GrowingBuffer()
    private var plaintext = GrowingBuffer()

    init(_ cipher: CipherState, framesPerKey: UInt64 = Rekeying.frames) {
        self.cipher = cipher
        self.framesPerKey = framesPerKey
    }

    /// Bytes of a frame that has begun and not ended.
    var partialCount: Int { partial.count }

    /// Bytes of memory held, for the test of its bound.
    var capacity: Int { partial.capacity + plaintext.capacity }

    /// Takes the next piece of the stream and hands over each frame that it completes. The payload lives for
    /// the length of the call. `deliver` returns false to hear no more, and the rest of the piece is dropped.
    func feed(
        _ piece: UnsafeRawBufferPointer, _ deliver: (FrameKind, UInt32, UnsafeRawBufferPointer) -> Bool
    ) throws(FrameError) {
        var rest = piece
        while !rest.isEmpty {
            if partial.count > 0 || rest.count < FrameHeader.byteCount {
                take(FrameHeader.byteCount - partial.count, from: &rest)
                guard partial.count >= FrameHeader.byteCount else { return }
                let header = try FrameHeader(partial.bytes)
                take(FrameHeader.byteCount + header.sealedCount - partial.count, from: &rest)
                guard partial.count == FrameHeader.byteCount + header.sealedCount else { return }
                let opened = try open(header, partial.bytes)
                partial.removeAll()
                guard deliver(header.kind, header.stream, opened) else { return }
            } else {
                let header = try FrameHeader(rest)
                let size = FrameHeader.byteCount + header.sealedCount
                guard rest.count >= size else {
                    take(rest.count, from: &rest)
                    return
                }
                let opened = try open(header, UnsafeRawBufferPointer(rebasing: rest[..<size]))
                rest = UnsafeRawBufferPointer(rebasing: rest[size...])
                guard deliver(header.kind, header.stream, opened) else { return }
            }
        }
    }

    /// Moves at most `count` bytes from the piece to the partial frame.
    private func take(_ count: Int, from rest: inout UnsafeRawBufferPointer) {
        let taken = min(max(0, count), rest.count)
        partial.append(UnsafeRawBufferPointer(rebasing: rest[..<taken]))
        rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
    }

    private func open(_ header: FrameHeader, _ frame: UnsafeRawBufferPointer) throws(FrameError)
        -> UnsafeRawBufferPointer
    {
        let payload = plaintext.room(header.sealedCount - ChaChaPoly.tagByteCount)
        do throws(NoiseError) {
            try cipher.open(
                UnsafeRawBufferPointer(rebasing: frame[FrameHeader.byteCount...]),
                header: UnsafeRawBufferPointer(rebasing: frame[..<FrameHeader.byteCount]), into: payload)
        } catch {
            throw .seal(error)
        }
        if cipher.number % framesPerKey == 0 { cipher.rekey() }
        return UnsafeRawBufferPointer(payload)
    }
}

/// Raw memory that is kept between uses and doubles when it is too small.
final class GrowingBuffer {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 16)
    private(set) var count = 0

    deinit { memory.deallocate() }

    var capacity: Int { memory.count }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    func append(_ more: UnsafeRawBufferPointer) {
        guard !more.isEmpty else { return }
        reserve(count + more.count)
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: more)
        count += more.count
    }

    func removeAll() { count = 0 }

    /// Memory for `size` bytes; what was there is lost.
    func room(_ size: Int) -> UnsafeMutableRawBufferPointer {
        count = 0
        reserve(size)
        return UnsafeMutableRawBufferPointer(rebasing: memory[..<size])
    }

    private func reserve(_ size: Int) {
        guard size > memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(size, 2 * memory.count, 4096), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        memory.deallocate()
        memory = larger
    }
}
