import Foundation

/// MD5 (RFC 1321). It finds damage, which is all that it is for here; it does not withstand forgers.
struct MD5: StreamDigest {
    static let blockBytes = 64

    private var state: (UInt32, UInt32, UInt32, UInt32) = (0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476)

    /// RFC 1321, section 3.4: the integer part of 2³² · |sin(i)|.
    private static let sines: [UInt32] = (1...64).map { UInt32(abs(sin(Double($0))) * 4_294_967_296) }
    /// Rotations of the four rounds.
    private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

    mutating func take(_ blocks: UnsafeRawBufferPointer) {
        Self.sines.withUnsafeBufferPointer { sines in
            Self.shifts.withUnsafeBufferPointer { shifts in
                for start in stride(from: 0, to: blocks.count, by: Self.blockBytes) {
                    take(block: blocks.baseAddress! + start, sines, shifts)
                }
            }
        }
    }

    private mutating func take(
        block: UnsafeRawPointer, _ sines: UnsafeBufferPointer<UInt32>, _ shifts: UnsafeBufferPointer<UInt32>
    ) {
        var (a, b, c, d) = state
        for step in 0..<64 {
            let mixed: UInt32
            let word: Int
            switch step >> 4 {
            case 0: (mixed, word) = ((b & c) | (~b & d), step)
            case 1: (mixed, word) = ((d & b) | (~d & c), (5 * step + 1) & 15)
            case 2: (mixed, word) = (b ^ c ^ d, (3 * step + 5) & 15)
            default: (mixed, word) = (c ^ (b | ~d), (7 * step) & 15)
            }
            let value = UInt32(littleEndian: block.loadUnaligned(fromByteOffset: word * 4, as: UInt32.self))
            let sum = a &+ mixed &+ sines[step] &+ value
            let shift = shifts[(step >> 4) << 2 | step & 3]
            (a, d, c) = (d, c, b)
            b = b &+ (sum << shift | sum >> (32 - shift))
        }
        state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d)
    }

    mutating func finish(_ rest: [UInt8], total: Int) -> [UInt8] {
        var padded = rest + [0x80]
        while padded.count % Self.blockBytes != 56 { padded.append(0) }
        padded += withUnsafeBytes(of: (UInt64(total) &* 8).littleEndian) { Array($0) }
        padded.withUnsafeBytes { take($0) }
        return [state.0, state.1, state.2, state.3].flatMap { word in
            withUnsafeBytes(of: word.littleEndian) { Array($0) }
        }
    }
}
