import Cluster
import Sodium

// From a connection to a link. The caller names a cluster key in clear; one that the other side does not hold
// is refused in clear too, and the caller tries its next key on the same connection. Everything after that is
// Noise's, and what was said in clear is in its transcript.
//
//     caller  → preamble 16 | length 2 | first message
//     answer  ← status 1 | versions 2 | zero 1 | (status 0: length 2 | second message)
//     caller  → length 2 | third message

/// What a link is made of once both sides have proved themselves.
public struct LinkSession: Sendable {
    /// The other end.
    public let peer: LinkPeer
    /// The cluster key that admitted it.
    public let key: KeyID
    /// The version that both speak.
    public let version: UInt8
    /// The features that both have.
    public let features: UInt32
    /// What the link carries.
    public let purpose: LinkPurpose
    /// Whether we called.
    public let isCaller: Bool
    let sending: CipherState
    let receiving: CipherState
    /// The same on both sides, and for no other link.
    let transcript: [UInt8]
}

/// One side of a handshake: bytes in any pieces go in, what to do comes out. After `established` or `failed`
/// it wants no more.
struct LinkHandshake: Sendable {
    /// What we bring along.
    struct Own: Sendable {
        let identity: NodeIdentity
        let start: StartID
        let keys: SealingKeys
        var terms = LinkTerms.current
    }

    /// What the shell does next.
    enum Action: Sendable {
        case send([UInt8])
        /// The link's keys, and bytes that came behind the handshake: the first frames.
        case established(LinkSession, rest: [UInt8])
        case failed(HandshakeFailure)
    }

    /// What the answering side says first.
    enum Status: UInt8 {
        case goOn = 0
        case unknownKey = 1
        case noCommonVersion = 2
        case busy = 3
    }

    /// calling: → answerAwaited → over; answering: preambleAwaited → proofAwaited → over.
    private enum State: Sendable {
        /// We called with this preamble; the keys are those not tried yet.
        case answerAwaited(NoiseHandshake, Preamble, untried: [KeyID])
        /// The caller may still name this many keys.
        case preambleAwaited(tries: Int)
        /// We answered, and chose this version.
        case proofAwaited(NoiseHandshake, Preamble, version: UInt8)
        case over
    }

    /// Bytes of a handshake message at most; ours have 160.
    static let messageLimit = 1024
    /// Keys that a caller may name, one after another.
    static let mostTries = KeyTable.mostKeys

    private let own: Own
    private let purpose: LinkPurpose
    private var state: State
    private var buffer: [UInt8] = []

    /// The answering side.
    init(answeringAs own: Own) {
        self.own = own
        purpose = .control
        state = .preambleAwaited(tries: Self.mostTries)
    }

    /// The calling side, and its first bytes.
    static func call(as own: Own, purpose: LinkPurpose) -> (LinkHandshake, [Action]) {
        var handshake = LinkHandshake(calling: own, purpose)
        let actions = handshake.attempt { (side) throws(HandshakeFailure) in
            try side.ask(untried: own.keys.asked)
        }
        return (handshake, actions)
    }

    private init(calling own: Own, _ purpose: LinkPurpose) {
        self.own = own
        self.purpose = purpose
        state = .over
    }

    /// The answer to a connection that there is no room for.
    static func busyAnswer(_ terms: LinkTerms) -> [UInt8] { answer(.busy, terms) }

    /// The next bytes of the connection.
    mutating func received(_ bytes: some Sequence<UInt8>) -> [Action] {
        if case .over = state { return [] }
        buffer.append(contentsOf: bytes)
        var actions: [Action] = []
        while true {
            let before = buffer.count
            let step = attempt { (side) throws(HandshakeFailure) in try side.advance() }
            actions += step
            if case .over = state { return actions }
            if step.isEmpty, buffer.count == before { return actions }
        }
    }

    private mutating func attempt(
        _ body: (inout LinkHandshake) throws(HandshakeFailure) -> [Action]
    ) -> [Action] {
        do throws(HandshakeFailure) {
            return try body(&self)
        } catch {
            let farewell: [Action] =
                switch (error, state) {
                case (.noCommonVersion, .preambleAwaited): [.send(Self.answer(.noCommonVersion, own.terms))]
                default: []
                }
            state = .over
            buffer = []
            return farewell + [.failed(error)]
        }
    }

    private mutating func advance() throws(HandshakeFailure) -> [Action] {
        switch state {
        case .answerAwaited(let noise, let preamble, let untried):
            return try answered(noise, preamble, untried: untried)
        case .preambleAwaited(let tries): return try called(tries: tries)
        case .proofAwaited(let noise, let preamble, let version):
            return try proved(noise, preamble, version: version)
        case .over: return []
        }
    }

    // MARK: The calling side

    private mutating func ask(untried: [KeyID]) throws(HandshakeFailure) -> [Action] {
        guard let key = untried.first, let entry = own.keys[key] else { throw .noCommonKey }
        let preamble = Preamble(terms: own.terms, key: key)
        var noise = noiseHandshake(preamble, entry, isInitiator: true)
        let message = try Self.noise { () throws(NoiseError) in try noise.write([]) }
        state = .answerAwaited(noise, preamble, untried: Array(untried.dropFirst()))
        return [.send(preamble.bytes + Self.framed(message))]
    }

    private mutating func answered(_ noise: NoiseHandshake, _ preamble: Preamble, untried: [KeyID])
        throws(HandshakeFailure) -> [Action]
    {
        guard buffer.count >= 4 else { return [] }
        guard let status = Status(rawValue: buffer[0]), buffer[3] == 0, buffer[1] <= buffer[2] else {
            throw .otherProtocol
        }
        switch status {
        case .unknownKey:
            buffer.removeFirst(4)
            return try ask(untried: untried)
        case .noCommonVersion: throw .noCommonVersion(buffer[1]...buffer[2])
        case .busy: throw .busy
        case .goOn: break
        }
        guard let message = try message(after: 4) else { return [] }
        buffer.removeFirst(4 + 2 + message.count)
        var noise = noise
        let payload = try Self.noise { () throws(NoiseError) in try noise.read(message) }
        let introduction = try Introduction(payload)
        let peer = try identify(introduction, noise, key: preamble.key)
        guard own.terms.versions.contains(introduction.version) else { throw .malformed }
        let ours = Introduction(
            publicKey: own.identity.publicKey, start: own.start, version: introduction.version,
            purpose: purpose, features: own.terms.features & introduction.features)
        let proof = try Self.noise { () throws(NoiseError) in try noise.write(ours.bytes) }
        return [.send(Self.framed(proof))] + establish(noise, peer, preamble.key, ours, isCaller: true)
    }

    // MARK: The answering side

    /// The caller asked with keys that we do not hold, and with no other yet.
    var lacksCallersKey: Bool {
        if case .preambleAwaited(let tries) = state { tries < Self.mostTries } else { false }
    }

    private mutating func called(tries: Int) throws(HandshakeFailure) -> [Action] {
        guard buffer.starts(with: Preamble.magic.prefix(buffer.count)) else { throw .otherProtocol }
        guard buffer.count >= Preamble.byteCount else { return [] }
        let preamble = try Preamble(Array(buffer.prefix(Preamble.byteCount)))
        guard let version = own.terms.common(with: preamble.terms.versions) else {
            throw .noCommonVersion(preamble.terms.versions)
        }
        guard let message = try message(after: Preamble.byteCount) else { return [] }
        buffer.removeFirst(Preamble.byteCount + 2 + message.count)
        guard let entry = own.keys[preamble.key] else {
            guard tries > 1 else { throw .noCommonKey }
            state = .preambleAwaited(tries: tries - 1)
            return [.send(Self.answer(.unknownKey, own.terms))]
        }
        var noise = noiseHandshake(preamble, entry, isInitiator: false)
        _ = try Self.noise { () throws(NoiseError) in try noise.read(message) }
        let ours = Introduction(
            publicKey: own.identity.publicKey, start: own.start, version: version, purpose: .control,
            features: own.terms.features & preamble.terms.features)
        let reply = try Self.noise { () throws(NoiseError) in try noise.write(ours.bytes) }
        state = .proofAwaited(noise, preamble, version: version)
        return [.send(Self.answer(.goOn, own.terms) + Self.framed(reply))]
    }

    private mutating func proved(_ noise: NoiseHandshake, _ preamble: Preamble, version: UInt8)
        throws(HandshakeFailure) -> [Action]
    {
        guard let message = try message(after: 0) else { return [] }
        buffer.removeFirst(2 + message.count)
        var noise = noise
        let payload = try Self.noise { () throws(NoiseError) in try noise.read(message) }
        let introduction = try Introduction(payload)
        guard introduction.version == version,
            introduction.features == own.terms.features & preamble.terms.features
        else { throw .malformed }
        let peer = try identify(introduction, noise, key: preamble.key)
        return establish(noise, peer, preamble.key, introduction, isCaller: false)
    }

    // MARK: Both sides

    private func noiseHandshake(_ preamble: Preamble, _ entry: SealingKeys.Entry, isInitiator: Bool)
        -> NoiseHandshake
    {
        NoiseHandshake(
            isInitiator: isInitiator, prologue: preamble.prologue, staticKey: own.identity.agreementKey,
            sharedSecret: entry.link.withBytes { Array($0) })
    }

    /// The peer proved that it holds the static key; the Ed25519 key that it names must be the same one.
    private func identify(_ introduction: Introduction, _ noise: NoiseHandshake, key: KeyID)
        throws(HandshakeFailure) -> LinkPeer
    {
        guard let proved = noise.remoteStaticKey, introduction.publicKey.agreementKey == proved else {
            throw .falseIdentity
        }
        let id = NodeID(of: introduction.publicKey)
        if introduction.publicKey == own.identity.publicKey {
            throw introduction.start == own.start ? .ourselves : .otherStart(introduction.start)
        }
        guard own.keys.admits(id, under: key) else { throw .notAdmitted(id, key) }
        return LinkPeer(id: id, publicKey: introduction.publicKey, start: introduction.start)
    }

    private mutating func establish(
        _ noise: NoiseHandshake, _ peer: LinkPeer, _ key: KeyID, _ agreed: Introduction, isCaller: Bool
    ) -> [Action] {
        let ciphers = noise.split()
        let session = LinkSession(
            peer: peer, key: key, version: agreed.version, features: agreed.features, purpose: agreed.purpose,
            isCaller: isCaller, sending: ciphers.sending, receiving: ciphers.receiving,
            transcript: noise.transcript)
        state = .over
        defer { buffer = [] }
        return [.established(session, rest: buffer)]
    }

    /// The message whose length stands at `offset`; nil while it is not complete.
    private func message(after offset: Int) throws(HandshakeFailure) -> [UInt8]? {
        guard buffer.count >= offset + 2 else { return nil }
        let length = Int(buffer[offset]) << 8 | Int(buffer[offset + 1])
        guard length <= Self.messageLimit else { throw .malformed }
        guard buffer.count >= offset + 2 + length else { return nil }
        return Array(buffer[(offset + 2)..<(offset + 2 + length)])
    }

    private static func framed(_ message: [UInt8]) -> [UInt8] {
        [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
    }

    private static func answer(_ status: Status, _ terms: LinkTerms) -> [UInt8] {
        [status.rawValue, terms.versions.lowerBound, terms.versions.upperBound, 0]
    }

    private static func noise<Result>(_ body: () throws(NoiseError) -> Result) throws(HandshakeFailure)
        -> Result
    {
        do throws(NoiseError) {
            return try body()
        } catch {
            throw .noise(error)
        }
    }
}
