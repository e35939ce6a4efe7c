import CKernels
import Mosaic

/// Computes an index from planes of digital numbers, pixel by pixel (RASTER.md, Indices, "Arithmetic").
enum IndexKernel {
    /// Fills `out` and `reason` for `count` pixels: valid, nodata where an input is NaN, or undefined.
    ///
    /// - Parameters:
    ///   - planes: DN of each band, NaN without data, by common name.
    ///   - radiometry: of each band.
    static func compute(
        _ formula: IndexFormula, planes: [String: UnsafeMutablePointer<Float>],
        radiometry: [String: Radiometry],
        clamp: ClampRule, count: Int, out: UnsafeMutablePointer<Float>, reason: UnsafeMutablePointer<UInt8>
    ) {
        func plane(_ band: String) -> (UnsafeMutablePointer<Float>, Radiometry) {
            guard let plane = planes[band], let rule = radiometry[band] else {
                preconditionFailure("band \(band) was not read: \(planes.keys.sorted())")
            }
            return (plane, rule)
        }
        switch formula {
        case .normalisedDifference(let a, let b):
            let (first, firstRule) = plane(a)
            let (second, secondRule) = plane(b)
            // The scale cancels; only bands of different scale are brought to reflectance first.
            let same = firstRule.scale == secondRule.scale
            arb_normalised_difference(
                first, second, out, reason, count, Float(firstRule.offset), Float(secondRule.offset),
                same ? 1 : Float(firstRule.scale), same ? 1 : Float(secondRule.scale), clamp == .zero ? 1 : 0)
        case .program(let program):
            let inputs = program.bands.map(plane)
            run(program, inputs: inputs, clamp: clamp, count: count, out: out, reason: reason)
        }
    }

    /// Steps a program over chunks of pixels that stay in the processor's nearest cache.
    private static func run(
        _ program: IndexProgram, inputs: [(UnsafeMutablePointer<Float>, Radiometry)], clamp: ClampRule,
        count: Int,
        out: UnsafeMutablePointer<Float>, reason: UnsafeMutablePointer<UInt8>
    ) {
        let chunk = 256
        let stack = UnsafeMutablePointer<Float>.allocate(capacity: chunk * program.stackDepth)
        defer { stack.deallocate() }
        for start in stride(from: 0, to: count, by: chunk) {
            let size = min(chunk, count - start)
            var top = 0
            for operation in program.operations {
                apply(operation, inputs, clamp, start, size, stack, chunk, &top)
            }
            for index in 0..<size {
                let value = stack[index]
                let missing = inputs.contains { $0.0[start + index].isNaN }
                let valid = !missing && value.isFinite
                out[start + index] = valid ? value : .nan
                reason[start + index] = (missing ? Reason.nodata : valid ? .valid : .undefined).rawValue
            }
        }
    }

    private static func apply(
        _ operation: IndexOperation, _ inputs: [(UnsafeMutablePointer<Float>, Radiometry)],
        _ clamp: ClampRule,
        _ start: Int, _ size: Int, _ stack: UnsafeMutablePointer<Float>, _ chunk: Int, _ top: inout Int
    ) {
        top += 1 - operation.operands
        let left = stack + (top - 1) * chunk
        let right = left + chunk
        switch operation {
        case .band(let index):
            let (plane, rule) = inputs[index]
            let (scale, offset) = (Float(rule.scale), Float(rule.offset))
            let least: Float = clamp == .zero ? 0 : -.infinity
            for pixel in 0..<size {
                let value = (plane[start + pixel] + offset) * scale
                left[pixel] = value > least || value.isNaN ? value : least
            }
        case .constant(let number): left.update(repeating: number, count: size)
        case .add: for pixel in 0..<size { left[pixel] += right[pixel] }
        case .subtract: for pixel in 0..<size { left[pixel] -= right[pixel] }
        case .multiply: for pixel in 0..<size { left[pixel] *= right[pixel] }
        case .divide:
            for pixel in 0..<size { left[pixel] = right[pixel] == 0 ? .nan : left[pixel] / right[pixel] }
        case .negate: for pixel in 0..<size { left[pixel] = -left[pixel] }
        case .minimum:
            for pixel in 0..<size where !(left[pixel].isNaN || left[pixel] < right[pixel]) {
                left[pixel] = right[pixel]
            }
        case .maximum:
            for pixel in 0..<size where !(left[pixel].isNaN || left[pixel] > right[pixel]) {
                left[pixel] = right[pixel]
            }
        case .absolute: for pixel in 0..<size { left[pixel] = left[pixel].magnitude }
        case .squareRoot: for pixel in 0..<size { left[pixel] = left[pixel].squareRoot() }
        }
    }
}
