import Mosaic
import Raster

/// STAC items on disk: each with its band files, those beside the item before those it points to elsewhere.
enum ItemScenes {
    /// The items in a JSON file: one item, or the features of a collection in their order.
    ///
    /// - Throws: `RasterError` or `SceneError` when the file cannot be read or holds no item.
    static func drafts(file path: String, called address: String) throws -> [SceneDraft] {
        let json = try Json(parsing: VirtualFile.read(path, limit: Json.sizeLimit), called: path)
        let folder = SourceAddress.folder(of: path)
        if json["type"]?.string == "FeatureCollection", let features = json["features"]?.array {
            guard !features.isEmpty else {
                throw SceneError(
                    "cannot read scene \(address.onOneLine): its list of items is empty; give another file")
            }
            return try features.map { try draft(StacItem($0, called: path), in: folder, called: address) }
        }
        return [try draft(StacItem(json, called: path), in: folder, called: address)]
    }

    /// The item in a folder of bands, by the folder's name or alone; nil when there is none.
    ///
    /// - Throws: `SceneError` when there are several and none has the folder's name.
    static func item(in folder: String, names: [String]) throws -> StacItem? {
        var found: [(name: String, item: StacItem)] = []
        for name in names
        where name.lowercased().hasSuffix(".json") || name.lowercased().hasSuffix(".geojson") {
            let path = SourceAddress.join(folder, name)
            let json = try Json(parsing: VirtualFile.read(path, limit: Json.sizeLimit), called: path)
            if StacItem.isItem(json) { found.append((name, try StacItem(json, called: path))) }
        }
        let own = SourceAddress.name(of: folder)
        if let match = found.first(where: { $0.name == "\(own).json" || $0.item.about.id == own }) {
            return match.item
        }
        guard found.count <= 1 else {
            throw SceneError(
                "cannot read scene \(folder.onOneLine): it holds \(found.count) STAC items; name one of "
                    + "them, as in \(SourceAddress.join(folder, found[0].name).onOneLine)")
        }
        return found.first?.item
    }

    /// The scene of an item whose folder is `folder`.
    ///
    /// - Throws: `SceneError` when an asset's address is none that an item may name.
    static func draft(_ item: StacItem, in folder: String, called address: String) throws -> SceneDraft {
        var draft = SceneDraft(address: address, about: item.about)
        let isLocalFolder = SourceAddress.isLocal(folder)
        let exists = VirtualFile.status(folder.isEmpty ? "." : folder)?.isFolder == true
        let names = isLocalFolder && exists ? try VirtualFile.list(folder.isEmpty ? "." : folder) : []
        for (band, places) in item.places.sorted(by: { $0.key < $1.key }) {
            let choice = try local(band, places, folder: folder, names: names, sensor: item.about.sensor)
            let place = choice?.place ?? places[0]
            let path = try choice?.path ?? SourceAddress.resolve(place.href, in: folder)
            draft.sources[band] = SceneDraft.Source(
                address: path, number: place.number, isLocal: SourceAddress.isLocal(path),
                evidence: evidence(item, band, place))
        }
        return draft
    }

    /// The file on this machine that holds a band: an asset's own, one in the folder with an asset's file
    /// name, or one in the folder whose name says the band.
    private static func local(
        _ band: String, _ places: [StacItem.Place], folder: String, names: [String], sensor: Scene.Sensor
    ) throws -> (place: StacItem.Place, path: String)? {
        for place in places {
            let path = try SourceAddress.resolve(place.href, in: folder)
            if SourceAddress.isLocal(path), VirtualFile.status(path)?.isFolder == false {
                return (place, path)
            }
        }
        for place in places {
            let name = SourceAddress.name(of: place.href)
            if names.contains(name) { return (place, SourceAddress.join(folder, name)) }
        }
        guard places[0].number == 1,
            let name = names.first(where: {
                BandFileName.isRaster($0) && BandFileName($0, sensor: sensor)?.band == band
            })
        else { return nil }
        // An original JP2 belongs to the asset of the originals, where the item has one.
        let isOriginal = name.lowercased().hasSuffix(".jp2")
        let place = places.first { $0.assetKey.lowercased().hasSuffix("-jp2") == isOriginal } ?? places[0]
        return (place, SourceAddress.join(folder, name))
    }

    private static func evidence(_ item: StacItem, _ band: String, _ place: StacItem.Place)
        -> RadiometryEvidence
    {
        guard band != BandFileName.classification else { return RadiometryEvidence() }
        // The flag speaks of Earth Search's own COGs; the original JP2 files beside them are as ESA made
        // them.
        let isOriginal = place.assetKey.lowercased().hasSuffix("-jp2")
        return RadiometryEvidence(
            isOffsetApplied: item.isOffsetApplied == true && !isOriginal, itemScale: place.scale,
            itemOffset: place.offset, isItemFloat: place.isFloat, baseline: item.about.baseline)
    }
}
