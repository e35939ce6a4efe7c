import CGDAL
import Foundation
import Synchronization
import Testing

@testable import Raster

/// Serves a folder of this machine as if it were another node's, and counts the questions.
final class FolderSource: PeerFileSource {
    private struct Questions {
        var reads: [(offset: Int, count: Int)] = []
        var failure: RasterError?
    }

    private let root: String
    private let questions = Mutex(Questions())

    init(root: String) { self.root = root }

    var reads: [(offset: Int, count: Int)] { questions.withLock { $0.reads } }

    func fail(_ reason: String) { questions.withLock { $0.failure = RasterError(reason) } }

    func status(node: String, path: String) throws -> PeerFileStatus? {
        guard let found = VirtualFile.status(root + path) else { return nil }
        return PeerFileStatus(
            size: found.isFolder ? 0 : found.size, modified: found.modified, isFolder: found.isFolder,
            version: 1)
    }

    func read(node: String, path: String, version: UInt64, offset: Int, count: Int) throws -> [UInt8] {
        let failure = questions.withLock {
            $0.reads.append((offset, count))
            return $0.failure
        }
        if let failure { throw failure }
        let bytes = try VirtualFile.read(root + path, limit: 64 << 20)
        return Array(bytes[min(offset, bytes.count)..<min(offset + count, bytes.count)])
    }

    func list(node: String, path: String) throws -> [String] { try VirtualFile.list(root + path) }
}

@Suite struct PeerFileSystemTests {
    /// Each test is a node of its own: GDAL's file systems are the whole process's.
    private let node = UUID().uuidString
    private let source: FolderSource
    private var folder: String { "/vsimem/peer-\(node)" }

    init() {
        source = FolderSource(root: "/vsimem/peer-\(node)")
        PeerFileSystem.use(source, onlyFor: node, cacheBytes: 8 << 20)
        VSIMkdir(folder, 0o755)
        VSIMkdir(folder + "/data", 0o755)
    }

    /// 1024 × 768 pixels that no two rows share, written by a driver of GDAL.
    private func write(_ name: String, driver: String, options: [String]) throws {
        let (columns, rows): (Int32, Int32) = (1024, 768)
        let memory = GDALCreate(GDALGetDriverByName("MEM"), "", columns, rows, 1, GDT_UInt16, nil)
        defer { GDALClose(memory) }
        var transform = [500_000.0, 10, 0, 4_700_000, 0, -10]
        GDALSetGeoTransform(memory, &transform)
        var samples = (0..<(columns * rows)).map { UInt16(truncatingIfNeeded: $0 &* 2_654_435 >> 3) }
        let band = GDALGetRasterBand(memory, 1)
        let written = GDALRasterIO(
            band, GF_Write, 0, 0, columns, rows, &samples, columns, rows, GDT_UInt16, 0, 0)
        #expect(written == CE_None)
        let copy = StringList.with(options) {
            GDALCreateCopy(GDALGetDriverByName(driver), folder + "/data/" + name, memory, 0, $0, nil, nil)
        }
        #expect(copy != nil, "GDAL has no driver \(driver)")
        GDALClose(copy)
    }

    private func pixels(
        _ path: String, _ x: Int32 = 0, _ y: Int32 = 0, _ width: Int32 = 1024, _ height: Int32 = 768
    )
        throws -> [UInt16]
    {
        let opened = GDALRuntime.capturing { GDALOpen(path, GA_ReadOnly) }
        let dataset = try #require(opened.value, "cannot open \(path): \(opened.message ?? "")")
        defer { GDALClose(dataset) }
        var samples = [UInt16](repeating: 0, count: Int(width * height))
        let code = GDALRasterIO(
            GDALGetRasterBand(dataset, 1), GF_Read, x, y, width, height, &samples, width, height, GDT_UInt16,
            0, 0)
        #expect(code == CE_None, "cannot read \(path)")
        return samples
    }

    private func address(_ name: String) -> String {
        PeerFileSystem.address(node: node, path: "/data/" + name)
    }

    @Test(arguments: [
        ("a.tif", "COG", ["COMPRESS=DEFLATE", "PREDICTOR=2"]), ("b.tif", "GTiff", ["TILED=YES"]),
        ("c.jp2", "JP2OpenJPEG", ["QUALITY=100", "REVERSIBLE=YES"]),
    ]) func aRemoteFileHasTheSamePixels(name: String, driver: String, options: [String]) throws {
        try write(name, driver: driver, options: options)
        #expect(try pixels(address(name)) == pixels(folder + "/data/" + name))
    }

    @Test func aWindowCostsItsBlocksAndEachBlockOnce() throws {
        try write("w.tif", driver: "GTiff", options: ["TILED=YES", "BLOCKXSIZE=256", "BLOCKYSIZE=256"])
        let first = try pixels(address("w.tif"), 300, 300, 16, 16)
        #expect(first == (try pixels(folder + "/data/w.tif", 300, 300, 16, 16)))
        let bytes = source.reads.reduce(0) { $0 + $1.count }
        #expect(bytes < 1_200_000, "1.5 MB of file for a window of a tile of 128 KiB: \(source.reads)")
        let reads = source.reads.count
        _ = try pixels(address("w.tif"), 300, 300, 16, 16)
        #expect(source.reads.count == reads)
        let blocks = source.reads.flatMap { read in
            stride(from: read.offset, to: read.offset + read.count, by: PeerBlockCache.blockSize).map { $0 }
        }
        #expect(Set(blocks).count == blocks.count, "a block was fetched twice: \(source.reads)")
        #expect(source.reads.allSatisfy { $0.offset % PeerBlockCache.blockSize == 0 })
    }

    @Test func manyThreadsFetchABlockOnce() throws {
        try write("t.tif", driver: "GTiff", options: ["TILED=YES"])
        let expected = try pixels(folder + "/data/t.tif")
        let address = address("t.tif")
        let mismatches = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            do {
                let same = try pixels(address) == expected
                if !same { mismatches.withLock { $0 += 1 } }
            } catch {
                mismatches.withLock { $0 += 1 }
            }
        }
        #expect(mismatches.withLock { $0 } == 0)
        let blocks = source.reads.flatMap { read in
            stride(from: read.offset, to: read.offset + read.count, by: PeerBlockCache.blockSize).map { $0 }
        }
        #expect(Set(blocks).count == blocks.count)
    }

    @Test func foldersAreListedAndNothingIsNothing() throws {
        try write("a.tif", driver: "GTiff", options: [])
        let data = PeerFileSystem.address(node: node, path: "/data")
        #expect(try VirtualFile.list(data) == ["a.tif"])
        #expect(VirtualFile.status(data)?.isFolder == true)
        let size = VirtualFile.status(folder + "/data/a.tif")?.size
        #expect(VirtualFile.status(data + "/a.tif")?.size == size)
        #expect(VirtualFile.status(data + "/none.tif") == nil)
        #expect(VirtualFile.status("/vsipeer/") == nil)
        #expect(VirtualFile.status("/vsipeer/\(node)") == nil)
        #expect(GDALRuntime.capturing { VSIFOpenL(data + "/a.tif", "wb") }.value == nil)
    }

    @Test func aFailureBecomesGDALsErrorWithItsSentence() throws {
        try write("f.tif", driver: "GTiff", options: [])
        source.fail("cannot read /data/f.tif of node 5f1c: the node does not answer; start it again")
        let opened = GDALRuntime.capturing { () -> Int in
            let file = VSIFOpenL(address("f.tif"), "rb")
            defer { VSIFCloseL(file) }
            var byte: UInt8 = 0
            return VSIFReadL(&byte, 1, 1, file)
        }
        #expect(opened.value == 0)
        #expect(
            opened.message == "cannot read /data/f.tif of node 5f1c: the node does not answer; start it again"
        )
        PeerFileSystem.use(nil, onlyFor: node)
        #expect(VirtualFile.status(address("f.tif")) == nil)
    }
}

@Suite struct PeerBlockCacheTests {
    private let file = PeerBlockCache.File(node: "n", path: "/p", version: 1)
    private let content = (0..<(3 * PeerBlockCache.blockSize + 5)).map {
        UInt8(truncatingIfNeeded: $0 &* 31 >> 4)
    }

    private func read(_ cache: PeerBlockCache, _ offset: Int, _ count: Int, asked: inout [Range<Int>]) throws
        -> [UInt8]
    {
        var output = [UInt8](repeating: 0, count: count)
        var questions: [Range<Int>] = []
        let copied = try output.withUnsafeMutableBytes { output in
            try cache.read(file, size: content.count, offset: offset, into: output) { start, count in
                questions.append(start..<(start + count))
                return Array(content[start..<(start + count)])
            }
        }
        asked += questions
        return Array(output.prefix(copied))
    }

    @Test func missingBlocksAreAskedForInOneQuestion() throws {
        let (cache, size) = (PeerBlockCache(limit: 8 << 20), PeerBlockCache.blockSize)
        var asked: [Range<Int>] = []
        #expect(try read(cache, size + 10, 20, asked: &asked) == Array(content[(size + 10)..<(size + 30)]))
        #expect(asked == [size..<(2 * size)])
        #expect(try read(cache, 0, content.count + 100, asked: &asked) == content)
        #expect(asked == [size..<(2 * size), 0..<size, (2 * size)..<content.count])
        #expect(cache.byteCount == content.count)
        #expect(try read(cache, content.count, 10, asked: &asked) == [])
    }

    @Test func theCacheKeepsToItsBound() throws {
        let (cache, size) = (PeerBlockCache(limit: 2 * PeerBlockCache.blockSize), PeerBlockCache.blockSize)
        var asked: [Range<Int>] = []
        for offset in [0, size, 2 * size] { _ = try read(cache, offset, 1, asked: &asked) }
        #expect(cache.byteCount <= 2 * size)
        #expect(try read(cache, 2 * size, 1, asked: &asked) == [content[2 * size]])
        #expect(asked.count == 3)
    }

    @Test func anOwnerThatSendsTooLittleIsNotBelieved() throws {
        let cache = PeerBlockCache(limit: 8 << 20)
        var byte: UInt8 = 0
        let failure = #expect(throws: RasterError.self) {
            try withUnsafeMutableBytes(of: &byte) { output in
                try cache.read(file, size: 1000, offset: 0, into: output) { _, _ in [1, 2, 3] }
            }
        }
        #expect(failure?.description.contains("sent 3 of 1000 bytes") == true)
        #expect(cache.byteCount == 0)
    }
}
