import Mosaic
import Raster

/// Folders of band files: with the STAC item that lies among them, or by the files' names alone.
enum FolderScenes {
    /// - Throws: `SceneError` or `RasterError` when the folder cannot be read or holds no band.
    static func drafts(folder outer: String, called address: String) throws -> [SceneDraft] {
        let folder = try unwrapped(outer)
        let names = try VirtualFile.list(folder)
        if let item = try ItemScenes.item(in: folder, names: names) {
            return [try ItemScenes.draft(item, in: folder, called: address)]
        }
        let rasters = names.filter(BandFileName.isRaster)
        guard !rasters.isEmpty else {
            let inner = names.filter { VirtualFile.status(SourceAddress.join(folder, $0))?.isFolder == true }
            let shown = inner.prefix(4).map(\.onOneLine).joined(separator: ", ")
            let hint =
                inner.isEmpty
                ? "give a SAFE product, a folder of band files, or a raster"
                : "it has folders (\(shown)): name each as a scene"
            throw SceneError(
                "cannot read scene \(address.onOneLine): there are no rasters in the folder; \(hint)")
        }
        guard let sensor = BandFileName.sensor(of: rasters) else {
            throw SceneError(
                "cannot read scene \(address.onOneLine): names such as \(rasters[0].onOneLine) could be "
                    + "Sentinel-2's or Landsat's; name the files B04.tif (Sentinel-2), SR_B4.tif (Landsat) "
                    + "or red.tif")
        }
        if let raw = rasters.first(where: { $0.firstMatch(of: /^L[COTEM]0[0-9]_L1/) != nil }) {
            throw SceneError(
                "cannot read scene \(address.onOneLine): \(raw.onOneLine) is a Landsat level 1 file, which "
                    + "holds no surface reflectance; use the level 2 product (…_SR_B4.TIF)")
        }
        let files = rasters.compactMap { name in BandFileName(name, sensor: sensor).map { (name, $0) } }
        guard files.contains(where: { $0.1.band != BandFileName.classification }) else {
            throw SceneError(
                "cannot read scene \(address.onOneLine): no file name says its band "
                    + "(\(rasters.prefix(4).map(\.onOneLine).joined(separator: ", "))); name the files "
                    + "B04.tif or red.tif, or give a raster with --bands")
        }
        return groups(files).map { draft(prefix: $0.prefix, files: $0.files, folder, address, sensor) }
    }

    /// The one folder in an archive that holds nothing else; else the folder itself.
    private static func unwrapped(_ folder: String) throws -> String {
        guard folder.hasPrefix("/vsizip/") else { return folder }
        let names = try VirtualFile.list(folder)
        let path = SourceAddress.join(folder, names.first ?? "")
        return names.count == 1 && VirtualFile.status(path)?.isFolder == true ? path : folder
    }

    /// One group a scene: all files, unless a band occurs in several; then files whose names differ in the
    /// band only.
    private static func groups(
        _ files: [(String, BandFileName)]
    ) -> [(prefix: String?, files: [(String, BandFileName)])] {
        let distinct = Set(files.map { "\($0.1.band) \($0.1.resolution ?? 0)" })
        guard distinct.count < files.count else { return [(nil, files)] }
        return Dictionary(grouping: files) { $0.1.prefix }.sorted { $0.key < $1.key }.map {
            ($0.key, $0.value)
        }
    }

    private static func draft(
        prefix: String?, files: [(String, BandFileName)], _ folder: String, _ address: String,
        _ sensor: Scene.Sensor
    ) -> SceneDraft {
        var chosen: [String: (name: String, file: BandFileName)] = [:]
        for (name, file) in files {
            if let other = chosen[file.band], other.file.resolution ?? 0 <= file.resolution ?? 0 { continue }
            chosen[file.band] = (name, file)
        }
        let own = SourceAddress.name(of: folder)
        let name = prefix.flatMap { $0.isEmpty ? nil : $0 } ?? own
        // Tile and time may stand in the folder's name or in the files'.
        let inFolder = ProductName(own)
        let inFile = ProductName(files[0].0)
        let bands = Set(chosen.keys)
        var draft = SceneDraft(address: address, about: Acquisition(id: name, sensor: sensor))
        if sensor == .sentinel2 {
            draft.about.level =
                inFolder.level ?? inFile.level
                ?? (bands.contains(BandFileName.classification)
                    ? "L2A" : bands.contains("cirrus") ? "L1C" : nil)
            draft.about.tile = inFile.tile ?? inFolder.tile
            draft.about.datatake = inFolder.datatake ?? inFile.datatake
            draft.about.acquired = (inFile.times.first ?? inFolder.times.first).flatMap(Timestamp.seconds)
            draft.about.baseline = inFolder.baseline
        } else if sensor == .landsat {
            draft.about.level = "L2"
            draft.about.acquired = landsatDate(files[0].0)
        }
        for (band, choice) in chosen {
            let path = SourceAddress.join(folder, choice.name)
            draft.sources[band] = SceneDraft.Source(
                address: path, isLocal: SourceAddress.isLocal(path),
                evidence: RadiometryEvidence(baseline: draft.about.baseline))
        }
        return draft
    }

    /// The acquisition's day in `LC08_L2SP_033032_20231008_20231017_02_T1_SR_B4.TIF`.
    private static func landsatDate(_ name: String) -> Double? {
        name.firstMatch(of: /_([0-9]{8})_[0-9]{8}_/).flatMap { Timestamp.seconds(String($0.1)) }
    }
}
