import CSodium

/// An X25519 public key (RFC 7748).
public struct AgreementPublicKey: Hashable, Sendable {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// Bytes of a key, and of a shared secret.
    public static let byteCount = 32

    /// - Parameter bytes: 32 bytes; nil for any other length.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }
}

/// An X25519 key pair.
public struct AgreementKey: Sendable {
    /// The public half.
    public let publicKey: AgreementPublicKey
    private let secret: Secret

    /// The pair of a secret of 32 bytes.
    public init(secret: Secret) {
        SodiumLibrary.ready
        precondition(
            secret.count == AgreementPublicKey.byteCount, "an X25519 secret of \(secret.count) bytes")
        self.secret = secret
        var bytes = [UInt8](repeating: 0, count: AgreementPublicKey.byteCount)
        crypto_scalarmult_base(&bytes, secret.start)
        guard let key = AgreementPublicKey(bytes: bytes) else {
            preconditionFailure("libsodium made a public key of \(bytes.count) bytes")
        }
        publicKey = key
    }

    /// A fresh pair.
    public static func random() -> AgreementKey {
        AgreementKey(secret: .random(AgreementPublicKey.byteCount))
    }

    /// The secret that both pairs share; nil if the other key is of low order, which would give zero.
    public func agree(with other: AgreementPublicKey) -> [UInt8]? {
        var shared = [UInt8](repeating: 0, count: AgreementPublicKey.byteCount)
        return crypto_scalarmult(&shared, secret.start, other.bytes) == 0 ? shared : nil
    }
}
