import CSodium

/// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha): seals bytes under a key and a nonce so long that a random
/// one never comes twice.
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
        let isGenuine =
            crypto_aead_xchacha20poly1305_ietf_decrypt(
                &plaintext, nil, nil, Array(sealed), UInt64(sealed.count), header, UInt64(header.count),
                nonce,
                key.start) == 0
        return isGenuine ? plaintext : nil
    }
}
