import CKernels
import Mosaic

/// One index of one block while scenes are laid over each other: feed a scene, know when done, read the
/// result (RASTER.md, Selection).
struct CompositePlane {
    /// Floats, NaN where no scene gave a value yet.
    let values: UnsafeMutablePointer<Float>
    /// `Reason` of each pixel; the worst that was met while no scene gives a value.
    let reasons: UnsafeMutablePointer<UInt8>
    /// Task-local scene number from 1 (`first`, `min`, `max`), or how many scenes gave a value (the other
    /// rules); 0 without a value. nil when nobody asked for provenance.
    let scenes: UnsafeMutablePointer<UInt16>?
    private let pool: BufferPool
    private let composite: Composite
    private let count: Int
    private var open: Int
    private let sums: UnsafeMutablePointer<Double>?
    private let counts: UnsafeMutablePointer<UInt16>?
    private var planes: [UnsafeMutablePointer<Float>] = []

    /// - Parameter pool: where its memory comes from.
    init(_ composite: Composite, count: Int, provenance: Bool, from pool: BufferPool) {
        self.pool = pool
        self.composite = composite
        self.count = count
        open = count
        values = pool.plane(count: count)
        reasons = pool.plane(count: count)
        values.initialize(repeating: .nan, count: count)
        reasons.initialize(repeating: Reason.outside.rawValue, count: count)
        scenes = provenance ? pool.plane(count: count) : nil
        scenes?.initialize(repeating: 0, count: count)
        let counting = composite == .mean || composite == .count
        sums = counting ? pool.plane(count: count) : nil
        counts = counting || composite == .median ? pool.plane(count: count) : nil
        sums?.initialize(repeating: 0, count: count)
        counts?.initialize(repeating: 0, count: count)
    }

    /// Whether no further scene can change a pixel.
    var isDone: Bool { composite == .first && open == 0 }

    /// Lays a scene's values and reasons over what is there.
    mutating func feed(
        _ value: UnsafePointer<Float>, _ reason: UnsafePointer<UInt8>, scene number: Int
    ) {
        let number = UInt16(clamping: number)
        switch composite {
        case .first: open -= arb_first(value, reason, values, reasons, scenes, number, count)
        case .min: arb_extreme(value, reason, values, reasons, scenes, number, count, 1)
        case .max: arb_extreme(value, reason, values, reasons, scenes, number, count, -1)
        case .mean, .count: arb_accumulate(value, reason, sums, counts, reasons, count)
        case .median:
            let plane = pool.plane(Float.self, count: count)
            for pixel in 0..<count {
                let given = reason[pixel]
                plane[pixel] = given == 0 ? value[pixel] : .nan
                let had = reasons[pixel]
                if had == Reason.readFailed.rawValue { continue }
                reasons[pixel] =
                    given == Reason.readFailed.rawValue ? given : had == 0 || given == 0 ? 0 : max(had, given)
            }
            planes.append(plane)
        }
    }

    /// The scene could not be read: pixels that it might have decided are marked, never filled by another.
    mutating func fail(where covered: UnsafePointer<UInt8>) {
        for pixel in 0..<count where covered[pixel] != 0 {
            if composite == .first && reasons[pixel] == Reason.valid.rawValue { continue }
            if composite == .first && reasons[pixel] != Reason.readFailed.rawValue { open -= 1 }
            reasons[pixel] = Reason.readFailed.rawValue
            values[pixel] = .nan
            scenes?[pixel] = 0
        }
    }

    /// Turns sums and stacks into values once all scenes were fed, and gives up its memory to the result.
    func finish() -> FinishedPlane {
        switch composite {
        case .first, .min, .max: break
        case .mean:
            for pixel in 0..<count where reasons[pixel] == 0 {
                values[pixel] = Float(sums![pixel] / Double(counts![pixel]))
            }
        case .count:
            for pixel in 0..<count where reasons[pixel] == 0 { values[pixel] = Float(counts![pixel]) }
        case .median: stackMedian()
        }
        if let scenes, let counts {
            for pixel in 0..<count { scenes[pixel] = reasons[pixel] == 0 ? counts[pixel] : 0 }
        }
        if let sums { pool.give(sums, count: count) }
        if let counts { pool.give(counts, count: count) }
        for plane in planes { pool.give(plane, count: count) }
        return FinishedPlane(values: values, reasons: reasons, scenes: scenes, count: count, pool: pool)
    }

    private func stackMedian() {
        let scratch = UnsafeMutablePointer<Float>.allocate(capacity: max(1, planes.count) * 16)
        defer { scratch.deallocate() }
        let stack = planes.map { Optional(UnsafePointer($0)) }
        arb_median(stack, planes.count, values, counts, count, scratch)
        for pixel in 0..<count where reasons[pixel] != 0 { values[pixel] = .nan }
    }
}
