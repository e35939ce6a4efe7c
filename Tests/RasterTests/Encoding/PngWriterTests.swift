import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Raster

@Suite struct PngWriterTests {
    @Test(arguments: [(1, 1), (1, 1025), (700, 511), (513, 512), (333, 513), (1030, 1100), (120_000, 3)])
    func gdalReadsBackTheIndices(columns: Int, rows: Int) throws {
        let folder = try TestFolder()
        let indices = Self.indices(columns, rows)
        let length = try Self.write(indices, columns, rows, to: folder, name: "p.png")
        let path = folder.path + "/p.png"
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int == length)
        let dataset = try Dataset(opening: path)
        #expect(dataset.size == (columns, rows))
        let band = try dataset.band(1)
        var back = [UInt8](repeating: 0, count: columns * rows)
        let outcome = GDALRuntime.capturing {
            GDALRasterIO(
                band, GF_Read, 0, 0, Int32(columns), Int32(rows), &back, Int32(columns), Int32(rows),
                GDT_Byte, 0, 0)
        }
        #expect(outcome.value == CE_None && outcome.message == nil)
        #expect(back == indices)
        let table = try #require(GDALGetRasterColorTable(band))
        #expect(GDALGetColorEntryCount(table) == 256)
        let first = try #require(GDALGetColorEntry(table, 0)).pointee
        let second = try #require(GDALGetColorEntry(table, 1)).pointee
        #expect(first.c4 == 0)
        #expect([second.c1, second.c2, second.c3, second.c4] == [165, 0, 38, 255])
    }

    @Test func checksumsOfPiecesJoinToTheChecksumOfTheWhole() {
        // "Wikipedia" is the checksum's usual example: 0x11E60398.
        var joined = Adler32()
        for piece in ["Wiki", "", "ped", "ia"] {
            joined.append(Self.adler(Array(piece.utf8)), length: piece.count)
        }
        #expect(joined.value == 0x11E6_0398)
        var numbers = TestNumbers(state: 1)
        for _ in 0..<50 {
            let bytes = (0..<Int.random(in: 0...90_000, using: &numbers)).map { _ in
                UInt8(truncatingIfNeeded: numbers.next() | 0xF0)
            }
            let cut = Int.random(in: 0...bytes.count, using: &numbers)
            var two = Adler32()
            two.append(Self.adler(Array(bytes[..<cut])), length: cut)
            two.append(Self.adler(Array(bytes[cut...])), length: bytes.count - cut)
            #expect(two.value == Self.adler(bytes))
        }
    }

    @Test func aPictureTooLargeForTheFormatIsRefused() throws {
        let folder = try TestFolder()
        #expect(throws: RasterError.self) {
            try folder.stream("p.png") {
                _ = try PngWriter(to: $0, columns: 1 << 31, rows: 1, palette: Colormap.grey.palette)
            }
        }
        #expect(throws: RasterError.self) {
            try PngStripEncoder().encode([0], stride: 1, columns: 1 << 30, rows: 2, into: ByteSink())
        }
    }

    /// A full device ends in a sentence.
    @Test func aFullDiskIsNamed() throws {
        let descriptor = open("/dev/full", O_WRONLY)
        try #require(descriptor >= 0)
        let file = OutputWriter(OutputFile(descriptor: descriptor, path: "out/ndvi.png"))
        let error = #expect(throws: RasterError.self) {
            _ = try PngWriter(to: file, columns: 1, rows: 1, palette: Colormap.grey.palette)
            try file.finish()
        }
        #expect(
            error?.description
                == "cannot write out/ndvi.png: No space left on device; free some space, or choose another "
                + "folder with --out")
    }

    /// Bands of one colour, ramps and noise, as pictures have them.
    static func indices(_ columns: Int, _ rows: Int) -> [UInt8] {
        var numbers = TestNumbers(state: UInt64(columns))
        return (0..<columns * rows).map { index in
            let (x, y) = (index % columns, index / columns)
            if (x / 97 + y / 31) % 3 == 0 { return 0 }
            return UInt8(truncatingIfNeeded: 1 + (x / 9 + y / 5) % 230 + Int(numbers.next() % 20))
        }
    }

    @discardableResult
    static func write(
        _ indices: [UInt8], _ columns: Int, _ rows: Int, to folder: TestFolder, name: String
    ) throws -> Int {
        let encoder = PngStripEncoder()
        let sink = ByteSink()
        return try folder.stream(name) { file in
            var writer = try PngWriter(
                to: file, columns: columns, rows: rows, palette: Colormap.rdylgn.palette)
            for number in 0..<writer.stripCount {
                sink.truncate()
                let strip = try indices.withUnsafeBufferPointer {
                    try encoder.encode(
                        $0.baseAddress! + number * PngStrip.rows * columns, stride: columns, columns: columns,
                        rows: writer.rows(ofStrip: number), into: sink)
                }
                try writer.append(strip, chunk: sink.bytes)
            }
            return try writer.finish()
        }
    }

    /// The definition of RFC 1950, one byte at a time.
    private static func adler(_ bytes: [UInt8]) -> UInt32 {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return b << 16 | a
    }
}
