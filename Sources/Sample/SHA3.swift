import Foundation

/// SHA3-256 (FIPS 202), which Sentinel-2 products since baseline 04.00 carry in `manifest.safe`.
struct SHA3 {
    private static let rate = 136
    private var state = [UInt64](repeating: 0, count: 25)
    /// Bytes absorbed since the last permutation, below `rate`.
    private var filled = 0

    /// The digest of some bytes as 64 hexadecimal digits.
    static func hex(_ bytes: some ContiguousBytes) -> String {
        var sha = SHA3()
        bytes.withUnsafeBytes { sha.absorb($0) }
        return sha.hex()
    }

    mutating func absorb(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            state[filled >> 3] ^= UInt64(byte) << UInt64(8 * (filled & 7))
            filled += 1
            if filled == Self.rate {
                permute()
                filled = 0
            }
        }
    }

    /// Ends the message (padding 01 10*1) and gives the digest.
    mutating func hex() -> String {
        state[filled >> 3] ^= 0x06 << UInt64(8 * (filled & 7))
        state[(Self.rate - 1) >> 3] ^= 0x80 << 56
        permute()
        let digits = Array("0123456789abcdef")
        return String(
            (0..<32).flatMap { index -> [Character] in
                let byte = Int((state[index >> 3] >> UInt64(8 * (index & 7))) & 0xFF)
                return [digits[byte >> 4], digits[byte & 15]]
            })
    }

    /// Rotation and target of each lane in the order that ρ and π visit them (FIPS 202, 3.2.2 and 3.2.3).
    private static let rotations: [UInt64] = [
        1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
    ]
    private static let targets = [
        10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1,
    ]
    /// Round constants of ι (FIPS 202, 3.2.5).
    private static let constants: [UInt64] = [
        0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808A, 0x8000_0000_8000_8000,
        0x0000_0000_0000_808B, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
        0x0000_0000_0000_008A, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000A,
        0x0000_0000_8000_808B, 0x8000_0000_0000_008B, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
        0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800A, 0x8000_0000_8000_000A,
        0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
    ]

    /// Keccak-f[1600]: 24 rounds of θ, ρ, π, χ and ι.
    private mutating func permute() {
        state.withUnsafeMutableBufferPointer { a in
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 5) { column in
                for constant in Self.constants {
                    for x in 0..<5 { column[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] }
                    for x in 0..<5 {
                        let next = column[(x + 1) % 5]
                        let parity = column[(x + 4) % 5] ^ (next << 1 | next >> 63)
                        for y in 0..<5 { a[x + 5 * y] ^= parity }
                    }
                    var carried = a[1]
                    for step in 0..<24 {
                        let target = Self.targets[step]
                        let rotation = Self.rotations[step]
                        let kept = a[target]
                        a[target] = carried << rotation | carried >> (64 - rotation)
                        carried = kept
                    }
                    for y in stride(from: 0, to: 25, by: 5) {
                        for x in 0..<5 { column[x] = a[y + x] }
                        for x in 0..<5 { a[y + x] = column[x] ^ (~column[(x + 1) % 5] & column[(x + 2) % 5]) }
                    }
                    a[0] ^= constant
                }
            }
        }
    }
}
