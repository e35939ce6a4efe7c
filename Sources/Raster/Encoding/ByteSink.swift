/// A growing run of bytes that keeps its memory when it is emptied, so that a worker allocates once and not
/// once a block.
///
/// One thread at a time: whoever hands a sink to another thread (through a lock or a queue) does not touch it
/// until it comes back. That contract is what `@unchecked` stands for.
public final class ByteSink: @unchecked Sendable {
    /// Bytes held.
    public private(set) var count = 0
    private var base: UnsafeMutableRawPointer
    private var capacity: Int

    /// An empty sink with room for `capacity` bytes.
    public init(capacity: Int = 1 << 16) {
        self.capacity = max(capacity, 16)
        base = .allocate(byteCount: self.capacity, alignment: 64)
    }

    deinit { base.deallocate() }

    /// The bytes so far; valid until the next change.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// The bytes as an array of their own.
    public var array: [UInt8] { [UInt8](bytes) }

    /// Forgets the bytes from `length` on (all of them by default) and keeps the memory.
    public func truncate(to length: Int = 0) {
        precondition(length >= 0 && length <= count, "truncate to \(length) of \(count) bytes")
        count = length
    }

    /// Appends a copy of `bytes`.
    public func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count).copyMemory(from: start, byteCount: bytes.count)
        advance(by: bytes.count)
    }

    /// Appends a copy of `bytes`.
    public func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    /// Replaces the contents by `length` bytes that `body` writes.
    public func fill(_ length: Int, _ body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        truncate()
        try body(UnsafeMutableRawBufferPointer(start: reserve(length), count: length))
        advance(by: length)
    }

    /// Makes room for `room` more bytes and returns where they begin; `advance(by:)` then says how many were
    /// written there. The pointer is valid until the next change.
    func reserve(_ room: Int) -> UnsafeMutableRawPointer {
        if count + room > capacity {
            let larger = max(capacity * 2, count + room)
            let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 64)
            moved.copyMemory(from: base, byteCount: count)
            base.deallocate()
            base = moved
            capacity = larger
        }
        return base + count
    }

    /// Counts `written` bytes that the caller put where `reserve(_:)` said.
    func advance(by written: Int) {
        precondition(written >= 0 && count + written <= capacity, "advance by \(written) past \(capacity)")
        count += written
    }

    /// Overwrites bytes already held.
    func patch(_ bytes: [UInt8], at offset: Int) {
        precondition(offset >= 0 && offset + bytes.count <= count, "patch at \(offset) of \(count) bytes")
        bytes.withUnsafeBytes { (base + offset).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }

    /// Overwrites bytes already held with `value`, least significant byte first.
    func patch(littleEndian value: UInt32, at offset: Int) { patch(value.littleEndian, at: offset) }

    /// Overwrites bytes already held with `value`, most significant byte first.
    func patch(bigEndian value: UInt32, at offset: Int) { patch(value.bigEndian, at: offset) }

    private func patch(_ value: UInt32, at offset: Int) {
        precondition(offset >= 0 && offset + 4 <= count, "patch at \(offset) of \(count) bytes")
        base.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
    }
}
