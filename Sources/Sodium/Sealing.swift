import CSodium

/// ChaCha20-Poly1305 (RFC 8439): seals bytes under a key and a number that is never used twice.
public enum ChaChaPoly {
    /// Bytes of a key.
    public static let keyByteCount = 32
    /// Bytes that a seal adds.
    public static let tagByteCount = 16

    /// Seals `plaintext` into `output`, which is `tagByteCount` longer; `header` stays in clear but is sealed
    /// too.
    ///
    /// - Parameter number: the last eight bytes of the nonce, little endian (Noise section 12.3).
    public static func seal(
        _ plaintext: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, key: Secret, number: UInt64,
        into output: UnsafeMutableRawBufferPointer
    ) {
        precondition(
            output.count == plaintext.count + tagByteCount,
            "\(plaintext.count) bytes are sealed into \(output.count)")
        withNonce(number) { nonce in
            _ = crypto_aead_chacha20poly1305_ietf_encrypt(
                bytes(output), nil, bytes(plaintext), UInt64(plaintext.count), bytes(header),
                UInt64(header.count), nil, nonce, key.start)
        }
    }

    /// Opens `sealed` into `output`, which is `tagByteCount` shorter; false if it is not what was sealed.
    public static func open(
        _ sealed: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, key: Secret, number: UInt64,
        into output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        precondition(
            output.count + tagByteCount == sealed.count,
            "\(sealed.count) bytes are opened into \(output.count)"
        )
        return withNonce(number) { nonce in
            crypto_aead_chacha20poly1305_ietf_decrypt(
                bytes(output), nil, nil, bytes(sealed), UInt64(sealed.count), bytes(header),
                UInt64(header.count), nonce, key.start) == 0
        }
    }

    /// The same over arrays: the sealed bytes.
    public static func seal(_ plaintext: [UInt8], header: [UInt8], key: Secret, number: UInt64) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: plaintext.count + tagByteCount)
        plaintext.withUnsafeBytes { plain in
            header.withUnsafeBytes { head in
                sealed.withUnsafeMutableBytes {
                    seal(plain, header: head, key: key, number: number, into: $0)
                }
            }
        }
        return sealed
    }

    /// The same over arrays: what was sealed; nil if it was not sealed so.
    public static func open(_ sealed: ArraySlice<UInt8>, header: [UInt8], key: Secret, number: UInt64)
        -> [UInt8]?
    {
        guard sealed.count >= tagByteCount else { return nil }
        var plaintext = [UInt8](repeating: 0, count: sealed.count - tagByteCount)
        let isGenuine = sealed.withUnsafeBytes { sealed in
            header.withUnsafeBytes { head in
                plaintext.withUnsafeMutableBytes {
                    open(sealed, header: head, key: key, number: number, into: $0)
                }
            }
        }
        return isGenuine ? plaintext : nil
    }

    private static func withNonce<Result>(_ number: UInt64, _ body: (UnsafePointer<UInt8>) -> Result)
        -> Result
    {
        withUnsafeTemporaryAllocation(byteCount: 12, alignment: 8) { nonce in
            nonce.storeBytes(of: 0, as: UInt32.self)
            nonce.storeBytes(of: number.littleEndian, toByteOffset: 4, as: UInt64.self)
            return body(bytes(UnsafeRawBufferPointer(nonce)))
        }
    }
}

/// XChaCha20-Poly1305: the same with a nonce so long that a random one never comes twice.
public enum XChaChaPoly {
    /// Bytes of a key.
    public static let keyByteCount = 32
    /// Bytes of a nonce.
    public static let nonceByteCount = 24
    /// Bytes that a seal adds.
    public static let tagByteCount = 16

    /// The sealed bytes; `header` stays in clear but is sealed too.
    public static func seal(_ plaintext: [UInt8], header: [UInt8], key: Secret, nonce: [UInt8]) -> [UInt8] {
        SodiumLibrary.ready
        precondition(nonce.count == nonceByteCount, "a nonce of \(nonce.count) bytes")
        var sealed = [UInt8](repeating: 0, count: plaintext.count + tagByteCount)
        _ = crypto_aead_xchacha20poly1305_ietf_encrypt(
            &sealed, nil, plaintext, UInt64(plaintext.count), header, UInt64(header.count), nil, nonce,
            key.start)
        return sealed
    }

    /// What was sealed; nil if it was not sealed so.
    public static func open(_ sealed: ArraySlice<UInt8>, header: [UInt8], key: Secret, nonce: [UInt8])
        -> [UInt8]?
    {
        SodiumLibrary.ready
        guard sealed.count >= tagByteCount, nonce.count == nonceByteCount else { return nil }
        var plaintext = [UInt8](repeating: 0, count: sealed.count - tagByteCount)
        let isGenuine = sealed.withUnsafeBytes {
            crypto_aead_xchacha20poly1305_ietf_decrypt(
                &plaintext, nil, nil, bytes($0), UInt64($0.count), header, UInt64(header.count), nonce,
                key.start) == 0
        }
        return isGenuine ? plaintext : nil
    }
}

/// What C is told when there are no bytes: it wants an address all the same.
private nonisolated(unsafe) let nowhere = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)

private func bytes(_ memory: UnsafeRawBufferPointer) -> UnsafePointer<UInt8> {
    memory.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(nowhere)
}

private func bytes(_ memory: UnsafeMutableRawBufferPointer) -> UnsafeMutablePointer<UInt8> {
    memory.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? nowhere
}
