import CKernels
import Testing

/// The AVX2 version of each kernel gives the bits of the baseline version, whatever the pixels and the size.
@Suite(.enabled(if: arb_has_avx2() == 1, "this processor has no AVX2"))
struct KernelTests {
    static let sizes = [
        (1, 1), (2, 2), (3, 5), (7, 3), (8, 4), (15, 2), (16, 3), (17, 9), (31, 4), (33, 7), (64, 5),
        (100, 1),
        (255, 6), (512, 8), (513, 3),
    ]

    @Test(arguments: sizes) func predictor3(columns: Int, rows: Int) {
        let (pixels, stride) = wild(columns, rows)
        let size = rows * columns * 4
        let plain = filled(size) { arb_predictor3_encode_base(pixels, stride, columns, rows, $0) }
        #expect(plain == filled(size) { arb_predictor3_encode_avx2(pixels, stride, columns, rows, $0) })
        var (scratch, other) = (plain, plain)
        let back = filled(columns * rows, Float(0)) {
            arb_predictor3_decode_base(&scratch, columns, rows, $0, columns)
        }
        let fast = filled(columns * rows, Float(0)) {
            arb_predictor3_decode_avx2(&other, columns, rows, $0, columns)
        }
        #expect(back.map(\.bitPattern) == fast.map(\.bitPattern))
        let kept = (0..<rows * columns).map { pixels[$0 / columns * stride + $0 % columns] }
        #expect(back.map(\.bitPattern) == kept.map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern })
    }

    @Test(arguments: sizes, [1, 3, 4]) func predictor2(size: (Int, Int), samples: Int) {
        let (columns, rows) = size
        var numbers = TestNumbers(state: UInt64(columns * 31 + rows))
        let count = columns * rows * samples
        check(count, &numbers, samples * columns, samples) { data, fast in
            (fast ? arb_predictor2_undo_u8_avx2 : arb_predictor2_undo_u8_base)(data, columns, rows, samples)
        }
        check(count, &numbers, samples * columns, samples) { data, fast in
            (fast ? arb_predictor2_undo_u16_avx2 : arb_predictor2_undo_u16_base)(data, columns, rows, samples)
        }
        check(count, &numbers, samples * columns, samples) { data, fast in
            (fast ? arb_predictor2_undo_u32_avx2 : arb_predictor2_undo_u32_base)(data, columns, rows, samples)
        }
    }

    private func check<Sample: FixedWidthInteger & UnsignedInteger>(
        _ count: Int, _ numbers: inout TestNumbers, _ width: Int, _ samples: Int,
        undo: (UnsafeMutablePointer<Sample>?, Bool) -> Void
    ) {
        let values = (0..<count).map { _ in Sample(truncatingIfNeeded: numbers.next()) }
        let differences = values.indices.map { index in
            index % width < samples ? values[index] : values[index] &- values[index - samples]
        }
        for fast in [false, true] {
            var data = differences
            undo(&data, fast)
            #expect(data == values)
        }
    }

    @Test(arguments: [0, 1, 5, 6, 63, 64, 65, 70, 127, 1000, 4096, 30_001], [1, 2])
    func deflate(count: Int, distance: Int) {
        var numbers = TestNumbers(state: UInt64(count * 2 + distance))
        var bytes: [UInt8] = []
        while bytes.count < count {
            let value = [
                UInt8(truncatingIfNeeded: numbers.next()), UInt8(truncatingIfNeeded: numbers.next()),
            ]
            bytes += (0..<Int(numbers.next() % 20)).map { value[$0 % distance] }
        }
        for sampling in [1, 4] {
            func scan(
                _ kernel: (
                    UnsafePointer<UInt8>?, Int, Int, Int, UnsafeMutablePointer<arb_run>?,
                    UnsafeMutablePointer<UInt32>?
                ) -> Int
            ) -> ([arb_run], [UInt32]) {
                var runs = [arb_run](repeating: arb_run(), count: count / 6 + 1)
                var frequencies = [UInt32](repeating: 0, count: Int(ARB_DEFLATE_SYMBOLS))
                let found = kernel(bytes, count, distance, sampling, &runs, &frequencies)
                return (Array(runs[..<found]), frequencies)
            }
            let (runs, frequencies) = scan(arb_deflate_scan_base)
            let (others, same) = scan(arb_deflate_scan_avx2)
            #expect(runs.map(\.start) == others.map(\.start) && runs.map(\.length) == others.map(\.length))
            #expect(frequencies == same)
            let codes = (0..<UInt32(ARB_DEFLATE_SYMBOLS)).map { $0 << 8 | 9 + $0 % 6 }
            func emit(
                _ kernel: (
                    UnsafePointer<UInt8>?, Int, UnsafePointer<arb_run>?, Int, UnsafePointer<UInt32>?,
                    UnsafeMutablePointer<arb_bit_writer>?
                ) -> Void
            ) -> [UInt8] {
                filled(2 * count + 64) {
                    var writer = arb_bit_writer(bits: 0, count: 0, next: $0)
                    kernel(bytes, count, runs, runs.count, codes, &writer)
                }
            }
            #expect(emit(arb_deflate_emit_base) == emit(arb_deflate_emit_avx2))
        }
    }

    @Test(arguments: sizes) func overview(columns: Int, rows: Int) {
        let (pixels, stride) = wild(columns, rows)
        let (width, height) = ((columns + 1) / 2, (rows + 1) / 2)
        let plain = filled(width * height, Float(0)) {
            arb_overview_base(pixels, stride, columns, rows, $0, width)
        }
        let fast = filled(width * height, Float(0)) {
            arb_overview_avx2(pixels, stride, columns, rows, $0, width)
        }
        #expect(plain.map(\.bitPattern) == fast.map(\.bitPattern))
    }

    @Test(arguments: sizes) func quantise(columns: Int, rows: Int) {
        let (pixels, stride) = wild(columns, rows)
        let size = columns * rows
        for (low, high) in [(Float(-1), Float(1)), (0.1, 0.4), (-3e38, 3e38)] {
            let plain = filled(size) {
                arb_quantise_base(pixels, stride, columns, rows, low, high, $0, columns)
            }
            let fast = filled(size) {
                arb_quantise_avx2(pixels, stride, columns, rows, low, high, $0, columns)
            }
            #expect(plain == fast)
        }
    }

    @Test(arguments: sizes) func pngFilters(columns: Int, rows: Int) {
        var numbers = TestNumbers(state: UInt64(columns + 1000 * rows))
        let plane = (0..<columns * (rows + 1)).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
        let size = rows * (columns + 1)
        plane.withUnsafeBufferPointer { plane in
            let (above, body) = (plane.baseAddress!, plane.baseAddress! + columns)
            #expect(
                filled(size) { arb_png_filter_base(body, columns, columns, rows, above, $0) }
                    == filled(size) { arb_png_filter_avx2(body, columns, columns, rows, above, $0) })
            #expect(
                filled(size) { arb_png_filter_base(body, columns, columns, rows, nil, $0) }
                    == filled(size) { arb_png_filter_avx2(body, columns, columns, rows, nil, $0) })
        }
    }

    @Test(arguments: sizes) func statistics(columns: Int, rows: Int) {
        let (pixels, stride) = wild(columns, rows)
        var (plain, fast) = (arb_statistics(), arb_statistics())
        arb_statistics_of_base(pixels, stride, columns, rows, &plain)
        arb_statistics_of_avx2(pixels, stride, columns, rows, &fast)
        #expect(withUnsafeBytes(of: plain) { [UInt8]($0) } == withUnsafeBytes(of: fast) { [UInt8]($0) })
    }

    @Test(arguments: sizes) func allNaN(columns: Int, rows: Int) {
        var pixels = [Float](repeating: .nan, count: columns * rows)
        #expect(arb_all_nan_base(pixels, columns, columns, rows) == 1)
        #expect(arb_all_nan_avx2(pixels, columns, columns, rows) == 1)
        pixels[columns * rows - 1] = 0
        #expect(arb_all_nan_base(pixels, columns, columns, rows) == 0)
        #expect(arb_all_nan_avx2(pixels, columns, columns, rows) == 0)
    }

    /// Random pixels with rows a little apart.
    private func wild(_ columns: Int, _ rows: Int) -> (pixels: [Float], stride: Int) {
        var numbers = TestNumbers(state: UInt64(columns * 7919 + rows))
        return (numbers.wildPixels((columns + 3) * rows), columns + 3)
    }

    private func filled(_ count: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Void) -> [UInt8] {
        filled(count, 0xA5, body)
    }

    private func filled<Value>(
        _ count: Int, _ value: Value, _ body: (UnsafeMutablePointer<Value>) -> Void
    ) -> [Value] {
        var values = [Value](repeating: value, count: count)
        values.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
        return values
    }
}

/// Values computed by hand from the rules.
@Suite struct KernelValueTests {
    @Test func predictor3PutsBytesInPlanesAndTakesDifferences() {
        // 1.0 = 3F800000, −2.0 = C0000000: planes 3F C0 | 80 00 | 00 00 | 00 00.
        var bytes = [UInt8](repeating: 0, count: 8)
        arb_predictor3_encode([1, -2], 2, 2, 1, &bytes)
        #expect(bytes == [0x3F, 0x81, 0xC0, 0x80, 0, 0, 0, 0])
    }

    @Test func overviewsAreMeansOfTheValidPixels() {
        let nan = Float.nan
        let pixels: [Float] = [
            1, 2, 5, nan, 3,
            3, 4, nan, nan, 4,
            7, nan, nan, nan, 9,
        ]
        var out = [Float](repeating: 0, count: 6)
        arb_overview(pixels, 5, 5, 3, &out, 3)
        #expect(TestBits(out) == TestBits([2.5, 5, 3.5, 7, nan, 9]))
    }

    @Test func indicesRoundHalvesUpAndClamp() {
        // −0.5 lies at t = 0.25: 254 · t = 63.5, one half more is 64, and 1 + 64 = 65.
        let pixels: [Float] = [.nan, -1, 1, 0, -0.5, 2, -.infinity, .infinity]
        var out = [UInt8](repeating: 9, count: 8)
        arb_quantise(pixels, 8, 8, 1, -1, 1, &out, 8)
        #expect(out == [0, 1, 255, 128, 65, 255, 1, 255])
    }

    @Test func theFirstRowIsFilteredWithSubTheOthersWithUp() {
        var out = [UInt8](repeating: 9, count: 8)
        arb_png_filter([5, 3, 4, 6, 3, 1], 3, 3, 2, nil, &out)
        #expect(out == [1, 5, 254, 1, 2, 1, 0, 253])
    }

    @Test func statisticsSkipNaN() {
        var out = arb_statistics()
        arb_statistics_of([.nan, 1, 2, 4, .nan, -3], 3, 3, 2, &out)
        #expect(out.count == 4 && out.minimum == -3 && out.maximum == 4)
        #expect(out.sum == 4 && out.sum_of_squares == 30)
        arb_statistics_of([.nan, .nan], 2, 2, 1, &out)
        #expect(out.count == 0 && out.minimum == 0 && out.maximum == 0 && out.sum == 0)
    }
}
