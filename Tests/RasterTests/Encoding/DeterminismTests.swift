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

    /// ISA-L 2.30 hashes the address of its state in place of the third byte when a stream is compressed in
    /// one piece. Short inputs (whose hash tables are small) that repeat the bytes from the third on show it;
    /// 64 compressors that live at once have 64 addresses.
    @Test(arguments: [Deflater.Purpose.tiffBlock, .pngPart])
    func theAddressOfTheCompressorIsNotInTheBytes(purpose: Deflater.Purpose) {
        let compressors = (0..<64).map { _ in Deflater(for: purpose) }
        var numbers = TestNumbers(state: 77)
        for _ in 0..<400 {
            let noise = (0..<100).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
            let data = noise + noise[2..<12] + noise.reversed()
            let bytes = compressors.map { compressor in
                let sink = ByteSink()
                _ = data.withUnsafeBytes { compressor.compress($0, into: sink) }
                return sink.array
            }
            #expect(Set(bytes).count == 1)
        }
    }
}
