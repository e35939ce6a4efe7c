import CSodium

/// An Ed25519 public key (RFC 8032).
public struct SigningPublicKey: Hashable, Sendable {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// Bytes of a key.
    public static let byteCount = 32
    /// Bytes of a signature.
    public static let signatureByteCount = 64

    /// - Parameter bytes: 32 bytes; nil for any other length.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Whether the owner of the key signed the message.
    public func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        SodiumLibrary.ready
        return signature.count == Self.signatureByteCount
            && crypto_sign_verify_detached(signature, message, UInt64(message.count), bytes) == 0
    }

    /// The same key for key agreement (the birational map of RFC 7748 section 4.1); nil if it is no point of
    /// the main subgroup.
    public var agreementKey: AgreementPublicKey? {
        SodiumLibrary.ready
        var converted = [UInt8](repeating: 0, count: AgreementPublicKey.byteCount)
        guard crypto_sign_ed25519_pk_to_curve25519(&converted, bytes) == 0 else { return nil }
        return AgreementPublicKey(bytes: converted)
    }
}

/// An Ed25519 key pair.
public struct SigningKey: Sendable {
    /// The public half.
    public let publicKey: SigningPublicKey
    private let secret: Secret

    /// Bytes of a seed.
    public static let seedByteCount = 32

    /// The pair that a seed stands for.
    ///
    /// - Parameter seed: 32 bytes.
    public init(seed: Secret) {
        SodiumLibrary.ready
        precondition(seed.count == Self.seedByteCount, "an Ed25519 seed of \(seed.count) bytes")
        var publicBytes = [UInt8](repeating: 0, count: SigningPublicKey.byteCount)
        secret = Secret(count: 64) { _ = crypto_sign_seed_keypair(&publicBytes, $0, seed.start) }
        guard let key = SigningPublicKey(bytes: publicBytes) else {
            preconditionFailure("libsodium made a public key of \(publicBytes.count) bytes")
        }
        publicKey = key
    }

    /// 64 bytes over the message.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: SigningPublicKey.signatureByteCount)
        crypto_sign_detached(&signature, nil, message, UInt64(message.count), secret.start)
        return signature
    }

    /// The same pair for key agreement.
    public var agreementKey: AgreementKey {
        AgreementKey(
            secret: Secret(count: AgreementPublicKey.byteCount) {
                _ = crypto_sign_ed25519_sk_to_curve25519($0, secret.start)
            })
    }
}
