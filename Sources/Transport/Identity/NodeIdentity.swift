import Cluster
import Sodium

/// Who a node is: its Ed25519 key. It signs the node's records, and in another form it is the static key of
/// its links (PROTOCOL sections 1 and 6).
public struct NodeIdentity: Sendable {
    /// The node's public key.
    public let publicKey: SigningPublicKey
    /// The node's name in the protocol.
    public let id: NodeID
    let agreementKey: AgreementKey
    private let key: SigningKey

    /// - Parameter seed: 32 bytes, as the key file keeps them.
    public init(seed: Secret) {
        key = SigningKey(seed: seed)
        publicKey = key.publicKey
        id = NodeID(of: publicKey)
        agreementKey = key.agreementKey
    }

    /// A key that nobody had before.
    public static func random() -> NodeIdentity { NodeIdentity(seed: .random(SigningKey.seedByteCount)) }

    /// A signature over `message`. `purpose` keeps signatures for one use from being played in another.
    public func sign(_ message: [UInt8], purpose: SignaturePurpose) -> [UInt8] {
        key.sign(purpose.prefix + message)
    }
}

/// What a node's signature is for.
public enum SignaturePurpose: Sendable {
    /// An alive record.
    case record

    var prefix: [UInt8] {
        switch self {
        case .record: Array("arbutus record 1\n".utf8)
        }
    }
}

extension SigningPublicKey {
    /// Whether the node of this key signed `message` for that purpose.
    public func verifies(_ signature: [UInt8], of message: [UInt8], purpose: SignaturePurpose) -> Bool {
        verifies(signature, of: purpose.prefix + message)
    }
}

extension NodeID {
    /// The node whose key this is: the first eight bytes of the key's BLAKE2b-256.
    public init(of key: SigningPublicKey) {
        let hash = Blake2b.digest(key.bytes, size: 32)
        self.init(short: hash.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}
