import CSodium

/// BLAKE2b (RFC 7693) over pieces, as they pass by. One thread at a time.
public final class Blake2b {
    private let memory: UnsafeMutableRawPointer
    private let digestSize: Int

    /// - Parameter digestSize: bytes of the digest, 16 to 64.
    public init(digestSize: Int) {
        SodiumLibrary.ready
        precondition((16...64).contains(digestSize), "BLAKE2b has no digest of \(digestSize) bytes")
        self.digestSize = digestSize
        memory = .allocate(byteCount: crypto_generichash_statebytes(), alignment: 64)
        crypto_generichash_init(state, nil, 0, digestSize)
    }

    deinit {
        sodium_memzero(memory, crypto_generichash_statebytes())
        memory.deallocate()
    }

    private var state: OpaquePointer { OpaquePointer(memory) }

    /// Takes the next piece.
    public func update(_ piece: UnsafeRawBufferPointer) {
        guard let start = piece.baseAddress else { return }
        crypto_generichash_update(state, start.assumingMemoryBound(to: UInt8.self), UInt64(piece.count))
    }

    /// Takes the next piece.
    public func update(_ piece: [UInt8]) { piece.withUnsafeBytes { update($0) } }

    /// The digest; the value is used up.
    public func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: digestSize)
        crypto_generichash_final(state, &digest, digestSize)
        return digest
    }

    /// The digest of the pieces one after another.
    public static func digest(_ pieces: [UInt8]..., size: Int) -> [UInt8] {
        let hash = Blake2b(digestSize: size)
        for piece in pieces { hash.update(piece) }
        return hash.finish()
    }

    /// HMAC (RFC 2104) over BLAKE2b-512, whose block has 128 bytes. Noise asks for it although BLAKE2b has a
    /// keyed mode of its own (Noise section 4.3).
    ///
    /// - Parameter key: at most one block.
    public static func authenticationCode(key: [UInt8], _ pieces: [UInt8]...) -> [UInt8] {
        precondition(key.count <= 128, "an HMAC key of \(key.count) bytes is longer than a block")
        let padded = key + [UInt8](repeating: 0, count: 128 - key.count)
        let inner = Blake2b(digestSize: 64)
        inner.update(padded.map { $0 ^ 0x36 })
        for piece in pieces { inner.update(piece) }
        return digest(padded.map { $0 ^ 0x5c }, inner.finish(), size: 64)
    }
}
