import Cipher
import Sodium

// The Noise Protocol Framework (noiseprotocol.org, revision 34), as far as XXpsk0 over X25519,
// ChaCha20-Poly1305 and BLAKE2b needs it. Values over bytes: no socket, no clock. What a peer can do wrong is
// a `NoiseError`.

/// Why a Noise message was not made or not taken. The handshake or the link ends with it.
public enum NoiseError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Fewer bytes than the message must have.
    case truncated
    /// More bytes than a Noise message may have.
    case tooLong
    /// The seal does not fit: another key, another transcript, changed bytes, or a message out of order.
    case notAuthentic
    /// A public key of low order, with which no secret can be shared.
    case uselessKey
    /// It was the other side's turn.
    case outOfTurn
    /// The key has sealed all the messages that it may.
    case exhausted

    public var description: String {
        switch self {
        case .truncated: "a message was cut short"
        case .tooLong: "a message is longer than Noise allows"
        case .notAuthentic: "a message was not sealed with the expected key, or was changed on its way"
        case .uselessKey: "the peer sent a public key of low order"
        case .outOfTurn: "a message came out of turn"
        case .exhausted: "a key has sealed as many messages as it may"
        }
    }
}

/// One direction's key and the number of its next message (Noise section 5.1).
///
/// A copy would use a number twice: there is one owner, and it moves the value along.
public struct CipherState: Sendable {
    private var key: Secret?
    /// How many messages were sealed or opened under the link's keys so far; rekeying does not reset it.
    public private(set) var number: UInt64 = 0

    /// The number that is never used for a message (Noise section 5.1).
    static let reserved = UInt64.max

    /// Without a key nothing is sealed: messages pass as they are.
    init(key: Secret? = nil, number: UInt64 = 0) {
        self.key = key
        self.number = number
    }

    var hasKey: Bool { key != nil }

    /// Seals `plaintext` into `output`, which is 16 bytes longer.
    mutating func seal(
        _ plaintext: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(NoiseError) {
        guard let key else { preconditionFailure("a cipher without a key cannot seal") }
        guard number < Self.reserved else { throw .exhausted }
        ChaChaPoly.seal(plaintext, header: header, key: key, number: number, into: output)
        number += 1
    }

    /// Opens `sealed` into `output`, which is 16 bytes shorter. The number moves on only if the seal fits.
    mutating func open(
        _ sealed: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(NoiseError) {
        guard let key else { preconditionFailure("a cipher without a key cannot open") }
        guard number < Self.reserved else { throw .exhausted }
        guard ChaChaPoly.open(sealed, header: header, key: key, number: number, into: output) else {
            throw .notAuthentic
        }
        number += 1
    }

    /// Seals, or passes on when there is no key yet: EncryptWithAd.
    mutating func encrypt(_ plaintext: [UInt8], header: [UInt8]) throws(NoiseError) -> [UInt8] {
        guard let key else { return plaintext }
        guard number < Self.reserved else { throw .exhausted }
        defer { number += 1 }
        return ChaChaPoly.seal(plaintext, header: header, key: key, number: number)
    }

    /// Opens, or passes on when there is no key yet: DecryptWithAd.
    mutating func decrypt(_ sealed: ArraySlice<UInt8>, header: [UInt8]) throws(NoiseError) -> [UInt8] {
        guard let key else { return Array(sealed) }
        guard sealed.count >= ChaChaPoly.tagByteCount else { throw .truncated }
        guard number < Self.reserved else { throw .exhausted }
        guard let plaintext = ChaChaPoly.open(sealed, header: header, key: key, number: number) else {
            throw .notAuthentic
        }
        number += 1
        return plaintext
    }

    /// Replaces the key by one that does not lead back to it (Noise section 4.2, REKEY).
    mutating func rekey() {
        guard let old = key else { preconditionFailure("a cipher without a key cannot rekey") }
        let zeros = [UInt8](repeating: 0, count: ChaChaPoly.keyByteCount)
        let sealed = ChaChaPoly.seal(zeros, header: [], key: old, number: Self.reserved)
        key = Secret(copying: sealed.prefix(ChaChaPoly.keyByteCount))
    }
}
