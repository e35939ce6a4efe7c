import CKernels

/// What stands before a deflate block's symbols: the lengths of its codes (RFC 1951, 3.2.7).
struct DeflateHeader {
    /// A length of a code, or how often one is repeated.
    private struct Item {
        var symbol: Int
        var extra: UInt64 = 0
        var extraBits: UInt32 = 0
    }

    /// The order in which the lengths of the lengths' own code are given.
    private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    private let literalCount: Int
    private let distanceCount: Int
    private let items: [Item]

    /// - Parameters:
    ///   - literals: of literals, end of block and lengths.
    ///   - distance: the only one (1 to 4, which have codes of their own); its code has one bit.
    init(literals: HuffmanCode, distance: Int) {
        let used = literals.lengths.lastIndex { $0 > 0 } ?? 0
        literalCount = max(257, used + 1)
        distanceCount = distance
        let distances = [UInt8](repeating: 0, count: distance - 1) + [1]
        items = Self.items(literals.lengths[..<literalCount] + distances)
    }

    /// Equal lengths in one item where there are enough of them.
    private static func items(_ lengths: ArraySlice<UInt8>) -> [Item] {
        var items: [Item] = []
        var rest = lengths
        while let length = rest.first {
            var count = rest.prefix { $0 == length }.count
            rest = rest.dropFirst(count)
            if length > 0 {
                items.append(Item(symbol: Int(length)))
                count -= 1
            }
            while count >= 3 {
                let most = length > 0 ? 6 : count > 10 ? 138 : 10
                let taken = min(count, most)
                switch most {
                case 6: items.append(Item(symbol: 16, extra: UInt64(taken - 3), extraBits: 2))
                case 10: items.append(Item(symbol: 17, extra: UInt64(taken - 3), extraBits: 3))
                default: items.append(Item(symbol: 18, extra: UInt64(taken - 11), extraBits: 7))
                }
                count -= taken
            }
            items += [Item](repeating: Item(symbol: Int(length)), count: count)
        }
        return items
    }

    /// Begins a block.
    func write(isLast: Bool, to writer: inout arb_bit_writer) {
        var frequencies = [UInt32](repeating: 0, count: Self.order.count)
        for item in items { frequencies[item.symbol] += 1 }
        let code = HuffmanCode(frequencies: frequencies, limit: 7)
        let entries = code.entries()
        let given = max(4, 1 + (Self.order.lastIndex { code.lengths[$0] > 0 } ?? 0))
        arb_put(&writer, (isLast ? 1 : 0) | 2 << 1, 3)
        arb_put(&writer, UInt64(literalCount - 257), 5)
        arb_put(&writer, UInt64(distanceCount - 1), 5)
        arb_put(&writer, UInt64(given - 4), 4)
        for symbol in Self.order[..<given] { arb_put(&writer, UInt64(code.lengths[symbol]), 3) }
        for item in items {
            arb_put(&writer, UInt64(entries[item.symbol] >> 8), entries[item.symbol] & 0xFF)
            arb_put(&writer, item.extra, item.extraBits)
        }
    }
}
