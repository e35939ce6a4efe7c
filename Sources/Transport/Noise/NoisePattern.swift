/// What each message of a handshake carries (Noise section 7): the pattern as data.
struct NoisePattern: Sendable {
    /// One step of a message.
    enum Token: Sendable {
        /// A fresh key, the static key.
        case e, s
        /// Key agreements: the first letter is the initiator's key.
        case ee, es, se, ss
        /// The shared secret.
        case psk
    }

    /// The full name, which begins the transcript.
    let name: String
    /// The initiator writes the first message, then both take turns.
    let messages: [[Token]]

    /// Whether a shared secret is mixed in: then every fresh key is, too (Noise section 9.2).
    var usesSharedSecret: Bool { messages.contains { $0.contains(.psk) } }

    /// What links use: strangers to the cluster key cannot make us compute a single key agreement, static
    /// keys are hidden from onlookers, and both sides prove theirs.
    static let xxpsk0 = NoisePattern(
        name: "Noise_XXpsk0_25519_ChaChaPoly_BLAKE2b",
        messages: [[.psk, .e], [.e, .ee, .s, .es], [.s, .se]])
}
