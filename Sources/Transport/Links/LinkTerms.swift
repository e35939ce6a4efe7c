import Cluster
import Sodium

// What two nodes agree on before they talk, in the words of the first sixteen bytes:
//
//     "ARBU" 4 | oldest version 1 | newest version 1 | zero 2 | features 4 | key id 4
//
// They are in clear and the first thing in the transcript, so whoever changes them breaks the handshake.

/// The versions and features that a node offers; nodes of version N talk to those of N − 1.
public struct LinkTerms: Equatable, Sendable {
    /// Versions that the node speaks.
    public var versions: ClosedRange<UInt8>
    /// Bits of optional abilities; both sides use those that both have.
    public var features: UInt32

    /// What this program offers.
    public static let current = LinkTerms(versions: 1...1, features: 0)

    /// Terms of another program, for tests of mixed versions.
    public init(versions: ClosedRange<UInt8>, features: UInt32) {
        self.versions = versions
        self.features = features
    }

    /// The newest version that both speak.
    func common(with other: ClosedRange<UInt8>) -> UInt8? {
        let newest = min(versions.upperBound, other.upperBound)
        return newest >= max(versions.lowerBound, other.lowerBound) ? newest : nil
    }
}

/// What a link carries. Bulk bytes have links of their own, so that control is never behind them.
public enum LinkPurpose: UInt8, Sendable {
    case control = 0
    case bulk = 1
}

/// Who is at the other end of a link, as the handshake proved it.
public struct LinkPeer: Hashable, Sendable {
    /// The peer's name.
    public let id: NodeID
    /// The key that the name is the hash of.
    public let publicKey: SigningPublicKey
    /// The peer's start.
    public let start: StartID
}

/// Why a handshake led to no link.
public enum HandshakeFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// What came first is not this protocol.
    case otherProtocol
    /// The two sides hold no cluster key in common, or the peer says so.
    case noCommonKey
    /// No version in common; these are the peer's.
    case noCommonVersion(ClosedRange<UInt8>)
    /// The peer has too many unfinished handshakes.
    case busy
    /// A message was not what Noise makes.
    case noise(NoiseError)
    /// A message of an impossible size or with impossible fields.
    case malformed
    /// The Ed25519 key that the peer shows is not the one that it proved.
    case falseIdentity
    /// Denied, or under an old key and never a member.
    case notAdmitted(NodeID, KeyID)
    /// We met ourselves: our key and our start.
    case ourselves
    /// We met our key with another start.
    case otherStart(StartID)

    public var description: String {
        switch self {
        case .otherProtocol:
            "the other side does not speak the cluster's protocol; check the address and port"
        case .noCommonKey: "the other side holds none of our cluster keys; give both nodes the same key file"
        case .noCommonVersion(let theirs):
            "the other side speaks versions \(theirs.lowerBound) to \(theirs.upperBound), we speak none of "
                + "them; bring both nodes to releases that are at most one apart"
        case .busy: "the other side has too many unfinished handshakes; it is tried again"
        case .noise(let error): "the handshake failed: \(error)"
        case .malformed: "the handshake failed: a message of an impossible form"
        case .falseIdentity: "the peer shows a node key that it does not hold"
        case .notAdmitted(let node, let key):
            "node \(node) is not admitted under key \(key): it was denied, "
                + "or was not a member before another was"
        case .ourselves: "the address leads to this node itself"
        case .otherStart(let start): "another process runs with this node's key (start \(start))"
        }
    }
}

/// The first sixteen bytes of the caller.
struct Preamble: Equatable {
    static let byteCount = 16
    static let magic = Array("ARBU".utf8)

    let terms: LinkTerms
    let key: KeyID

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.write(terms.versions.lowerBound)
        writer.write(terms.versions.upperBound)
        writer.write(UInt16(0))
        writer.write(terms.features)
        writer.write(key.bits)
        return writer.bytes
    }

    /// What the transcript begins with.
    var prologue: [UInt8] { Array("arbutus link 1\n".utf8) + bytes }

    init(terms: LinkTerms, key: KeyID) {
        self.terms = terms
        self.key = key
    }

    /// Reads sixteen bytes from the network.
    init(_ bytes: [UInt8]) throws(HandshakeFailure) {
        var reader = ByteReader(bytes)
        guard reader.bytes(4) == Self.magic else { throw .otherProtocol }
        guard let oldest = reader.uint8(), let newest = reader.uint8(), reader.uint16() == 0,
            let features = reader.uint32(), let key = reader.uint32(), oldest <= newest
        else { throw .malformed }
        terms = LinkTerms(versions: oldest...newest, features: features)
        self.key = KeyID(bits: key)
    }
}

/// What each side tells the other under the handshake's seal.
struct Introduction: Equatable {
    let publicKey: SigningPublicKey
    let start: StartID
    /// The version that the answering side chose; the caller repeats it.
    let version: UInt8
    let purpose: LinkPurpose
    let features: UInt32

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(publicKey.bytes)
        writer.write(start.bits)
        writer.write(version)
        writer.write(purpose.rawValue)
        writer.write(features)
        return writer.bytes
    }

    init(publicKey: SigningPublicKey, start: StartID, version: UInt8, purpose: LinkPurpose, features: UInt32)
    {
        self.publicKey = publicKey
        self.start = start
        self.version = version
        self.purpose = purpose
        self.features = features
    }

    /// Reads a payload; later versions may append fields.
    init(_ payload: [UInt8]) throws(HandshakeFailure) {
        var reader = ByteReader(payload)
        guard let key = reader.bytes(SigningPublicKey.byteCount).flatMap(SigningPublicKey.init(bytes:)),
            let start = reader.uint64(), let version = reader.uint8(),
            let purpose = reader.uint8().flatMap(LinkPurpose.init(rawValue:)), let features = reader.uint32()
        else { throw .malformed }
        self.init(
            publicKey: key, start: StartID(bits: start), version: version, purpose: purpose,
            features: features)
    }
}
