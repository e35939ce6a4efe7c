import Mosaic
import Testing

@testable import Raster

@Suite struct BlobTests {
    /// 1100 × 700 pixels of a 2048 task: 3 × 2 blocks, 2 × 1 and 1 × 1 in the overviews.
    private func blob(provenance: Bool) -> Blob {
        var layer = Blob.Layer()
        layer.levels = [6, 2, 1].enumerated().map { level, count in
            (0..<count).map { Blob.Part(offset: 5000 + level * 100 + $0 * 10, length: 10) }
        }
        layer.levels[0][3] = .none
        layer.palette = [Blob.Part(offset: 6000, length: 1100), .none]
        layer.reasons = (0..<6).map {
            $0 == 2 ? .compressed(Blob.Part(offset: 7000, length: 5)) : .constant(3)
        }
        if provenance { layer.scenes = (0..<6).map { .constant(UInt16($0 * 1000)) } }
        layer.statistics = (0..<6).map {
            PixelStatistics(
                count: $0, minimum: -0.5, maximum: Float($0), sum: Double($0) / 3, sumOfSquares: 0.1)
        }
        layer.counts[.valid] = 15
        layer.counts[.masked] = 1100 * 700 - 15
        layer.remnant = Blob.Part(offset: 7005, length: 138 * 88 * 4)
        return Blob(columns: 1100, rows: 700, taskEdge: 2048, layers: [layer, layer])
    }

    private func parse(_ bytes: [UInt8], byteCount: Int = 100_000) throws -> Blob {
        try bytes.withUnsafeBytes { try Blob(parsing: $0, byteCount: byteCount) }
    }

    @Test(arguments: [false, true]) func aDirectoryComesBack(provenance: Bool) throws {
        let blob = blob(provenance: provenance)
        let bytes = blob.directory
        #expect(
            bytes.count
                == Blob.directoryBytes(
                    indices: 2, columns: 1100, rows: 700, taskEdge: 2048, provenance: provenance))
        #expect(try parse(bytes) == blob)
        #expect(try parse(bytes + [1, 2, 3]) == blob)
    }

    @Test func everyTruncationIsAnError() {
        let bytes = blob(provenance: true).directory
        for length in bytes.indices {
            #expect(throws: RasterError.self) { try parse(Array(bytes[..<length])) }
        }
    }

    @Test func partsOutsideTheBlobAreAnError() {
        #expect(throws: RasterError.self) {
            try parse(blob(provenance: false).directory, byteCount: 7005 + 138 * 88 * 4 - 1)
        }
    }

    /// Damage ends in an error or in a blob whose numbers hold together; never in a crash.
    @Test func garbageNeverCrashes() {
        var numbers = TestNumbers(state: 5)
        let whole = blob(provenance: true).directory
        var accepted = 0
        for _ in 0..<4000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &numbers) {
                let place = Int.random(in: 0..<bytes.count, using: &numbers)
                bytes[place] = Bool.random(using: &numbers) ? 0xFF : UInt8(truncatingIfNeeded: numbers.next())
            }
            if Bool.random(using: &numbers) {
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &numbers))
            }
            do {
                let parsed = try parse(bytes)
                var (counts, statistics) = (ReasonCounts(), PixelStatistics.none)
                for layer in parsed.layers {
                    #expect(layer.counts.total == parsed.columns * parsed.rows)
                    counts += layer.counts
                    for block in layer.statistics { statistics += block }
                    for part in layer.levels.joined() + layer.palette + [layer.remnant] {
                        #expect(part.offset >= 0 && part.offset + part.length <= 100_000)
                    }
                }
                accepted += 1
            } catch {
                #expect(error is RasterError)
            }
        }
        #expect(accepted > 0, "some changes hurt nothing")
    }
}
