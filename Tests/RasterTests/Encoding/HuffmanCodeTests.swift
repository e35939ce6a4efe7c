import Testing

@testable import Raster

@Suite struct HuffmanCodeTests {
    /// The example of RFC 1951, 3.2.2: the lengths (3, 3, 3, 3, 3, 2, 4, 4) of A to H give the codes 010,
    /// 011, 100, 101, 110, 00, 1110 and 1111.
    @Test func theCodesOfTheStandardsExample() {
        let code = HuffmanCode(frequencies: [4, 5, 6, 7, 8, 12, 2, 3], limit: 15)
        #expect(code.lengths == [3, 3, 3, 3, 3, 2, 4, 4])
        let codes = ["010", "011", "100", "101", "110", "00", "1110", "1111"]
        let entries = codes.map { bits in
            UInt32(String(bits.reversed()), radix: 2)! << 8 | UInt32(bits.count)
        }
        #expect(code.entries() == entries)
    }

    @Test func whatNeverComesHasNoCode() {
        #expect(HuffmanCode(frequencies: [0, 9, 0, 3, 0], limit: 15).lengths == [0, 1, 0, 1, 0])
        #expect(HuffmanCode(frequencies: [0, 9, 0], limit: 15).lengths == [0, 1, 0])
        #expect(HuffmanCode(frequencies: [0, 0], limit: 15).lengths == [0, 0])
        #expect(HuffmanCode(frequencies: [0, 0], limit: 15).entries() == [0, 0])
    }

    /// Fibonacci's numbers make the deepest tree there is: each is as heavy as all before it.
    @Test func aDeepTreeIsCutAtTheLimit() {
        var frequencies: [UInt32] = [1, 1]
        while frequencies.count < 30 { frequencies.append(frequencies.suffix(2).reduce(0, +)) }
        let free = HuffmanCode(frequencies: frequencies, limit: 29)
        #expect(free.lengths == [29] + (1...29).reversed().map { UInt8($0) })
        for limit in [5, 7, 14] {
            let lengths = HuffmanCode(frequencies: frequencies, limit: limit).lengths
            #expect(lengths.max() == UInt8(limit))
            #expect(lengths.reduce(0) { $0 + 1 << (limit - Int($1)) } == 1 << limit, "the code is complete")
            #expect(zip(lengths, lengths.dropFirst()).allSatisfy { $0 >= $1 }, "what is rarer is longer")
        }
    }

    /// A code within the limit costs what Huffman's sum of inner nodes says; always complete and prefix-free.
    @Test(arguments: 0..<60) func costsTheLeast(seed: Int) {
        var numbers = TestNumbers(state: UInt64(seed))
        let count = Int.random(in: 2...286, using: &numbers)
        let most = UInt32(1) << UInt32.random(in: 1...16, using: &numbers)
        let frequencies = (0..<count).map { _ in UInt32.random(in: 1...most, using: &numbers) }
        let code = HuffmanCode(frequencies: frequencies, limit: 15)
        let cost = zip(frequencies, code.lengths).reduce(0) { $0 + Int($1.0) * Int($1.1) }
        var heap = frequencies.map(Int.init).sorted()
        var least = 0
        while heap.count > 1 {
            let sum = heap[0] + heap[1]
            least += sum
            heap.removeFirst(2)
            heap.insert(sum, at: heap.firstIndex { $0 > sum } ?? heap.count)
        }
        if code.lengths.max()! < 15 { #expect(cost == least) }
        let words = code.entries().map { entry in
            (0..<Int(entry & 0xFF)).map { entry >> (8 + UInt32($0)) & 1 == 1 ? "1" : "0" }.joined()
        }.sorted()
        #expect(zip(words, words.dropFirst()).allSatisfy { !$1.hasPrefix($0) })
    }
}
