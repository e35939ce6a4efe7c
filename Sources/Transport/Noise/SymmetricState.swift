import Sodium

/// The chaining key and the hash of everything said so far (Noise section 5.2).
struct SymmetricState: Sendable {
    private(set) var cipher = CipherState()
    private var chainingKey: [UInt8]
    /// The transcript's hash: two sides with equal ones saw the same handshake.
    private(set) var hash: [UInt8]

    /// - Parameter protocolName: at most 64 bytes.
    init(protocolName: String) {
        let name = Array(protocolName.utf8)
        precondition(name.count <= 64, "the Noise name \(protocolName) is longer than a hash")
        hash = name + [UInt8](repeating: 0, count: 64 - name.count)
        chainingKey = hash
    }

    mutating func mixHash(_ data: some Sequence<UInt8>) {
        hash = Blake2b.digest(hash, Array(data), size: 64)
    }

    mutating func mixKey(_ material: [UInt8]) {
        let outputs = Self.derive(chainingKey, material, count: 2)
        chainingKey = outputs[0]
        cipher = CipherState(key: Secret(copying: outputs[1].prefix(32)))
    }

    mutating func mixKeyAndHash(_ material: [UInt8]) {
        let outputs = Self.derive(chainingKey, material, count: 3)
        chainingKey = outputs[0]
        mixHash(outputs[1])
        cipher = CipherState(key: Secret(copying: outputs[2].prefix(32)))
    }

    mutating func encryptAndHash(_ plaintext: [UInt8]) throws(NoiseError) -> [UInt8] {
        let sealed = try cipher.encrypt(plaintext, header: hash)
        mixHash(sealed)
        return sealed
    }

    mutating func decryptAndHash(_ sealed: ArraySlice<UInt8>) throws(NoiseError) -> [UInt8] {
        let plaintext = try cipher.decrypt(sealed, header: hash)
        mixHash(sealed)
        return plaintext
    }

    /// The two directions' ciphers: the initiator sends with the first.
    func split() -> (CipherState, CipherState) {
        let outputs = Self.derive(chainingKey, [], count: 2)
        return (
            CipherState(key: Secret(copying: outputs[0].prefix(32))),
            CipherState(key: Secret(copying: outputs[1].prefix(32)))
        )
    }

    /// HKDF (Noise section 4.3).
    private static func derive(_ chainingKey: [UInt8], _ material: [UInt8], count: Int) -> [[UInt8]] {
        let root = Blake2b.authenticationCode(key: chainingKey, material)
        var outputs: [[UInt8]] = []
        for index in 1...count {
            let last = outputs.last ?? []
            outputs.append(Blake2b.authenticationCode(key: root, last, [UInt8(index)]))
        }
        return outputs
    }
}
