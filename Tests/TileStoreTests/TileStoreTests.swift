import Foundation
import Testing

@testable import TileStore

@Suite struct TileStoreTests {
    private let folder = NSTemporaryDirectory() + "arbutus-store-\(UInt64.random(in: 0 ... .max))"

    private func key(_ number: UInt8) -> ContentHash { ContentHash(of: [number]) }

    private func put(_ store: TileStore, _ number: UInt8, bytes: Int) throws -> TileStore.Entry {
        try [UInt8](repeating: number, count: bytes).withUnsafeBytes { try store.put(key(number), $0) }
    }

    @Test func hashesAreBLAKE2b256() {
        // RFC 7693's function, 32 bytes out: the published digest of "abc".
        #expect(
            ContentHash(of: Array("abc".utf8)).description
                == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319")
        #expect(ContentHash(hexadecimal: ContentHash(of: [1]).description) == ContentHash(of: [1]))
        #expect(ContentHash(hexadecimal: "12") == nil)
    }

    @Test func aBlobIsFoundAgainByAnotherProcess() throws {
        defer { unlinkTree(folder) }
        let entry = try put(TileStore(folder: folder, limit: 1000), 1, bytes: 100)
        let again = try TileStore(folder: folder, limit: 1000)
        #expect(again.find(key(1)) == entry)
        #expect(again.find(key(2)) == nil)
        #expect(entry.digest == ContentHash(of: [UInt8](repeating: 1, count: 100)))
    }

    @Test func aDamagedBlobIsDropped() throws {
        defer { unlinkTree(folder) }
        let store = try TileStore(folder: folder, limit: 1000)
        let entry = try put(store, 1, bytes: 100)
        let file = open(entry.path, O_WRONLY)
        #expect(pwrite(file, [UInt8(9)], 1, 80) == 1)
        close(file)
        #expect(store.find(key(1)) == nil)
        #expect(access(entry.path, F_OK) != 0)
    }

    /// What this process hashed and pins is not hashed again, unless somebody wrote to it: here the damage is
    /// dated back, which shows that nobody looked.
    @Test func aPinnedBlobIsHashedOnce() throws {
        defer { unlinkTree(folder) }
        let store = try TileStore(folder: folder, limit: 1000)
        let entry = try put(store, 1, bytes: 100)
        var facts = stat()
        #expect(stat(entry.path, &facts) == 0)
        let file = open(entry.path, O_WRONLY)
        #expect(pwrite(file, [UInt8(9)], 1, 80) == 1)
        #expect(futimens(file, [facts.st_atim, facts.st_mtim]) == 0)
        close(file)
        #expect(store.find(key(1)) == entry)
        store.unpin(key(1))
        #expect(store.find(key(1)) == nil)
    }

    @Test func aTruncatedBlobIsDropped() throws {
        defer { unlinkTree(folder) }
        let store = try TileStore(folder: folder, limit: 1000)
        let entry = try put(store, 1, bytes: 100)
        #expect(truncate(entry.path, 100) == 0)
        #expect(store.find(key(1), verify: false) == nil)
    }

    /// What comes from a peer is kept when it is the blob that was asked for, and leaves nothing otherwise.
    @Test func aBlobInPiecesIsKeptOnlyIfItIsTheOne() throws {
        defer { unlinkTree(folder) }
        let store = try TileStore(folder: folder, limit: 1000)
        let blob = (0..<100).map(UInt8.init)
        func give(_ ends: [Int], _ take: (UnsafeRawBufferPointer) throws -> Void) throws {
            var start = 0
            for end in ends {
                try blob[start..<end].withUnsafeBytes(take)
                start = end
            }
        }
        let digest = ContentHash(of: blob)
        let whole = try store.put(key(1), digest: digest) { try give([30, 30, 99, 100], $0) }
        #expect(whole != nil && whole == store.find(key(1)))
        #expect(try store.put(key(2), digest: digest) { try give([30, 99], $0) } == nil)
        struct Broken: Error {}
        #expect(throws: Broken.self) {
            try store.put(key(3), digest: digest) { take in
                try give([30], take)
                throw Broken()
            }
        }
        #expect(store.find(key(2)) == nil && store.find(key(3)) == nil)
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
            $0.contains(".part")
        }
        #expect(files == [])
        #expect(store.collect(everything: true) == 0, "the whole one is pinned")
        store.unpin(key(1))
        #expect(store.collect(everything: true) == 164)
    }

    /// A slip of `--store` must not cost anybody a file.
    @Test func filesOfOthersAreLeftAlone() throws {
        defer { unlinkTree(folder) }
        let store = try TileStore(folder: folder, limit: 1000)
        let entry = try put(store, 1, bytes: 100)
        store.unpin(key(1))
        let branch = String(entry.path[..<entry.path.lastIndex(of: "/")!])
        let hash = key(1).description
        try FileManager.default.createDirectory(
            atPath: folder + "/tasks/mine", withIntermediateDirectories: true)
        let foreign = ["\(folder)/tasks/mine/notes.txt", "\(folder)/tasks/mine/\(hash)", "\(branch)/.x.part"]
        let left = "\(branch)/.\(hash).1.2.part"
        for path in foreign + [left] {
            try Data([1]).write(to: URL(filePath: path))
            var times = [timespec](repeating: timespec(tv_sec: 1000, tv_nsec: 0), count: 2)
            #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
        }
        #expect(store.collect(everything: true) == 165)
        for path in foreign { #expect(access(path, F_OK) == 0, "\(path)") }
        #expect(access(left, F_OK) != 0 && access(entry.path, F_OK) != 0)
    }

    @Test func theOldestUnpinnedBlobsAreForgotten() throws {
        defer { unlinkTree(folder) }
        let store = try TileStore(folder: folder, limit: 400)
        for number in UInt8(1)...3 {
            let entry = try put(store, number, bytes: 100)
            var times = [timespec](repeating: timespec(tv_sec: Int(number) * 1000, tv_nsec: 0), count: 2)
            #expect(utimensat(AT_FDCWD, entry.path, &times, 0) == 0)
        }
        #expect(store.collect() == 0, "all are pinned by their making")
        for number in UInt8(1)...3 { store.unpin(key(number)) }
        store.pin(key(1))
        #expect(store.collect() == 0, "two unpinned ones fit in the limit")
        store.unpin(key(1))
        #expect(store.collect() == 164, "the oldest goes")
        #expect(store.find(key(1)) == nil)
        #expect(store.find(key(3)) != nil)
        #expect(store.collect(everything: true) == 328)
        #expect(store.usage() == TileStore.Usage(blobs: 0, bytes: 0, limit: 400))
    }

    @Test func aFullDiskIsASentence() throws {
        #expect(throws: StoreError.self) { try TileStore(folder: "/proc/arbutus") }
    }

    private func unlinkTree(_ path: String) {
        do { try FileManager.default.removeItem(atPath: path) } catch { Issue.record(error) }
    }
}
