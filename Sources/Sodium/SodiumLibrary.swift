import CSodium

// libsodium as Swift values: the one module that imports it. Nothing here decides anything; names follow the
// standards that the functions come from.

enum SodiumLibrary {
    /// Chooses the fastest code for this processor, once a process.
    static let ready: Void = {
        precondition(sodium_init() >= 0, "libsodium cannot start")
    }()
}

/// Bytes from the system's generator, fit for keys.
public enum RandomBytes {
    /// `count` fresh bytes.
    public static func make(_ count: Int) -> [UInt8] {
        SodiumLibrary.ready
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf(&bytes, count)
        return bytes
    }

    /// Fills memory with fresh bytes.
    public static func fill(_ memory: UnsafeMutableRawBufferPointer) {
        SodiumLibrary.ready
        guard let start = memory.baseAddress else { return }
        randombytes_buf(start, memory.count)
    }

    /// A fresh number.
    public static func number() -> UInt64 {
        var value: UInt64 = 0
        withUnsafeMutableBytes(of: &value) { fill($0) }
        return value
    }
}

/// Compares in a time that depends on the lengths only.
public func equalInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && sodium_memcmp(a, b, a.count) == 0
}
