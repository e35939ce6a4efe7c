/// Buffers that a worker uses again for each block: allocated once, grown when a block needs more.
final class Scratch {
    enum Use: Hashable {
        case reduction, source, classes, coordinateX, coordinateY, rowValues, rowWeights, median, strip
        case band(Int)
        case plane(Int)
    }

    private var held: [Use: UnsafeMutableRawBufferPointer] = [:]

    deinit { for buffer in held.values { buffer.deallocate() } }

    /// At least `count` floats under `use`; what they hold is left from the last use.
    func floats(_ use: Use, atLeast count: Int) -> UnsafeMutablePointer<Float> {
        bytes(use, count * 4).bindMemory(to: Float.self, capacity: count)
    }

    func doubles(_ use: Use, atLeast count: Int) -> UnsafeMutablePointer<Double> {
        bytes(use, count * 8).bindMemory(to: Double.self, capacity: count)
    }

    func octets(_ use: Use, atLeast count: Int) -> UnsafeMutablePointer<UInt8> {
        bytes(use, count).bindMemory(to: UInt8.self, capacity: count)
    }

    private func bytes(_ use: Use, _ count: Int) -> UnsafeMutableRawPointer {
        if let buffer = held[use], buffer.count >= count { return buffer.baseAddress! }
        held[use]?.deallocate()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 64), alignment: 64)
        held[use] = buffer
        return buffer.baseAddress!
    }
}
