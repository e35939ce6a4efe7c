import CSodium
import Cipher
import Sodium
import Testing

/// What libcrypto seals is what libsodium seals: the widest vectors of a processor and its narrowest take the
/// same bytes, at every length at which an implementation changes its loops.
@Suite struct ChaChaPolyTests {
    private static let key = (0..<32).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }

    private static func content(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    private static func sealedBySodium(_ plaintext: [UInt8], _ header: [UInt8], _ number: UInt64) -> [UInt8] {
        let nonce: [UInt8] = [0, 0, 0, 0] + withUnsafeBytes(of: number.littleEndian) { Array($0) }
        var sealed = [UInt8](repeating: 0, count: plaintext.count + ChaChaPoly.tagByteCount)
        _ = crypto_aead_chacha20poly1305_ietf_encrypt(
            &sealed, nil, plaintext, UInt64(plaintext.count), header, UInt64(header.count), nil, nonce, key)
        return sealed
    }

    @Test(arguments: [
        0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 511, 512, 513, 1023, 1025, 4096, 65_537, 262_144,
    ])
    func bothLibrariesSealTheSame(count: Int) {
        let (plaintext, key) = (Self.content(count), Secret(copying: Self.key))
        let cases: [(header: [UInt8], number: UInt64)] = [
            ([], 0), ([1, 2, 3, 4, 5, 6, 7, 8, 9], .max), ([9], 1 << 32),
        ]
        for (header, number) in cases {
            let sealed = ChaChaPoly.seal(plaintext, header: header, key: key, number: number)
            #expect(sealed == Self.sealedBySodium(plaintext, header, number))
            #expect(ChaChaPoly.open(sealed[...], header: header, key: key, number: number) == plaintext)
        }
    }

    @Test func whatWasChangedDoesNotOpenAndLeavesNothing() {
        let key = Secret(copying: Self.key)
        let sealed = ChaChaPoly.seal(Self.content(300), header: [1], key: key, number: 5)
        for place in [0, 150, 299, 300, 315] {
            var changed = sealed
            changed[place] ^= 1
            #expect(ChaChaPoly.open(changed[...], header: [1], key: key, number: 5) == nil)
        }
        #expect(ChaChaPoly.open(sealed[...], header: [2], key: key, number: 5) == nil)
        #expect(ChaChaPoly.open(sealed[...], header: [1], key: key, number: 6) == nil)
        #expect(ChaChaPoly.open(sealed.dropLast(), header: [1], key: key, number: 5) == nil)
        #expect(ChaChaPoly.open(sealed.prefix(15), header: [1], key: key, number: 5) == nil)

        var output = [UInt8](repeating: 0xaa, count: 300)
        let isGenuine = Array(sealed.dropLast() + [0]).withUnsafeBytes { changed in
            output.withUnsafeMutableBytes {
                ChaChaPoly.open(
                    changed, header: UnsafeRawBufferPointer(start: nil, count: 0), key: key, number: 5,
                    into: $0)
            }
        }
        #expect(!isGenuine && output.allSatisfy { $0 == 0 })
    }
}
