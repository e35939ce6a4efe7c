import Foundation
import Synchronization

/// The samples of some rows of a granule, band by band as they are stored.
struct Strip: Sendable {
    /// Rows of the 10 m bands; the 20 m bands hold half as many.
    let rows: Range<Int>
    /// Digital numbers by band in the order of `SampleBand.spectral`, rows × columns of each band's
    /// resolution.
    var digital: [[UInt16]]
    var scl: [UInt8]
    /// Pixels of each SCL class.
    var classes: [Int]
}

/// Computes a granule strip by strip. A strip depends on nothing but its rows, so the number of threads that
/// share the work cannot change a byte.
struct GranuleRenderer: Sendable {
    /// Rows of a strip; a whole number of 20 m rows and of lattice nodes.
    static let stripRows = 64
    /// Digital numbers of L2A products since baseline 04.00: 10000 · reflectance + 1000.
    static let offset = 1000

    private static let unit: Float = 1 / 65_535

    let granule: Granule
    private let land: Landscape
    private let sky: Sky
    private let surface: Surface
    private let noiseSeed: UInt32

    init(_ granule: Granule, seed: UInt32) {
        self.granule = granule
        land = Landscape(size: granule.size, seed: seed)
        sky = Sky(size: granule.size, seed: seed, acquisition: granule.index)
        surface = Surface(land)
        noiseSeed = Noise.hash(0x5E45, Int32(granule.index), seed)
    }

    var stripCount: Int { (granule.size + Self.stripRows - 1) / Self.stripRows }

    /// The strip `number`, from the top.
    func strip(_ number: Int) -> Strip {
        let first = number * Self.stripRows
        let rows = first..<min(granule.size, first + Self.stripRows)
        let lattice = Lattice(granule, land: land, sky: sky, rows: rows)
        let size = granule.size
        let fine = rows.count * size
        let coarse = fine / 4
        var strip = Strip(
            rows: rows,
            digital: SampleBand.spectral.map {
                [UInt16](repeating: 0, count: $0.resolution == 10 ? fine : coarse)
            },
            scl: [UInt8](repeating: 0, count: coarse), classes: [Int](repeating: 0, count: 12))
        for row in rows {
            for column in 0..<size {
                guard let seen = look(lattice, x: Float(column) + 0.5, y: Float(row) + 0.5) else { continue }
                let at = (row - first) * size + column
                for band in 0..<4 { strip.digital[band][at] = digital(seen.spectrum, band, column, row) }
            }
        }
        for row in (first / 2)..<(rows.upperBound / 2) {
            for column in 0..<(size / 2) {
                let at = (row - first / 2) * (size / 2) + column
                let seen = look(lattice, x: Float(column) * 2 + 1, y: Float(row) * 2 + 1)
                strip.scl[at] = seen?.scl ?? 0
                strip.classes[Int(seen?.scl ?? 0)] += 1
                guard let seen else { continue }
                for band in 4..<6 { strip.digital[band][at] = digital(seen.spectrum, band, column, row) }
            }
        }
        return strip
    }

    @inline(__always)
    private func look(_ lattice: Lattice, x: Float, y: Float) -> Seen? {
        guard granule.sees(x: x, y: y) else { return nil }
        let at = granule.position(x: Double(x), y: Double(y))
        return surface.seen(x: at.x, y: at.y, node: lattice.at(x: x, y: y))
    }

    /// Reflectance with the sensor's noise (it grows with the signal), as a digital number that is not
    /// nodata.
    @inline(__always)
    private func digital(_ spectrum: Spectrum, _ band: Int, _ column: Int, _ row: Int) -> UInt16 {
        let hash = Noise.hash(Int32(column), Int32(row), noiseSeed &+ UInt32(band))
        // The sum of two even numbers: a triangle from −1 to 1, standard deviation 0.41.
        let chance = Float(Int32(hash & 0xFFFF) + Int32(hash >> 16)) * Self.unit - 1
        let signal = max(0.001, spectrum[band])
        let noisy = signal + chance * (0.0014 + 0.008 * signal)
        let number = Int(noisy * 10_000 + Float(Self.offset) + 0.5)
        return UInt16(min(16_000, max(1, number)))
    }
}

/// Does independent pieces of work on several threads and hands the results back in order.
enum Parallel {
    /// Threads that pay on this machine.
    static var threads: Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }

    /// The results of `work` for 0 ..< `count`; the first error in order is thrown.
    static func map<T: Sendable>(_ count: Int, _ work: @Sendable (Int) throws -> T) throws -> [T] {
        let results = Mutex<[Int: Result<T, any Error>]>([:])
        DispatchQueue.concurrentPerform(iterations: count) { index in
            let result = Result { try work(index) }
            results.withLock { $0[index] = result }
        }
        return try results.withLock { all in try (0..<count).map { try all[$0]!.get() } }
    }
}
