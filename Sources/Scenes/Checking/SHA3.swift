/// SHA3-256 (FIPS 202): the sponge over Keccak-f[1600] with 136 bytes a block.
struct SHA3: StreamDigest {
    static let blockBytes = 136

    private var lanes = [UInt64](repeating: 0, count: 25)

    /// FIPS 202, section 3.2.5: constants of the step ι.
    private static let constants: [UInt64] = [
        0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808a, 0x8000_0000_8000_8000,
        0x0000_0000_0000_808b, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
        0x0000_0000_0000_008a, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000a,
        0x0000_0000_8000_808b, 0x8000_0000_0000_008b, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
        0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800a, 0x8000_0000_8000_000a,
        0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
    ]

    /// Sections 3.2.2 and 3.2.3, the walk of ρ and π from lane (1, 0): where each lane goes, and how far it
    /// turns.
    private static let walk: [(lane: Int, turn: UInt64)] = {
        var (x, y) = (1, 0)
        return (0..<24).map { step in
            (x, y) = (y, (2 * x + 3 * y) % 5)
            return (x + 5 * y, UInt64((step + 1) * (step + 2) / 2 % 64))
        }
    }()

    mutating func take(_ blocks: UnsafeRawBufferPointer) {
        lanes.withUnsafeMutableBufferPointer { lanes in
            for start in stride(from: 0, to: blocks.count, by: Self.blockBytes) {
                for lane in 0..<Self.blockBytes / 8 {
                    lanes[lane] ^= UInt64(
                        littleEndian: blocks.loadUnaligned(fromByteOffset: start + lane * 8, as: UInt64.self))
                }
                Self.permute(lanes)
            }
        }
    }

    /// Keccak-f[1600]: 24 rounds of θ, ρ, π, χ, ι.
    private static func permute(_ a: UnsafeMutableBufferPointer<UInt64>) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 5) { sums in
            for constant in constants {
                for x in 0..<5 { sums[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] }
                for x in 0..<5 {
                    let sum = sums[(x + 4) % 5] ^ turned(sums[(x + 1) % 5], 1)
                    for y in 0..<5 { a[x + 5 * y] ^= sum }
                }
                var moving = a[1]
                for (lane, turn) in walk {
                    let next = a[lane]
                    a[lane] = turned(moving, turn)
                    moving = next
                }
                for row in stride(from: 0, to: 25, by: 5) {
                    for x in 0..<5 { sums[x] = a[row + x] }
                    for x in 0..<5 { a[row + x] = sums[x] ^ (~sums[(x + 1) % 5] & sums[(x + 2) % 5]) }
                }
                a[0] ^= constant
            }
        }
    }

    private static func turned(_ lane: UInt64, _ bits: UInt64) -> UInt64 {
        bits == 0 ? lane : lane << bits | lane >> (64 - bits)
    }

    mutating func finish(_ rest: [UInt8], total: Int) -> [UInt8] {
        var padded = rest + [0x06]
        padded += [UInt8](repeating: 0, count: Self.blockBytes - padded.count)
        padded[Self.blockBytes - 1] |= 0x80
        padded.withUnsafeBytes { take($0) }
        return lanes.prefix(4).flatMap { lane in withUnsafeBytes(of: lane.littleEndian) { Array($0) } }
    }
}
