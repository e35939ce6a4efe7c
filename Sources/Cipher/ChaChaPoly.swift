import COpenSSL
import Sodium

/// ChaCha20-Poly1305 (RFC 8439): seals bytes under a key and a number that is never used twice.
///
/// By OpenSSL's libcrypto, not by libsodium like the rest: the bytes are the same, and Debian's libsodium
/// seals with 128-bit vectors where libcrypto takes the processor's widest. `scripts/bench cluster --only
/// transfer` shows what that is worth.
public enum ChaChaPoly {
    /// Bytes of a key.
    public static let keyByteCount = 32
    /// Bytes that a seal adds.
    public static let tagByteCount = 16
    private static let nonceByteCount = 12

    /// libcrypto's implementation for this processor, looked up once and never freed.
    private nonisolated(unsafe) static let algorithm: OpaquePointer = {
        guard let found = EVP_CIPHER_fetch(nil, "ChaCha20-Poly1305", nil) else {
            preconditionFailure("this machine's libcrypto has no ChaCha20-Poly1305; is it held to FIPS?")
        }
        return found
    }()

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
        let isDone = withContext(key, number, sealing: 1) { context in
            pass(header, through: context, into: nil) && pass(plaintext, through: context, into: output)
                && finish(context)
                && EVP_CIPHER_CTX_ctrl(
                    context, EVP_CTRL_AEAD_GET_TAG, Int32(tagByteCount),
                    output.baseAddress! + plaintext.count) == 1
        }
        precondition(isDone, "libcrypto does not seal \(plaintext.count) bytes")
    }

    /// Opens `sealed` into `output`, which is `tagByteCount` shorter; false if it is not what was sealed, and
    /// then `output` holds zeros.
    public static func open(
        _ sealed: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, key: Secret, number: UInt64,
        into output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        precondition(
            output.count + tagByteCount == sealed.count,
            "\(sealed.count) bytes are opened into \(output.count)")
        let content = UnsafeRawBufferPointer(rebasing: sealed[..<output.count])
        let tag = UnsafeMutableRawPointer(mutating: sealed.baseAddress! + output.count)
        let isGenuine = withContext(key, number, sealing: 0) { context in
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagByteCount), tag) == 1
                && pass(header, through: context, into: nil) && pass(content, through: context, into: output)
                && finish(context)
        }
        if !isGenuine { output.initializeMemory(as: UInt8.self, repeating: 0) }
        return isGenuine
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

    // MARK: libcrypto

    private static func withContext(
        _ key: Secret, _ number: UInt64, sealing: Int32, _ body: (OpaquePointer) -> Bool
    ) -> Bool {
        precondition(key.count == keyByteCount, "a key of \(key.count) bytes")
        guard let context = EVP_CIPHER_CTX_new() else { preconditionFailure("libcrypto has no memory") }
        defer { EVP_CIPHER_CTX_free(context) }
        let isReady = withUnsafeTemporaryAllocation(byteCount: nonceByteCount, alignment: 8) { nonce in
            nonce.storeBytes(of: 0, as: UInt32.self)
            nonce.storeBytes(of: number.littleEndian, toByteOffset: 4, as: UInt64.self)
            return key.withBytes { key in
                EVP_CipherInit_ex2(
                    context, algorithm, start(key), start(UnsafeRawBufferPointer(nonce)), sealing, nil) == 1
            }
        }
        return isReady && body(context)
    }

    /// Without an output the bytes are what stays in clear. None are passed as none: libcrypto would take a
    /// missing address for the end.
    private static func pass(
        _ bytes: UnsafeRawBufferPointer, through context: OpaquePointer,
        into output: UnsafeMutableRawBufferPointer?
    ) -> Bool {
        guard !bytes.isEmpty else { return true }
        var count: Int32 = 0
        return EVP_CipherUpdate(
            context, output.flatMap(start), &count, start(bytes), Int32(bytes.count)) == 1
            && Int(count) == bytes.count
    }

    /// Makes or compares the tag; a stream cipher leaves no bytes for the end.
    private static func finish(_ context: OpaquePointer) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: tagByteCount) { rest in
            var count: Int32 = 0
            return EVP_CipherFinal_ex(context, rest.baseAddress, &count) == 1 && count == 0
        }
    }

    private static func start(_ memory: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
        memory.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }

    private static func start(_ memory: UnsafeMutableRawBufferPointer) -> UnsafeMutablePointer<UInt8>? {
        memory.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }
}
