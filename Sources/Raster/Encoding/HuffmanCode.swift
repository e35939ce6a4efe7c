/// A prefix code of bounded length: the lengths that suit how often symbols come (D. A. Huffman, 1952), and
/// the canonical codes that follow from them (RFC 1951, 3.2.2).
struct HuffmanCode {
    /// Bits of each symbol's code; 0 for one that never comes.
    private(set) var lengths: [UInt8]

    /// - Parameters:
    ///   - frequencies: of each symbol; fewer than 2¹⁶ symbols.
    ///   - limit: bits of a code at most, enough for as many symbols as come; 15 at most.
    init(frequencies: [UInt32], limit: Int) {
        lengths = [UInt8](repeating: 0, count: frequencies.count)
        // Rarest first; of equals the first symbol first, so that equal frequencies give equal codes.
        var symbols = frequencies.indices.filter { frequencies[$0] > 0 }
            .map { UInt64(frequencies[$0]) << 16 | UInt64($0) }
        symbols.sort()
        guard symbols.count > 1 else {
            for symbol in symbols { lengths[Int(symbol & 0xFFFF)] = 1 }
            return
        }
        var counts = Self.depths(of: symbols.map { $0 >> 16 }, limit: limit)
        Self.shorten(&counts)
        var rarest = symbols.makeIterator()
        for length in stride(from: limit, through: 1, by: -1) {
            for _ in 0..<counts[length] { lengths[Int(rarest.next()! & 0xFFFF)] = UInt8(length) }
        }
    }

    /// How many leaves of Huffman's tree lie at each depth; those below `limit` are counted there.
    ///
    /// - Parameter weights: two or more, ascending: then the inner nodes come out ascending as well, and the
    ///   two lightest are always at the heads of two queues.
    private static func depths(of weights: [UInt64], limit: Int) -> [Int] {
        let leaves = weights.count
        var weights = weights
        weights.reserveCapacity(2 * leaves)
        var parents = [Int](repeating: 0, count: 2 * leaves)
        var (leaf, inner) = (0, leaves)
        for node in leaves..<(2 * leaves - 1) {
            var sum: UInt64 = 0
            for _ in 0..<2 {
                let takesLeaf = leaf < leaves && (inner == node || weights[leaf] <= weights[inner])
                let lightest = takesLeaf ? leaf : inner
                if takesLeaf { leaf += 1 } else { inner += 1 }
                sum += weights[lightest]
                parents[lightest] = node
            }
            weights.append(sum)
        }
        var depths = [Int](repeating: 0, count: 2 * leaves - 1)
        var counts = [Int](repeating: 0, count: limit + 1)
        for node in stride(from: 2 * leaves - 3, through: 0, by: -1) {
            depths[node] = depths[parents[node]] + 1
            if node < leaves { counts[min(depths[node], limit)] += 1 }
        }
        return counts
    }

    /// Makes room for the leaves that were lifted to the limit: while they are too many for a tree, one at
    /// the limit becomes the brother of the deepest above it.
    private static func shorten(_ counts: inout [Int]) {
        let limit = counts.count - 1
        var taken = (1...limit).reduce(0) { $0 + counts[$1] << (limit - $1) }
        while taken > 1 << limit {
            var above = limit - 1
            while counts[above] == 0 { above -= 1 }
            counts[above] -= 1
            counts[above + 1] += 2
            counts[limit] -= 1
            taken -= 1
        }
    }

    /// Each symbol's code as `arb_deflate_emit` takes it: the number of its bits in the low 8 bits, its bits
    /// above, the first lowest; 0 for a symbol without one.
    func entries() -> [UInt32] {
        var next = [UInt32](repeating: 0, count: 17)
        for length in lengths where length > 0 { next[Int(length) + 1] += 1 }
        for length in 1...16 { next[length] = (next[length] + next[length - 1]) << 1 }
        return lengths.map { length in
            guard length > 0 else { return 0 }
            defer { next[Int(length)] += 1 }
            let reversed = UInt32(UInt16(truncatingIfNeeded: next[Int(length)]).bitReversed >> (16 - length))
            return reversed << 8 | UInt32(length)
        }
    }
}

extension UInt16 {
    /// The same bits from the other end.
    fileprivate var bitReversed: UInt16 {
        var value = self
        value = value >> 1 & 0x5555 | (value & 0x5555) << 1
        value = value >> 2 & 0x3333 | (value & 0x3333) << 2
        value = value >> 4 & 0x0F0F | (value & 0x0F0F) << 4
        return value.byteSwapped
    }
}
