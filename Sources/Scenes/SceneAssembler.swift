import Mosaic
import Raster

/// Opens the files of a draft and makes the scene of it: grids, sample types, radiometry, and the checks
/// between bands.
struct SceneAssembler {
    let request: MosaicRequest
    /// Common names of the bands that the job reads; nil for all that are there.
    let needed: Set<String>?
    let files: RasterFiles

    /// - Throws: `SceneError` or `RasterError` when a band is missing or unreadable, or bands do not fit.
    func assemble(_ draft: SceneDraft) throws -> Scene {
        var scene = Scene(
            id: draft.about.id, sensor: draft.about.sensor, level: draft.about.level,
            acquired: draft.about.acquired, cloudCover: draft.about.cloudCover, tile: draft.about.tile,
            datatake: draft.about.datatake, baseline: draft.about.baseline, bands: [:],
            warnings: draft.warnings)
        let sources = withFallback(draft)
        for name in try wanted(draft, sources).sorted() {
            scene.bands[name] = try band(name, sources[name]!, draft)
        }
        if request.mask != .none {
            if let source = sources[BandFileName.classification], needed != nil || source.isLocal {
                scene.classification = try band(BandFileName.classification, source, draft)
            } else {
                scene.warnings.append("no scene classification (SCL): clouds are not masked in it")
            }
        }
        try check(scene, draft)
        scene.warnings += radiometryWarnings(scene)
        return scene
    }

    /// The scene with its red and green, read by the job or not, for a look at its radiometry.
    ///
    /// Files elsewhere are opened only when there is no other witness. One that cannot be opened is no reason
    /// to stop: the scene gets a warning.
    func witness(of scene: inout Scene, _ draft: SceneDraft) -> Scene {
        var witness = scene
        guard scene.bands.values.contains(where: RadiometryGuard.isQuestionable) else { return witness }
        let others = ["red", "green"].filter { scene.bands[$0] == nil && draft.sources[$0] != nil }
        let near = others.filter { draft.sources[$0]!.isLocal }
        let isAlone = near.isEmpty && scene.bands["red"] == nil && scene.bands["green"] == nil
        for name in isAlone ? others : near {
            do {
                witness.bands[name] = try band(name, draft.sources[name]!, draft)
            } catch {
                scene.warnings.append("its radiometry is checked without \(name): \(error)")
            }
        }
        return witness
    }

    /// Landsat and EarthDaily call their near infrared nir08; it stands for nir where there is no other.
    private func withFallback(_ draft: SceneDraft) -> [String: SceneDraft.Source] {
        var sources = draft.sources
        guard draft.about.sensor == .landsat || draft.about.sensor == .earthDaily, sources["nir"] == nil
        else {
            return sources
        }
        sources["nir"] = sources["nir08"]
        return sources
    }

    private func wanted(_ draft: SceneDraft, _ sources: [String: SceneDraft.Source]) throws -> Set<String> {
        let there = Set(sources.keys).subtracting([BandFileName.classification])
        guard !there.isEmpty else {
            throw SceneError(
                "cannot use scene \(draft.address.onOneLine): it has no spectral band; drop it from the job")
        }
        guard let needed else {
            let local = there.filter { sources[$0]!.isLocal }
            return local.isEmpty ? there : local
        }
        let missing = needed.subtracting(there).sorted()
        guard missing.isEmpty else {
            let noun = missing.count == 1 ? "band" : "bands"
            throw SceneError(
                "scene \(draft.address.onOneLine) has no \(noun) \(missing.joined(separator: ", ")); it has "
                    + "\(there.sorted().joined(separator: ", ")); drop the scene or choose another index")
        }
        return needed
    }

    private func band(_ name: String, _ source: SceneDraft.Source, _ draft: SceneDraft) throws -> Band {
        let info = try files.info(source.address)
        guard info.bands.indices.contains(source.number - 1) else {
            throw SceneError(
                "cannot read scene \(draft.address.onOneLine): \(source.address.onOneLine) should have "
                    + "\(name) as band \(source.number), and it has \(info.bands.count); restore the file")
        }
        let stored = info.bands[source.number - 1]
        let isClassification = name == BandFileName.classification
        if isClassification, !stored.sample.isInteger {
            throw SceneError(
                "cannot read scene \(draft.address.onOneLine): the scene classification "
                    + "\(source.address.onOneLine) has \(stored.sample.rawValue) samples, no classes; "
                    + "restore it, or use --mask none")
        }
        let radiometry =
            isClassification
            ? Radiometry(scale: 1, offset: 0, origin: .assumed)
            : source.evidence.decide(
                sensor: draft.about.sensor, sample: stored.sample, fileScale: stored.scale,
                fileOffset: stored.offset,
                option: request.offset)
        // NaN and infinities are never valid samples, nodata value or not.
        return Band(
            file: info.file, number: source.number, grid: info.grid, sample: stored.sample,
            nodata: stored.nodata.flatMap { $0.isFinite ? $0 : nil }, radiometry: radiometry)
    }

    private func check(_ scene: Scene, _ draft: SceneDraft) throws {
        let grids = scene.bands.mapValues(\.grid)
        if let difference = SceneGeometry.mismatch(grids) {
            throw SceneError(
                "cannot use scene \(draft.address.onOneLine): bands of different size: \(difference); "
                    + "restore the files or drop the scene from the job")
        }
        guard let classification = scene.classification, let any = grids.min(by: { $0.key < $1.key }) else {
            return
        }
        if let difference = SceneGeometry.mismatch([any.key: any.value, "the SCL": classification.grid]) {
            throw SceneError(
                "cannot use scene \(draft.address.onOneLine): the SCL does not cover what its bands cover: "
                    + "\(difference); restore the file, or use --mask none")
        }
    }

    private func radiometryWarnings(_ scene: Scene) -> [String] {
        let bands = scene.bands.sorted { $0.key < $1.key }
        var warnings: [String] = []
        let assumed = bands.filter { $0.value.radiometry.origin == .assumed && $0.value.sample.isInteger }
            .map(\.key)
        if !assumed.isEmpty, scene.sensor == .sentinel2 {
            warnings.append(
                "nothing tells the offset of \(assumed.joined(separator: ", ")): 0 is assumed; products of "
                    + "baseline 04.00 and later need --offset -1000")
        } else if !assumed.isEmpty, scene.sensor == .plain {
            warnings.append(
                "nothing tells the scale of \(assumed.joined(separator: ", ")): reflectance = DN × "
                    + "\(scene.bands[assumed[0]]!.radiometry.scale) is assumed")
        }
        let floats = bands.filter { !$0.value.sample.isInteger && $0.value.radiometry.origin == .option }
        if !floats.isEmpty, request.offset != 0 {
            warnings.append(
                "--offset is added to the floating-point samples of "
                    + "\(floats.map(\.key).joined(separator: ", "))")
        }
        return warnings
    }
}
