import Testing

@testable import Raster

/// The encoders' bytes depend on the pixels alone, never on what a worker did before (issue 2, Engine).
@Suite struct DeterminismTests {
    /// A block as an index of noisy 12-bit samples gives it: floats that hardly shrink.
    private func block(_ seed: UInt64) -> [Float] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func next() -> Float {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Float(500 + (state >> 20) % 3000)
        }
        return (0..<512 * 512).map { _ in
            let (red, near) = (next(), next())
            return (near - red) / (near + red)
        }
    }

    private func encoded(_ pixels: [Float], by coder: FloatBlockCoder) -> [UInt8] {
        let sink = ByteSink(capacity: 1 << 21)
        _ = pixels.withUnsafeBufferPointer { coder.encode($0.baseAddress!, stride: 512, into: sink) }
        return [UInt8](sink.bytes)
    }

    @Test func aBlockIsTheSameWhateverCameBefore() {
        let blocks = (1...24).map { block(UInt64($0)) }
        let fresh = blocks.map { encoded($0, by: FloatBlockCoder()) }
        let used = FloatBlockCoder()
        for _ in 0..<2 {
            for (pixels, wanted) in zip(blocks, fresh).reversed() {
                #expect(encoded(pixels, by: used) == wanted)
            }
        }
    }
}
