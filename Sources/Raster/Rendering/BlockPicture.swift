import Mosaic

/// One index of a block when all scenes are laid: rows × columns of values, reasons and, with provenance,
/// scenes.
///
/// Owns its memory until `deallocate()`.
struct FinishedPlane {
    /// NaN where the reason is not `valid`.
    let values: UnsafeMutablePointer<Float>
    let reasons: UnsafeMutablePointer<UInt8>
    let scenes: UnsafeMutablePointer<UInt16>?

    init(
        values: UnsafeMutablePointer<Float>, reasons: UnsafeMutablePointer<UInt8>,
        scenes: UnsafeMutablePointer<UInt16>?
    ) {
        self.values = values
        self.reasons = reasons
        self.scenes = scenes
    }

    init(count: Int, provenance: Bool) {
        values = .allocate(capacity: count)
        reasons = .allocate(capacity: count)
        scenes = provenance ? .allocate(capacity: count) : nil
    }

    /// `count` pixels that could not be read.
    init(unreadable count: Int, provenance: Bool) {
        self.init(count: count, provenance: provenance)
        values.initialize(repeating: .nan, count: count)
        reasons.initialize(repeating: Reason.readFailed.rawValue, count: count)
        scenes?.initialize(repeating: 0, count: count)
    }

    func deallocate() {
        values.deallocate()
        reasons.deallocate()
        scenes?.deallocate()
    }
}

/// A rendered window: one plane for each index, and why sources could not be read.
struct BlockPicture {
    var planes: [FinishedPlane]
    var failures: [String]

    init(planes: [FinishedPlane], failures: [String]) {
        self.planes = planes
        self.failures = failures
    }

    /// Strips of rows, from top to bottom, as one picture; their memory goes back.
    init(joining strips: [(picture: BlockPicture, pixels: Int)]) {
        let total = strips.reduce(0) { $0 + $1.pixels }
        failures = strips.flatMap(\.picture.failures)
        planes = strips[0].picture.planes.map { FinishedPlane(count: total, provenance: $0.scenes != nil) }
        var done = 0
        for strip in strips {
            for (whole, part) in zip(planes, strip.picture.planes) {
                (whole.values + done).update(from: part.values, count: strip.pixels)
                (whole.reasons + done).update(from: part.reasons, count: strip.pixels)
                if let scenes = whole.scenes, let own = part.scenes {
                    (scenes + done).update(from: own, count: strip.pixels)
                }
            }
            done += strip.pixels
            strip.picture.deallocate()
        }
    }

    func deallocate() { for plane in planes { plane.deallocate() } }
}
