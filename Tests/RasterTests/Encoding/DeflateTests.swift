import CGDAL
import Foundation
import Testing

@testable import Raster

@Suite struct DeflateTests {
    @Test func anEmptyStreamAndKnownBytesComeBack() throws {
        // RFC 1950 stream of "abc", made with Python's zlib.compress(b"abc").
        let stream: [UInt8] = [0x78, 0x9C, 0x4B, 0x4C, 0x4A, 0x06, 0x00, 0x02, 0x4D, 0x01, 0x27]
        #expect(try inflated(stream, count: 3) == Array("abc".utf8))
        #expect(try inflated([0x78, 0x9C, 0x03, 0, 0, 0, 0, 1], count: 0) == [])
    }

    /// Our compressor against zlib's reader and zlib's writer against ours, from empty to larger than a
    /// block.
    @Test(arguments: [0, 1, 2, 100, 65_535, 65_536, 1 << 20]) func zlibReadsOursAndWeReadZlibs(count: Int)
        throws
    {
        var numbers = TestNumbers(state: UInt64(count))
        for spread in [UInt64(1), 7, 255] {
            let data = (0..<count).map { _ in UInt8(truncatingIfNeeded: numbers.next() % (spread + 1)) }
            let ours = compressed(data)
            #expect(ours.count <= Deflater.bound(count))
            #expect(try zlibInflated(ours, count: count) == data)
            #expect(try inflated(ours, count: count) == data)
            #expect(try inflated(zlibDeflated(data), count: count) == data)
        }
    }

    @Test func damageIsFoundAndNeverCrashes() throws {
        var numbers = TestNumbers(state: 5)
        let data = (0..<20_000).map { _ in UInt8(truncatingIfNeeded: numbers.next() % 9) }
        let stream = compressed(data)
        for length in Swift.stride(from: 0, to: stream.count, by: 37) {
            #expect(throws: InflateError.self) { try inflated(Array(stream[..<length]), count: data.count) }
        }
        for _ in 0..<300 {
            var damaged = stream
            let at = Int.random(in: 0..<damaged.count, using: &numbers)
            damaged[at] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
            // A changed header byte can still be a valid header, a changed checksum never.
            let outcome = Result { try inflated(damaged, count: data.count) }
            switch outcome {
            case .success(let bytes): #expect(bytes == data && at < 2)
            case .failure(let error): #expect(error is InflateError)
            }
        }
    }

    @Test func aStreamOfAnotherLengthIsRefused() {
        let stream = compressed([UInt8](repeating: 7, count: 1000))
        #expect(throws: InflateError.wrongLength(expected: 1001, found: 1000)) {
            try inflated(stream, count: 1001)
        }
        #expect(throws: InflateError.tooLong(expected: 999)) { try inflated(stream, count: 999) }
    }

    @Test func aFramedBlockComesBackAndDamageIsFound() throws {
        let image = TestImage(columns: 512, rows: 512, seed: 8) { x, y in (x ^ y) % 3 != 0 }
        let coder = FloatBlockCoder()
        let sink = ByteSink()
        let length = try #require(coder.encode(image.pixels, stride: 512, into: sink))
        #expect(length == sink.count)
        let framed = sink.array
        #expect(framed[..<4].elementsEqual(TiffTag.packed([UInt32(length - 8)])))
        #expect(framed.suffix(4).elementsEqual(framed.dropLast(4).suffix(4)))
        var back = [Float](repeating: 0, count: 512 * 512)
        try framed.withUnsafeBytes { try coder.decode($0, into: &back) }
        #expect(TestBits(back) == TestBits(image.pixels))
        for place in [0, 4000, framed.count - 1] {
            var damaged = framed
            damaged[place] ^= 0x10
            #expect(throws: InflateError.self) {
                try damaged.withUnsafeBytes { try coder.decode($0, into: &back) }
            }
        }
        #expect(
            coder.encode([Float](repeating: .nan, count: 6), stride: 3, columns: 3, rows: 2, into: sink)
                == nil)
        #expect(sink.count == length)
    }

    /// What a coder did before leaves no trace: the bytes of a block depend on its pixels alone.
    @Test func aUsedCoderGivesTheBytesOfAFreshOne() throws {
        let first = TestImage(columns: 512, rows: 300, seed: 21) { x, y in (x / 40 + y / 30) % 4 != 0 }
        let other = TestImage(columns: 512, rows: 512, seed: 22)
        let (used, usedStrips) = (FloatBlockCoder(), PngStripEncoder())
        let indices = PngWriterTests.indices(5000, 512)
        func block(_ coder: FloatBlockCoder, _ image: TestImage) -> [UInt8] {
            let sink = ByteSink()
            _ = coder.encode(image.pixels, stride: 512, columns: 512, rows: image.rows, into: sink)
            return sink.array
        }
        func strip(_ encoder: PngStripEncoder, from row: Int) throws -> [UInt8] {
            let sink = ByteSink()
            _ = try encoder.encode(
                Array(indices[(row * 5000)...]), stride: 5000, columns: 5000, rows: 512 - row, into: sink)
            return sink.array
        }
        for image in [first, other, first] {
            #expect(block(used, image) == block(FloatBlockCoder(), image))
        }
        for row in [0, 200, 0] {
            #expect(try strip(usedStrips, from: row) == strip(PngStripEncoder(), from: row))
        }
    }

    private func compressed(_ data: [UInt8]) -> [UInt8] {
        let sink = ByteSink(capacity: 1)
        _ = data.withUnsafeBytes { Deflater(for: .zlibStream).compress($0, into: sink) }
        return sink.array
    }

    private func inflated(_ stream: [UInt8], count: Int) throws -> [UInt8] {
        var output = [UInt8](repeating: 0, count: count)
        try stream.withUnsafeBytes { input in
            try output.withUnsafeMutableBytes { try Inflater().inflate(input, into: $0) }
        }
        return output
    }

    private func zlibDeflated(_ data: [UInt8]) throws -> [UInt8] {
        var length = 0
        let start = try #require(CPLZLibDeflate(data, data.count, 6, nil, 0, &length))
        defer { VSIFree(start) }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: length))
    }

    private func zlibInflated(_ stream: [UInt8], count: Int) throws -> [UInt8] {
        var output = [UInt8](repeating: 0, count: count + 1)
        var length = 0
        try #require(CPLZLibInflate(stream, stream.count, &output, output.count, &length) != nil)
        return Array(output[..<length])
    }
}
