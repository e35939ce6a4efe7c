import Testing

@testable import Raster

@Suite struct BufferPoolTests {
    @Test func aBufferIsUsedAgainForItsSize() {
        let pool = BufferPool(limit: 1 << 20)
        let first = pool.take(1000)
        first.storeBytes(of: 77, as: UInt8.self)
        pool.give(first)
        let other = pool.take(2000)
        #expect(other.count == 2000)
        let again = pool.take(1000)
        #expect(again.baseAddress == first.baseAddress && again.count == 1000)
        #expect(again.load(as: UInt8.self) == 77)
        #expect(pool.held == 3000)
        pool.give(other)
        pool.give(again)
        #expect(pool.held == 3000)
    }

    @Test func nothingIsKeptAboveTheLimit() {
        let pool = BufferPool(limit: 2500)
        let all = (0..<4).map { _ in pool.take(1000) }
        #expect(pool.held == 4000)
        for buffer in all { pool.give(buffer) }
        #expect(pool.held == 2000)
    }

    /// What is kept of sizes that nobody wants any more makes room.
    @Test func otherSizesGoFirst() {
        let pool = BufferPool(limit: 3000)
        for buffer in (0..<3).map({ _ in pool.take(1000) }) { pool.give(buffer) }
        #expect(pool.held == 3000)
        let wanted = pool.take(1500)
        #expect(pool.held == 1500)
        pool.give(wanted)
    }

    @Test func planesComeAndGoByTheirCount() {
        let pool = BufferPool(limit: 1 << 20)
        let plane = pool.plane(Float.self, count: 100)
        plane.initialize(repeating: 1.5, count: 100)
        pool.give(plane, count: 100)
        #expect(
            pool.plane(UInt16.self, count: 200)
                == UnsafeMutableRawPointer(plane).assumingMemoryBound(to: UInt16.self))
        let none = pool.plane(UInt8.self, count: 0)
        pool.give(none, count: 0)
        #expect(pool.held == 464)
    }
}
