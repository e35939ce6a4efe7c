import Synchronization

/// Large buffers that are used again: the system takes a page fault for each 4 KB of a new one, and the
/// general allocator would scatter them and keep far more memory than is in use (`LargeBuffers`).
final class BufferPool: Sendable {
    private struct State: @unchecked Sendable {
        var free: [Int: [UnsafeMutableRawBufferPointer]] = [:]
        /// Bytes handed out and kept.
        var held = 0

        /// Gives up all that nobody uses.
        mutating func dropFree() -> [UnsafeMutableRawBufferPointer] {
            let dropped = Array(free.values.joined())
            free = [:]
            held -= dropped.reduce(0) { $0 + $1.count }
            return dropped
        }
    }

    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter limit: bytes handed out and kept together; above it nothing is kept.
    init(limit: Int) { self.limit = limit }

    /// Bytes handed out and kept.
    var held: Int { state.withLock { $0.held } }

    deinit {
        state.withLock { state in for buffer in state.free.values.joined() { buffer.deallocate() } }
    }

    /// A buffer of `byteCount` bytes or 64, aligned to 64; what it holds is left from its last use.
    func take(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
        let byteCount = max(byteCount, 64)
        let (reused, dropped) = state.withLock { state in
            let reused = state.free[byteCount]?.popLast()
            if reused == nil { state.held += byteCount }
            return (reused, state.held > limit ? state.dropFree() : [])
        }
        for buffer in dropped { buffer.deallocate() }
        return reused ?? .allocate(byteCount: byteCount, alignment: 64)
    }

    /// Takes a buffer back.
    func give(_ buffer: UnsafeMutableRawBufferPointer) {
        let isKept = state.withLock { state in
            guard state.held <= limit else {
                state.held -= buffer.count
                return false
            }
            state.free[buffer.count, default: []].append(buffer)
            return true
        }
        if !isKept { buffer.deallocate() }
    }

    /// A plane of `count` values, as `take(_:)`.
    func plane<Value: BitwiseCopyable>(
        _ type: Value.Type = Value.self, count: Int
    ) -> UnsafeMutablePointer<Value> {
        take(count * MemoryLayout<Value>.stride).bindMemory(to: type).baseAddress!
    }

    /// Takes back a plane of `count` values.
    func give<Value: BitwiseCopyable>(_ plane: UnsafeMutablePointer<Value>, count: Int) {
        let byteCount = max(count * MemoryLayout<Value>.stride, 64)
        give(UnsafeMutableRawBufferPointer(start: plane, count: byteCount))
    }
}
