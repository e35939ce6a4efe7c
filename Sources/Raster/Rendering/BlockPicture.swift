import Mosaic

/// One index of a block when all scenes are laid: rows × columns of values, reasons and, with provenance,
/// scenes.
///
/// Owns its memory, a pool's, until `giveBack()`.
struct FinishedPlane {
    /// NaN where the reason is not `valid`.
    let values: UnsafeMutablePointer<Float>
    let reasons: UnsafeMutablePointer<UInt8>
    let scenes: UnsafeMutablePointer<UInt16>?
    let count: Int
    let pool: BufferPool

    init(
        values: UnsafeMutablePointer<Float>, reasons: UnsafeMutablePointer<UInt8>,
        scenes: UnsafeMutablePointer<UInt16>?, count: Int, pool: BufferPool
    ) {
        (self.values, self.reasons, self.scenes) = (values, reasons, scenes)
        (self.count, self.pool) = (count, pool)
    }

    /// `count` pixels of anything.
    init(count: Int, provenance: Bool, from pool: BufferPool) {
        self.init(
            values: pool.plane(count: count), reasons: pool.plane(count: count),
            scenes: provenance ? pool.plane(count: count) : nil, count: count, pool: pool)
    }

    /// `count` pixels that could not be read.
    init(unreadable count: Int, provenance: Bool, from pool: BufferPool) {
        self.init(count: count, provenance: provenance, from: pool)
        values.initialize(repeating: .nan, count: count)
        reasons.initialize(repeating: Reason.readFailed.rawValue, count: count)
        scenes?.initialize(repeating: 0, count: count)
    }

    func giveBack() {
        pool.give(values, count: count)
        pool.give(reasons, count: count)
        if let scenes { pool.give(scenes, count: count) }
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
        planes = strips[0].picture.planes.map {
            FinishedPlane(count: total, provenance: $0.scenes != nil, from: $0.pool)
        }
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
            strip.picture.giveBack()
        }
    }

    func giveBack() { for plane in planes { plane.giveBack() } }
}
