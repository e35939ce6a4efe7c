import Mosaic
import Raster

/// Compares what a scene's metadata say of its offset with a coarse look at its pixels (RASTER.md, Guard).
///
/// Baseline 04.00 added 1000 to every DN, so that hardly a red or green DN below 1000 is left; products whose
/// offset has been applied to the samples already are full of them. Correcting those again gives a wrong
/// mosaic silently.
public enum RadiometryGuard {
    /// DN of red and green together.
    public struct Counts: Hashable, Sendable {
        /// DN that are no nodata.
        public var valid = 0
        /// Valid DN below 1000.
        public var below = 0

        public init(valid: Int = 0, below: Int = 0) {
            self.valid = valid
            self.below = below
        }

        /// Below 1000 among the valid, 0 to 1.
        public var share: Double { valid == 0 ? 0 : Double(below) / Double(valid) }
    }

    /// More than this share of low DN contradicts an offset of −1000.
    static let limit = 0.02
    /// Fewer valid DN than this prove nothing.
    static let fewest = 200

    /// The contradiction as a sentence with both findings and the options that settle it; nil when there is
    /// none.
    public static func contradiction(_ scene: Scene, _ counts: Counts) -> String? {
        guard let metadata = questionable(scene).first?.radiometry, counts.valid >= fewest,
            counts.share > limit
        else { return nil }
        let percent = (counts.share * 1000).rounded() / 10
        return
            "the radiometry of scene \(scene.id.onOneLine) is contradictory: \(words(metadata.origin)) an "
            + "offset of \(Int(metadata.offset)), yet \(percent) % of its red and green DN are below "
            + "1000, as only where the offset has been applied already; settle it with --offset 0 "
            + "(applied) or --offset \(Int(metadata.offset)) (not applied)"
    }

    /// Pixels a side of the first look, and of the second, which has to agree before a job is stopped: JPEG
    /// 2000's coarse levels are low-pass filters with negative lobes (ISO/IEC 15444-1, Annex F), and
    /// undershoot beside clouds and beside the edge of the data. The third level of a granule hardly does.
    static let looks = [256, 1400]

    /// Takes a coarse sample of the scene's red and green and stops at a contradiction.
    ///
    /// Bands are read from overviews where there are any; scenes whose offset is 0 or settled by `--offset`
    /// are not read.
    ///
    /// - Throws: `SceneError` for a contradiction, `RasterError` when the sample cannot be read.
    public static func check(_ scene: Scene) throws {
        let bands = questionable(scene)
        guard !bands.isEmpty else { return }
        var found: String?
        for side in looks {
            var counts = Counts()
            for band in bands {
                let sample = try Dataset(opening: band.file.address).sample(band: band.number, side: side)
                counts.add(sample.values, nodata: band.nodata)
            }
            found = contradiction(scene, counts)
            if found == nil { return }
        }
        if let found { throw SceneError(found) }
    }

    /// The red and green bands whose metadata say that 1000 was added.
    private static func questionable(_ scene: Scene) -> [Band] {
        ["red", "green"].compactMap { scene.bands[$0] }.filter(isQuestionable)
    }

    /// Whether the metadata, and not the user, say of a band that 1000 was added.
    static func isQuestionable(_ band: Band) -> Bool {
        band.radiometry.offset == -1000 && band.radiometry.origin != .option && band.sample.isInteger
    }

    private static func words(_ origin: Radiometry.Origin) -> String {
        switch origin {
        case .productMetadata: "its XML gives"
        case .rasterBands: "its item (raster:bands) gives"
        case .processingBaseline: "its processing baseline means"
        case .earthDaily: "an EarthDaily mosaic has"
        case .fileScaleAndOffset: "the file's own metadata give"
        case .option, .offsetAlreadyApplied, .assumed: "it is taken to have"
        }
    }
}

extension RadiometryGuard.Counts {
    /// Counts a sample: 0, 65535 and the file's nodata are no DN.
    mutating func add(_ values: [Double], nodata: Double?) {
        for value in values where value != 0 && value != 65_535 && value != nodata && value.isFinite {
            valid += 1
            if value < 1000 { below += 1 }
        }
    }
}
