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

    /// Runs of every length around those that one symbol holds (RFC 1951, 3.2.5: 3 to 258), of one byte and
    /// of two, alone and between noise.
    @Test(arguments: [1, 2]) func runsOfEveryLengthComeBack(valueBytes: Int) throws {
        var numbers = TestNumbers(state: UInt64(valueBytes))
        var all: [UInt8] = []
        for length in Array(1...40) + Array(120...140) + Array(225...275) + Array(510...525) + [776, 5000] {
            let value = (0..<valueBytes).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
            let run = (0..<length * valueBytes).map { value[$0 % valueBytes] }
            let ours = compressed(run, valueBytes)
            #expect(try zlibInflated(ours, count: run.count) == run)
            #expect(try inflated(ours, count: run.count) == run)
            all += run + (0..<Int(numbers.next() % 9)).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
        }
        let ours = compressed(all, valueBytes)
        #expect(try zlibInflated(ours, count: all.count) == all)
        #expect(ours.count < all.count / 3)
        let plain = [UInt8](repeating: 7, count: 1 << 20)
        #expect(compressed(plain, valueBytes).count < 1500)
    }

    /// Noise stays as long as it is, but for five bytes in 65,535.
    @Test(arguments: [1, 1000, 65_535, 65_536, 1 << 20, 1 << 20 + 1]) func noiseDoesNotGrow(count: Int) throws
    {
        var numbers = TestNumbers(state: UInt64(count))
        let noise = (0..<count).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
        let ours = compressed(noise)
        #expect(ours.count <= count + 5 * (count / 65_535 + 2) + 6)
        #expect(try zlibInflated(ours, count: count) == noise)
        #expect(try inflated(ours, count: count) == noise)
    }

    /// The literals that are counted (eight of each 32, in a large block) look nothing like the others.
    @Test func aMisleadingSampleCostsBytesAndNothingElse() throws {
        var numbers = TestNumbers(state: 31)
        let data = (0..<1 << 17).map { place in
            place % 32 < 8 ? UInt8(place % 2) : UInt8(truncatingIfNeeded: numbers.next())
        }
        let ours = compressed(data)
        #expect(ours.count <= data.count + 30)
        #expect(try zlibInflated(ours, count: data.count) == data)
    }

    /// A few literals between long runs, in a block that is sampled: they are counted all the same.
    @Test func literalsBetweenRunsHaveShortCodes() throws {
        let data = (0..<1 << 12).flatMap { _ in [1, 2, 3] + [UInt8](repeating: 0, count: 13) }
        let ours = compressed(data)
        #expect(ours.count < 8000)
        #expect(try zlibInflated(ours, count: data.count) == data)
    }

    /// Parts that are raw deflate follow each other to one stream, whatever the parts hold.
    @Test func partsFollowEachOther() throws {
        var numbers = TestNumbers(state: 3)
        let deflater = Deflater(for: .pngPart)
        let sink = ByteSink()
        sink.append([0x78, 0x01])
        var all: [UInt8] = []
        for count in [1, 0, 100, 70_000, 3] {
            let part = (0..<count).map { _ in UInt8(truncatingIfNeeded: numbers.next() % 5) }
            _ = part.withUnsafeBytes { deflater.compress($0, into: sink) }
            all += part
        }
        sink.append([0x03, 0x00])
        let adler = all.reduce((UInt32(1), UInt32(0))) { sums, byte in
            let low = (sums.0 + UInt32(byte)) % 65_521
            return (low, (sums.1 + low) % 65_521)
        }
        sink.append(withUnsafeBytes(of: (adler.1 << 16 | adler.0).bigEndian) { [UInt8]($0) })
        #expect(try zlibInflated(sink.array, count: all.count) == all)
        #expect(try inflated(sink.array, count: all.count) == all)
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

    private func compressed(_ data: [UInt8], _ valueBytes: Int = 1) -> [UInt8] {
        let sink = ByteSink(capacity: 1)
        let deflater = Deflater(for: .zlibStream)
        _ = data.withUnsafeBytes { deflater.compress($0, valueBytes: valueBytes, into: sink) }
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
