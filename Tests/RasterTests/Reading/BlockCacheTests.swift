import Foundation
import Synchronization
import Testing

@testable import Raster

@Suite struct BlockCacheTests {
    private func key(_ number: Int) -> BlockKey {
        BlockKey(address: "/a.tif", band: 1, column: number, row: 0)
    }

    private func block(_ cache: BlockCache, _ value: UInt8, bytes: Int = 1000) -> DecodedBlock {
        let block = DecodedBlock(byteCount: bytes, width: bytes, jobWindow: nil, pool: cache.pool)
        block.bytes.initializeMemory(as: UInt8.self, repeating: value)
        return block
    }

    @Test func eightThreadsDecodeEachBlockOnce() throws {
        let cache = BlockCache(limit: 1 << 20)
        let made = Mutex([Int: Int]())
        let wrong = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for step in 0..<400 {
                let number = (step * 7 + thread * 3) % 50
                do {
                    let found = try cache.block(key(number)) {
                        made.withLock { $0[number, default: 0] += 1 }
                        usleep(50)
                        return block(cache, UInt8(number))
                    }
                    if found.bytes[0] != UInt8(number) || found.bytes[999] != UInt8(number) {
                        wrong.add(1, ordering: .relaxed)
                    }
                } catch {
                    wrong.add(1, ordering: .relaxed)
                }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(made.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<50).map { ($0, 1) }))
        #expect(cache.decoded == 50)
    }

    @Test func theBlockUsedLongestAgoIsForgotten() throws {
        let cache = BlockCache(limit: 10_000)
        var decoded: [Int] = []
        func use(_ number: Int) throws {
            _ = try cache.block(key(number)) {
                decoded.append(number)
                return block(cache, 1)
            }
        }
        for number in 0..<10 { try use(number) }
        try use(0)
        #expect(decoded == Array(0..<10), "ten blocks fit in the bound")
        try use(10)
        try use(0)
        #expect(decoded.last == 10, "the one used last stays")
        try use(1)
        #expect(decoded.last == 1, "the oldest is gone")
    }

    /// What the cache holds stays within its limit, whatever passes through it; one block may be larger.
    @Test func theBoundHolds() throws {
        let cache = BlockCache(limit: 10_000)
        final class Seen { weak var block: DecodedBlock? }
        var all: [Seen] = []
        for number in 0..<200 {
            let seen = Seen()
            _ = try cache.block(key(number)) {
                let made = block(cache, 1, bytes: number % 3 == 0 ? 3000 : 500)
                seen.block = made
                return made
            }
            all.append(seen)
            let held = all.compactMap(\.block).reduce(0) { $0 + $1.bytes.count }
            #expect(held <= 10_000)
        }
        _ = try cache.block(key(1000)) { block(cache, 1, bytes: 50_000) }
        #expect(all.allSatisfy { $0.block == nil })
    }

    /// Decoding ahead passes by what is there and what somebody is at: it does not wait for it.
    @Test func decodingAheadWaitsForNobody() throws {
        let cache = BlockCache(limit: 10_000)
        var inner = 0
        let outer = try cache.block(key(1)) {
            // Whoever waited here for block 1 would wait for ever.
            try cache.decodeAhead(key(1)) {
                inner += 1
                return block(cache, 9)
            }
            try cache.decodeAhead(key(2)) {
                inner += 1
                return block(cache, 2)
            }
            return block(cache, 1)
        }
        #expect(outer.bytes[0] == 1)
        #expect(inner == 1)
        try cache.decodeAhead(key(2)) { throw RasterError("it is there") }
        #expect(try cache.block(key(2)) { block(cache, 8) }.bytes[0] == 2)
        #expect(cache.decoded == 2)
    }

    @Test func aFailureIsNotKept() throws {
        let cache = BlockCache(limit: 10_000)
        #expect(throws: RasterError.self) { try cache.block(key(1)) { throw RasterError("broken") } }
        #expect(try cache.block(key(1)) { block(cache, 7) }.bytes[0] == 7)
        #expect(cache.decoded == 1)
    }
}
