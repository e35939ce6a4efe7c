import CKernels
import Foundation
import Testing

/// The AVX2 version of each pixel kernel gives the bits of the baseline version; NaN, infinities, zeros of
/// both signs and odd lengths among the input.
@Suite(.enabled(if: arb_has_avx2() == 1, "this processor has no AVX2"))
struct PixelKernelPairTests {
    static let lengths = [1, 2, 7, 8, 9, 15, 16, 17, 31, 64, 100, 513]

    @Test(arguments: lengths) func samplesToFloat(count: Int) {
        var numbers = TestNumbers(state: UInt64(count))
        let bytes = (0..<count * 8).map { _ in
            UInt8.random(in: 0...3, using: &numbers) == 0 ? 0 : UInt8(truncatingIfNeeded: numbers.next())
        }
        let types = [ARB_U8, ARB_I8, ARB_U16, ARB_I16, ARB_U32, ARB_I32, ARB_F32, ARB_F64]
        for type in types {
            for (has, nodata) in [(Int32(0), 0.0), (1, 7), (1, -9999), (1, .nan), (1, 1e300), (1, 0.5)] {
                let slow = floats(count) { arb_to_float_base(bytes, type, $0, count, has, nodata) }
                let fast = floats(count) { arb_to_float_avx2(bytes, type, $0, count, has, nodata) }
                #expect(slow == fast, "\(type) \(nodata)")
            }
        }
    }

    @Test(arguments: lengths) func normalisedDifference(count: Int) {
        var numbers = TestNumbers(state: UInt64(count) + 1)
        let (a, b) = (numbers.wildPixels(count), numbers.wildPixels(count))
        for (offset, factor, clamp) in [(Float(0), Float(1), Int32(1)), (-1000, 1, 0), (-0.5, 2.75e-5, 1)] {
            var (slowReason, fastReason) = (
                [UInt8](repeating: 9, count: count), [UInt8](repeating: 9, count: count)
            )
            let slow = floats(count) {
                arb_normalised_difference_base(a, b, $0, &slowReason, count, offset, 0, factor, 1, clamp)
            }
            let fast = floats(count) {
                arb_normalised_difference_avx2(a, b, $0, &fastReason, count, offset, 0, factor, 1, clamp)
            }
            #expect(slow == fast && slowReason == fastReason)
        }
    }

    @Test(arguments: lengths) func accumulation(count: Int) {
        var numbers = TestNumbers(state: UInt64(count) + 2)
        let values = (0..<count).map { _ in Float.random(in: -1...1, using: &numbers) }
        let given = (0..<count).map { _ in UInt8.random(in: 0...5, using: &numbers) }
        let had = (0..<count).map { _ in UInt8.random(in: 0...5, using: &numbers) }
        var (sumA, sumB) = ([Double](repeating: 0.25, count: count), [Double](repeating: 0.25, count: count))
        var (countA, countB) = ([UInt16](repeating: 1, count: count), [UInt16](repeating: 1, count: count))
        var (reasonA, reasonB) = (had, had)
        arb_accumulate_base(values, given, &sumA, &countA, &reasonA, count)
        arb_accumulate_avx2(values, given, &sumB, &countB, &reasonB, count)
        #expect(sumA == sumB && countA == countB && reasonA == reasonB)
        for pixel in 0..<count {
            let worst =
                had[pixel] == 5 || given[pixel] == 5
                ? 5
                : min(had[pixel], given[pixel]) == 0
                    ? 0
                    : max(had[pixel], given[pixel])
            #expect(reasonA[pixel] == worst, "\(had[pixel]) then \(given[pixel])")
            #expect(sumA[pixel] == 0.25 + (given[pixel] == 0 ? Double(values[pixel]) : 0))
        }
    }

    @Test(arguments: lengths, [1, 2, 3, 6, 17]) func median(count: Int, layers: Int) {
        var numbers = TestNumbers(state: UInt64(count * 32 + layers))
        let stack = (0..<layers).map { _ in
            (0..<count).map { _ in
                UInt8.random(in: 0...3, using: &numbers) == 0
                    ? Float.nan : .random(in: -1...1, using: &numbers)
            }
        }
        var scratch = [Float](repeating: 0, count: layers * 16)
        var (usedA, usedB) = ([UInt16](repeating: 0, count: count), [UInt16](repeating: 0, count: count))
        let flat = stack.flatMap { $0 }
        flat.withUnsafeBufferPointer { flat in
            let planes = (0..<layers).map { Optional(flat.baseAddress! + $0 * count) }
            let slow = floats(count) { arb_median_base(planes, layers, $0, &usedA, count, &scratch) }
            let fast = floats(count) { arb_median_avx2(planes, layers, $0, &usedB, count, &scratch) }
            #expect(slow == fast && usedA == usedB)
            let sorted = (0..<count).map { pixel -> UInt32 in
                let values = stack.map { $0[pixel] }.filter { !$0.isNaN }.sorted()
                guard let last = values.indices.last else { return Float.nan.bitPattern }
                let (low, high) = (values[last / 2], values[(last + 1) / 2])
                return (last % 2 == 0 ? low : (low + high) * 0.5).bitPattern
            }
            #expect(slow == sorted)
            #expect(usedA == (0..<count).map { pixel in UInt16(stack.count { !$0[pixel].isNaN }) })
        }
    }

    @Test(arguments: [(1, 1), (2, 3), (9, 7), (16, 16), (33, 5)]) func bilinear(width: Int, height: Int) {
        var numbers = TestNumbers(state: UInt64(width * 64 + height))
        let source = raster(width, height, &numbers)
        let count = 301
        let xs = (0..<count).map { _ in coordinate(width, &numbers) } + [.nan, .infinity, -.infinity, 1e20]
        let ys = (0..<count).map { _ in coordinate(height, &numbers) } + [0, 0, 0, 0]
        let slow = floats(xs.count) {
            arb_bilinear_base(source, width, Int32(width), Int32(height), xs, ys, $0, xs.count)
        }
        let fast = floats(xs.count) {
            arb_bilinear_avx2(source, width, Int32(width), Int32(height), xs, ys, $0, xs.count)
        }
        #expect(slow == fast)
        for index in xs.indices {
            let expected = naive(source, width, height, Double(xs[index]), Double(ys[index]))
            expectClose(Float(bitPattern: slow[index]), expected, "(\(xs[index]), \(ys[index]))")
        }
    }

    @Test(arguments: [(1, 1), (2, 3), (9, 7), (17, 16), (33, 5)]) func bilinearRows(width: Int, height: Int) {
        var numbers = TestNumbers(state: UInt64(width * 64 + height) + 9)
        let source = raster(width, height, &numbers)
        let count = 77
        let places = (0..<count).map { _ in Int32.random(in: -3...Int32(width) + 2, using: &numbers) }
        let weights = (0..<count).map { _ in Float(Int.random(in: 0...7, using: &numbers)) / 8 }
        var (rowA, rowB) = ([Float](repeating: 0, count: width + 2), [Float](repeating: 0, count: width + 2))
        for y in Int32(-2)...Int32(height) + 1 {
            let down = Float(Int.random(in: 0...7, using: &numbers)) / 8
            let slow = floats(count) {
                arb_bilinear_row_base(
                    source, width, Int32(width), Int32(height), places, weights, y, down, $0, count, &rowA,
                    &rowB)
            }
            let fast = floats(count) {
                arb_bilinear_row_avx2(
                    source, width, Int32(width), Int32(height), places, weights, y, down, $0, count, &rowA,
                    &rowB)
            }
            #expect(slow == fast)
            for index in 0..<count {
                let expected = naive(
                    source, width, height, Double(places[index]) + Double(weights[index]),
                    Double(y) + Double(down))
                expectClose(Float(bitPattern: slow[index]), expected, "(\(places[index]), \(y))")
            }
        }
    }

    /// A lattice twice as fine has a way of its own; with one column more it goes the general way, to the
    /// same bits.
    @Test(arguments: [(2, -1, 0), (9, -1, -1), (16, 0, 0), (33, 3, 4), (257, -1, 0)])
    func bilinearRowsOfADoubledLattice(width: Int, even: Int32, odd: Int32) {
        var numbers = TestNumbers(state: UInt64(width) + 3)
        let source = raster(width, 3, &numbers)
        let pairs = width - Int(max(even, odd, 0))
        let places: [Int32] = (0...pairs).flatMap { [even + Int32($0), odd + Int32($0)] }
        let weights: [Float] = (0...pairs).flatMap { _ in [0.75, 0.25] }
        var (rowA, rowB) = ([Float](repeating: 0, count: width + 2), [Float](repeating: 0, count: width + 2))
        for y in Int32(-1)...3 {
            let (doubled, general) = (2 * pairs, 2 * pairs + 1)
            let slow = floats(general) {
                arb_bilinear_row_base(
                    source, width, Int32(width), 3, places, weights, y, 0.25, $0, general, &rowA, &rowB)
            }
            let fast = floats(doubled) {
                arb_bilinear_row_avx2(
                    source, width, Int32(width), 3, places, weights, y, 0.25, $0, doubled, &rowA, &rowB)
            }
            #expect(Array(slow.dropLast()) == fast)
        }
    }

    private func floats(_ count: Int, _ fill: (UnsafeMutablePointer<Float>) -> Void) -> [UInt32] {
        var out = [Float](repeating: -7, count: count)
        out.withUnsafeMutableBufferPointer { fill($0.baseAddress!) }
        return out.map(\.bitPattern)
    }

    private func raster(_ width: Int, _ height: Int, _ numbers: inout TestNumbers) -> [Float] {
        (0..<width * height).map { _ in
            UInt8.random(in: 0...4, using: &numbers) == 0
                ? .nan : Float.random(in: 0...10_000, using: &numbers)
        }
    }

    /// From two samples before to two behind the raster, in eighths so that weights are exact.
    private func coordinate(_ size: Int, _ numbers: inout TestNumbers) -> Float {
        Float(Int.random(in: -16...(size + 2) * 8, using: &numbers)) / 8
    }

    /// Bilinear over the valid of four samples, in double; NaN with less than half of the weight.
    private func naive(_ source: [Float], _ width: Int, _ height: Int, _ x: Double, _ y: Double) -> Double {
        guard x.isFinite, y.isFinite, abs(x) < 1e9 else { return .nan }
        let (left, top) = (Int(x.rounded(.down)), Int(y.rounded(.down)))
        var (sum, weight) = (0.0, 0.0)
        for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let (column, row) = (left + dx, top + dy)
            guard (0..<width).contains(column), (0..<height).contains(row) else { continue }
            let value = Double(source[row * width + column])
            let part = (1 - abs(x - Double(column))) * (1 - abs(y - Double(row)))
            guard !value.isNaN, part > 0 else { continue }
            sum += value * part
            weight += part
        }
        return weight >= 0.5 ? sum / weight : .nan
    }

    private func expectClose(_ found: Float, _ expected: Double, _ what: String) {
        let same = expected.isNaN ? found.isNaN : abs(Double(found) - expected) <= 1e-2
        #expect(same, "\(what): \(found), expected \(expected)")
    }
}

@Suite struct PixelKernelTests {
    @Test func zeroHighestAndNodataAreNoNumbers() {
        var out = [Float](repeating: 0, count: 6)
        arb_to_float([UInt16(0), 65_535, 1000, 1, 7, 65_534], ARB_U16, &out, 6, 1, 7)
        #expect(TestBits(out) == TestBits([.nan, .nan, 1000, 1, .nan, 65_534]))
        arb_to_float([Float(0), 65_535, -9999, .infinity, .nan, 0.5], ARB_F32, &out, 6, 1, -9999)
        #expect(TestBits(out) == TestBits([0, 65_535, .nan, .nan, .nan, 0.5]))
        arb_to_float([Int16(0), -1, -32_768, 5, 6, 7], ARB_I16, &out, 6, 1, -32_768)
        #expect(TestBits(out) == TestBits([.nan, -1, .nan, 5, 6, 7]))
    }

    /// Keys' weights at t = 1/2 are −1/16, 9/16, 9/16, −1/16.
    @Test func cubicByHand() {
        let row: [Float] = [100, 200, 400, 1000]
        var out: Float = 0
        arb_cubic(row, 4, 4, 1, [1.5], [0], &out, 1)
        // (−100 + 9 · 200 + 9 · 400 − 1000) / 16 = 268.75
        #expect(out == 268.75)
        arb_cubic(row, 4, 4, 1, [2], [0], &out, 1)
        #expect(out == 400)
        arb_cubic(row, 4, 4, 1, [-1], [0], &out, 1)
        #expect(out.isNaN, "a whole sample outside has no weight inside")
    }

    @Test func cellsReduceToTheMeanOfTheirValidHalf() {
        let nan = Float.nan
        let source: [Float] = [
            1, 3, nan, nan, 9,
            5, 7, nan, 4, nan,
            8, nan, 2, 2, 6,
        ]
        var out = [Float](repeating: 0, count: 6)
        arb_reduce(source, 5, 5, 3, 0, 0, 2, &out, 3, 3, 2)
        // One of four is too few; cells over the right and lower edge count what lies beyond as missing.
        #expect(TestBits(out) == TestBits([4, nan, nan, nan, 2, nan]))
        arb_reduce(source, 5, 5, 3, -1, -1, 2, &out, 3, 3, 2)
        #expect(TestBits(out) == TestBits([nan, nan, nan, 6.5, 4.5, 4]))
    }
}
