import CSodium

/// Key bytes that are wiped when the last owner lets go of them, and that never appear in a description.
public final class Secret: Sendable, CustomStringConvertible {
    /// How many bytes.
    public let count: Int
    private nonisolated(unsafe) let memory: UnsafeMutablePointer<UInt8>

    /// A copy of `bytes`; the caller's own copy is its own affair.
    public convenience init(copying bytes: some Collection<UInt8>) {
        self.init(count: bytes.count) { memory in
            for (offset, byte) in bytes.enumerated() { memory[offset] = byte }
        }
    }

    /// `count` bytes that `fill` writes.
    init(count: Int, _ fill: (UnsafeMutablePointer<UInt8>) -> Void) {
        self.count = count
        memory = .allocate(capacity: max(1, count))
        fill(memory)
    }

    /// Fresh bytes from the system's generator.
    public static func random(_ count: Int) -> Secret {
        Secret(count: count) { RandomBytes.fill(UnsafeMutableRawBufferPointer(start: $0, count: count)) }
    }

    deinit {
        sodium_memzero(memory, count)
        memory.deallocate()
    }

    /// The bytes, for the length of the call.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// Where the bytes are, for C functions of this module.
    var start: UnsafePointer<UInt8> { UnsafePointer(memory) }

    /// Not the bytes.
    public var description: String { "secret of \(count) bytes" }
}
