import Mosaic
import Testing

@testable import Raster
@testable import Scenes

/// The order of RASTER.md, Radiometry, rule by rule.
@Suite struct RadiometryTests {
    private func decide(
        _ evidence: RadiometryEvidence, _ sensor: Scene.Sensor = .sentinel2, _ sample: SampleType = .uint16,
        fileScale: Double? = nil, fileOffset: Double? = nil, option: Double? = nil
    ) -> Radiometry {
        evidence.decide(
            sensor: sensor, sample: sample, fileScale: fileScale, fileOffset: fileOffset, option: option)
    }

    @Test func theFirstRuleThatSpeaksDecides() {
        var all = RadiometryEvidence(
            product: .init(quantification: 10_000, offset: -1000), isOffsetApplied: true, itemScale: 1e-4,
            itemOffset: -0.05, baseline: 5.1)
        #expect(decide(all, option: 7) == Radiometry(scale: 1e-4, offset: 7, origin: .option))
        #expect(decide(all) == Radiometry(scale: 1e-4, offset: -1000, origin: .productMetadata))
        all.product = nil
        #expect(decide(all) == Radiometry(scale: 1e-4, offset: 0, origin: .offsetAlreadyApplied))
        all.isOffsetApplied = false
        #expect(decide(all) == Radiometry(scale: 1e-4, offset: -500, origin: .rasterBands))
        all.itemOffset = nil
        #expect(decide(all) == Radiometry(scale: 1e-4, offset: -1000, origin: .processingBaseline))
        all.baseline = 3.01
        #expect(decide(all) == Radiometry(scale: 1e-4, offset: 0, origin: .processingBaseline))
        #expect(decide(RadiometryEvidence()) == Radiometry(scale: 1e-4, offset: 0, origin: .assumed))
        #expect(
            decide(RadiometryEvidence(), .earthDaily)
                == Radiometry(scale: 1e-4, offset: -1000, origin: .earthDaily))
    }

    /// Red 0.04 and nir 0.30 stored with 1000 added: 0.765 when right, 0.481 forgotten, 1.857 subtracted
    /// twice.
    @Test func theCheckOfTheRules() {
        let radiometry = decide(RadiometryEvidence(product: .init(quantification: 10_000, offset: -1000)))
        func index(_ offset: Double) -> Double {
            let red = radiometry.scale * (1400 + offset)
            let nir = radiometry.scale * (4000 + offset)
            return (nir - red) / (nir + red)
        }
        #expect(abs(index(radiometry.offset) - 0.765) < 5e-4)
        #expect(abs(index(0) - 0.481) < 5e-4)
        #expect(abs(index(2 * radiometry.offset) - 1.857) < 5e-4)
    }

    @Test func offsetsOfReflectanceBecomeDNWithoutRounding() {
        let sentinel = decide(RadiometryEvidence(itemScale: 0.0001, itemOffset: -0.1))
        #expect(sentinel.offset == -1000)
        let landsat = decide(RadiometryEvidence(itemScale: 2.75e-5, itemOffset: -0.2), .landsat)
        #expect(abs(landsat.scale * (10_000 + landsat.offset) - 0.075) < 1e-12)
        #expect(
            decide(RadiometryEvidence(), .landsat)
                == Radiometry(
                    scale: 2.75e-5, offset: landsat.offset, origin: .assumed))
    }

    @Test func anItemThatLeftOutTheScaleDoesNotChangeSentinel2() {
        let evidence = RadiometryEvidence(itemScale: 1, itemOffset: 0, baseline: 5.1)
        #expect(decide(evidence) == Radiometry(scale: 1e-4, offset: 0, origin: .rasterBands))
    }

    @Test func floatSamplesAreReflectanceAlready() {
        let evidence = RadiometryEvidence(itemScale: 1e-4, itemOffset: -0.1, baseline: 5.1)
        #expect(decide(evidence, .sentinel2, .float32) == Radiometry(scale: 1, offset: 0, origin: .assumed))
        #expect(
            decide(evidence, .plain, .float32, fileScale: 0.5, fileOffset: 1)
                == Radiometry(scale: 0.5, offset: 2, origin: .fileScaleAndOffset))
    }

    @Test func plainIntegersAreCountedInTenThousandths() {
        let none = RadiometryEvidence()
        #expect(decide(none, .plain) == Radiometry(scale: 1e-4, offset: 0, origin: .assumed))
        #expect(decide(none, .plain, .uint8) == Radiometry(scale: 1.0 / 255, offset: 0, origin: .assumed))
        #expect(
            decide(none, .plain, fileScale: 0.01)
                == Radiometry(scale: 0.01, offset: 0, origin: .fileScaleAndOffset))
        #expect(decide(none, .plain, fileScale: 0, fileOffset: .nan).origin == .assumed)
    }
}

@Suite struct RadiometryGuardTests {
    private func scene(_ origin: Radiometry.Origin, offset: Double = -1000) -> Scene {
        let grid = Grid(
            crs: CRS("EPSG:32633"), originX: 0, originY: 0, pixelWidth: 10, pixelHeight: 10, columns: 10,
            rows: 10)
        let band = Band(
            file: SourceFile(address: "B04.tif", size: nil, version: nil), number: 1, grid: grid,
            sample: .uint16,
            nodata: nil, radiometry: Radiometry(scale: 1e-4, offset: offset, origin: origin))
        return Scene(id: "x", sensor: .sentinel2, bands: ["red": band])
    }

    @Test func overTwoPercentBelow1000Contradict() {
        let sentence = RadiometryGuard.contradiction(scene(.rasterBands), .init(valid: 1000, below: 21))
        let expected =
            "the radiometry of scene x is contradictory: its item (raster:bands) gives an offset of -1000, "
            + "yet 2.1 % of its red and green DN are below 1000, as only where the offset has been applied "
            + "already; settle it with --offset 0 (applied) or --offset -1000 (not applied)"
        #expect(sentence == expected)
        #expect(RadiometryGuard.contradiction(scene(.rasterBands), .init(valid: 1000, below: 20)) == nil)
    }

    @Test func aSettledOrAbsentOffsetAndAHandfulOfPixelsProveNothing() {
        let low = RadiometryGuard.Counts(valid: 1000, below: 900)
        #expect(RadiometryGuard.contradiction(scene(.option), low) == nil)
        #expect(RadiometryGuard.contradiction(scene(.offsetAlreadyApplied, offset: 0), low) == nil)
        #expect(RadiometryGuard.contradiction(scene(.productMetadata), .init(valid: 50, below: 50)) == nil)
    }

    /// Small clouds over dark land: the coarse level has a tenth of its pixels below 1000, the band none.
    @Test func whatOnlyACoarseLevelShowsContradictsNothing() throws {
        let folder = try TemporaryFolder()
        let path = try folder.place("B04.jp2")
        func band(dark: Double) throws -> Scene {
            try TinyRaster(
                columns: 1100, rows: 1100, values: { _, x, y in x % 41 < 12 && y % 41 < 12 ? 8000 : dark },
                driver: "JP2OpenJPEG", options: ["QUALITY=100", "REVERSIBLE=YES"]
            ).write(path)
            var scene = scene(.productMetadata)
            scene.bands["red"]?.file = SourceFile(address: path, size: nil, version: nil)
            return scene
        }
        let clear = try band(dark: 1010)
        let coarse = try Dataset(opening: path).sample(band: 1, side: RadiometryGuard.looks[0]).values
        #expect(Double(coarse.count { $0 < 1000 }) > 0.05 * Double(coarse.count))
        try RadiometryGuard.check(clear)
        let applied = try band(dark: 600)
        #expect(throws: SceneError.self) { try RadiometryGuard.check(applied) }
    }

    @Test func nodataIsNotCounted() {
        var counts = RadiometryGuard.Counts()
        counts.add([0, 65_535, 7, 999, 1000, .nan], nodata: 7)
        #expect(counts == RadiometryGuard.Counts(valid: 2, below: 1))
    }
}

@Suite struct SceneDuplicatesTests {
    private func draft(
        _ id: String, baseline: Double?, strip: String? = "20230815T095630", generated: Double = 1,
        level: String = "L2A"
    ) -> SceneDraft {
        let about = Acquisition(
            id: id, sensor: .sentinel2, level: level, tile: "33TWM", datatake: "S2A_20230815T095031",
            strip: strip, generated: generated, baseline: baseline)
        return SceneDraft(address: id, about: about)
    }

    @Test func theHighestBaselineStaysAndSaysSo() {
        let kept = SceneDuplicates.dropped([
            draft("old", baseline: 2.09), draft("new", baseline: 5), draft("mid", baseline: 4),
        ])
        #expect(kept.map(\.about.id) == ["new"])
        #expect(
            kept[0].warnings == [
                "old is left out: the same tile and datatake, an older baseline",
                "mid is left out: the same tile and datatake, an older baseline",
            ])
    }

    @Test func piecesOfADatatakeStayTogether() {
        let drafts = [
            draft("a0", baseline: 4, strip: "20220808T104632"),
            draft("a1", baseline: 4, strip: "20220808T105906"),
            draft("a1old", baseline: 3, strip: "20220808T105906"),
        ]
        #expect(SceneDuplicates.dropped(drafts).map(\.about.id) == ["a0", "a1"])
    }

    @Test func ofEqualBaselinesTheLaterProcessingStays() {
        let kept = SceneDuplicates.dropped([draft("b", baseline: 5, generated: 2), draft("a", baseline: 5)])
        #expect(kept.map(\.about.id) == ["b"])
        #expect(kept[0].warnings == ["a is left out: the same tile and datatake, another processing"])
    }

    @Test func anUnknownStripLosesToAHigherBaseline() {
        let drafts = [draft("known", baseline: 5), draft("unknown", baseline: 2, strip: nil)]
        #expect(SceneDuplicates.dropped(drafts).map(\.about.id) == ["known"])
        let newer = SceneDuplicates.dropped([
            draft("known", baseline: 2), draft("x", baseline: 5, strip: nil),
        ])
        #expect(newer.map(\.about.id) == ["x"])
        #expect(newer[0].warnings == ["known is left out: the same tile and datatake, an older baseline"])
        #expect(
            SceneDuplicates.dropped([draft("x", baseline: 5), draft("y", baseline: 5, strip: nil)]).count == 2
        )
    }

    @Test func levelsAndOtherScenesAreNoDuplicates() {
        var plain = draft("plain", baseline: nil)
        plain.about.tile = nil
        let drafts = [draft("l2a", baseline: 5), draft("l1c", baseline: 5, level: "L1C"), plain, plain]
        #expect(SceneDuplicates.dropped(drafts).map(\.about.id) == ["l2a", "l1c", "plain"])
    }
}
