import Cipher
import Sodium

/// A handshake between two sides that take turns (Noise section 5.3): messages in, messages out, and in the
/// end two ciphers.
struct NoiseHandshake: Sendable {
    /// A Noise message has at most this many bytes (section 3).
    static let messageLimit = 65_535

    private let pattern: NoisePattern
    private let isInitiator: Bool
    private let staticKey: AgreementKey
    private let sharedSecret: [UInt8]
    private var freshKey: AgreementKey
    private var symmetric: SymmetricState
    private var next = 0
    /// The other side's static key, once it was received and the message's seal was good.
    private(set) var remoteStaticKey: AgreementPublicKey?
    private var remoteFreshKey: AgreementPublicKey?

    /// - Parameters:
    ///   - prologue: what both sides must have seen alike before the first message.
    ///   - sharedSecret: 32 bytes.
    ///   - freshKey: for known answers in tests; every real handshake draws its own.
    init(
        _ pattern: NoisePattern = .xxpsk0, isInitiator: Bool, prologue: [UInt8], staticKey: AgreementKey,
        sharedSecret: [UInt8], freshKey: AgreementKey = .random()
    ) {
        precondition(sharedSecret.count == 32, "a shared secret of \(sharedSecret.count) bytes")
        self.pattern = pattern
        self.isInitiator = isInitiator
        self.staticKey = staticKey
        self.sharedSecret = sharedSecret
        self.freshKey = freshKey
        symmetric = SymmetricState(protocolName: pattern.name)
        symmetric.mixHash(prologue)
    }

    /// All messages were exchanged.
    var isComplete: Bool { next == pattern.messages.count }
    /// The transcript's hash.
    var transcript: [UInt8] { symmetric.hash }

    private var isOurTurn: Bool { !isComplete && (next % 2 == 0) == isInitiator }

    /// Our next message.
    mutating func write(_ payload: [UInt8]) throws(NoiseError) -> [UInt8] {
        guard isOurTurn else { throw .outOfTurn }
        var message: [UInt8] = []
        for token in pattern.messages[next] {
            switch token {
            case .e:
                let bytes = freshKey.publicKey.bytes
                message += bytes
                mixFreshKey(bytes)
            case .s: message += try symmetric.encryptAndHash(staticKey.publicKey.bytes)
            case .psk: symmetric.mixKeyAndHash(sharedSecret)
            case .ee, .es, .se, .ss: try agree(token)
            }
        }
        message += try symmetric.encryptAndHash(payload)
        guard message.count <= Self.messageLimit else { throw .tooLong }
        next += 1
        return message
    }

    /// The other side's next message; its payload. After an error the handshake is of no use any more.
    mutating func read(_ message: [UInt8]) throws(NoiseError) -> [UInt8] {
        guard !isComplete, !isOurTurn else { throw .outOfTurn }
        guard message.count <= Self.messageLimit else { throw .tooLong }
        var rest = message[...]
        for token in pattern.messages[next] {
            switch token {
            case .e:
                let bytes = try Self.take(32, of: &rest)
                remoteFreshKey = AgreementPublicKey(bytes: Array(bytes))
                mixFreshKey(Array(bytes))
            case .s:
                let size = symmetric.cipher.hasKey ? 32 + ChaChaPoly.tagByteCount : 32
                let sealed = try Self.take(size, of: &rest)
                remoteStaticKey = AgreementPublicKey(bytes: try symmetric.decryptAndHash(sealed))
            case .psk: symmetric.mixKeyAndHash(sharedSecret)
            case .ee, .es, .se, .ss: try agree(token)
            }
        }
        let payload = try symmetric.decryptAndHash(rest)
        next += 1
        return payload
    }

    /// The ciphers of a complete handshake.
    func split() -> (sending: CipherState, receiving: CipherState) {
        precondition(isComplete, "a handshake is split after \(next) messages")
        let (first, second) = symmetric.split()
        return isInitiator ? (first, second) : (second, first)
    }

    private mutating func mixFreshKey(_ bytes: [UInt8]) {
        symmetric.mixHash(bytes)
        if pattern.usesSharedSecret { symmetric.mixKey(bytes) }
    }

    private mutating func agree(_ token: NoisePattern.Token) throws(NoiseError) {
        let oursIsStatic: Bool
        let theirsIsStatic: Bool
        switch token {
        case .ee: (oursIsStatic, theirsIsStatic) = (false, false)
        case .ss: (oursIsStatic, theirsIsStatic) = (true, true)
        case .es: (oursIsStatic, theirsIsStatic) = (!isInitiator, isInitiator)
        case .se: (oursIsStatic, theirsIsStatic) = (isInitiator, !isInitiator)
        case .e, .s, .psk: preconditionFailure("\(token) is no key agreement")
        }
        guard let theirs = theirsIsStatic ? remoteStaticKey : remoteFreshKey else {
            preconditionFailure("\(pattern.name) agrees on \(token) before the key was sent")
        }
        guard let shared = (oursIsStatic ? staticKey : freshKey).agree(with: theirs) else {
            throw .uselessKey
        }
        symmetric.mixKey(shared)
    }

    private static func take(_ count: Int, of rest: inout ArraySlice<UInt8>) throws(NoiseError)
        -> ArraySlice<UInt8>
    {
        guard rest.count >= count else { throw .truncated }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
