import Mosaic
import Raster

/// A Sentinel-2 product in ESA's SAFE layout: a folder, or one inside a zip.
struct SafeProduct {
    /// What the user called it.
    let address: String
    let folder: String
    /// The product's XML; nil when it is missing.
    let metadata: String?

    /// The products at a path: the folder itself, its `.SAFE` folders, or the folder around a product's XML.
    /// Empty when the path holds none.
    ///
    /// - Throws: `RasterError` when the folder cannot be listed.
    static func find(at path: String, called address: String, isNested: Bool = false) throws -> [SafeProduct]
    {
        if isProductXML(SourceAddress.name(of: path)) {
            return [SafeProduct(address: address, folder: SourceAddress.folder(of: path), metadata: path)]
        }
        let names = try VirtualFile.list(path)
        if let xml = names.first(where: isProductXML) {
            return [SafeProduct(address: address, folder: path, metadata: SourceAddress.join(path, xml))]
        }
        if names.contains("GRANULE"), try holdsImages(SourceAddress.join(path, "GRANULE")) {
            return [SafeProduct(address: address, folder: path, metadata: nil)]
        }
        guard !isNested else { return [] }
        return try names.filter { $0.lowercased().hasSuffix(".safe") && $0.lowercased() != "manifest.safe" }
            .flatMap { try find(at: SourceAddress.join(path, $0), called: address, isNested: true) }
    }

    /// Whether a file name is that of a product's own XML, in the new or the old naming.
    static func isProductXML(_ name: String) -> Bool {
        name.wholeMatch(of: /MTD_MSI(L1C|L2A)\.xml|S2[A-Z]_[A-Z]{4}_MTD_SAF(L1C|L2A)_.*\.xml/) != nil
    }

    private static func holdsImages(_ folder: String) throws -> Bool {
        guard VirtualFile.status(folder)?.isFolder == true else { return false }
        return try VirtualFile.list(folder).contains {
            VirtualFile.status("\(folder)/\($0)/IMG_DATA")?.isFolder == true
        }
    }

    /// One draft a granule.
    ///
    /// - Throws: `SceneError` or `RasterError` when the product's XML or folders cannot be read.
    func drafts() throws -> [SceneDraft] {
        guard let metadata else { return try draftsByName() }
        let parsed = try SafeMetadata(MetadataElement(reading: metadata), called: metadata)
        return try parsed.granules.map { try draft(parsed, $0) }
    }

    private func draft(_ product: SafeMetadata, _ granule: SafeMetadata.Granule) throws -> SceneDraft {
        var warnings: [String] = []
        let images = try imageFiles(granule, warnings: &warnings)
        let place = images.first.map { SourceAddress.folder(of: $0.path) } ?? folder
        let own = try granuleMetadata(near: place, granule: granule.identifier, warnings: &warnings)
        let name = product.uri ?? SourceAddress.name(of: folder)
        let ids = ProductName(granule.identifier)
        let isAlone = product.granules.count == 1
        let about = Acquisition(
            id: isAlone ? stem(name) : granule.identifier, sensor: .sentinel2, level: product.level,
            acquired: own?.acquired ?? product.acquired,
            cloudCover: (isAlone ? product.cloudCover : nil) ?? own?.cloudCover ?? product.cloudCover,
            tile: own?.tile ?? ids.tile ?? ProductName(name).tile,
            datatake: product.datatake ?? ProductName(name).datatake, strip: own?.strip,
            generated: ProductName(name).times.last.flatMap(Timestamp.seconds), baseline: product.baseline)
        var draft = SceneDraft(address: address, about: about, warnings: warnings)
        for image in images {
            var evidence = RadiometryEvidence()
            if image.name.band != BandFileName.classification {
                evidence.product = product.radiometry(of: image.esaName)
                evidence.baseline = product.baseline
            }
            draft.sources[image.name.band] = SceneDraft.Source(
                address: image.path, isLocal: SourceAddress.isLocal(image.path), evidence: evidence)
        }
        return draft
    }

    private struct Image {
        var path: String
        var name: BandFileName
        /// `B04`, as the product's XML counts bands.
        var esaName: String
    }

    /// The finest existing image of each band that the product's XML lists.
    private func imageFiles(_ granule: SafeMetadata.Granule, warnings: inout [String]) throws -> [Image] {
        var finest: [String: (image: String, name: BandFileName)] = [:]
        for image in granule.images {
            guard let name = BandFileName(SourceAddress.name(of: image), sensor: .sentinel2) else { continue }
            if let other = finest[name.band], metres(other.image, other.name) <= metres(image, name) {
                continue
            }
            finest[name.band] = (image, name)
        }
        var missing: [String] = []
        var found: [Image] = []
        for (band, entry) in finest.sorted(by: { $0.key < $1.key }) {
            if let path = try locate(entry.image, granule: granule.identifier) {
                found.append(Image(path: path, name: entry.name, esaName: esaName(entry.image)))
            } else {
                missing.append(band)
            }
        }
        guard !found.isEmpty else {
            throw SceneError(
                "cannot read scene \(address.onOneLine): none of the images that its XML lists is there; "
                    + "restore the product or drop it from the job")
        }
        if !missing.isEmpty {
            warnings.append(
                "the product's XML lists files that are not there: \(missing.joined(separator: ", "))")
        }
        return found
    }

    /// Metres a pixel by the name, by the folder (`R20m`), else 10: a coarser copy always says so.
    private func metres(_ image: String, _ name: BandFileName) -> Int {
        if let own = name.resolution { return own }
        return image.firstMatch(of: /\/R([0-9]{2})m\//).flatMap { Int($0.1) } ?? 10
    }

    private func esaName(_ image: String) -> String {
        let tokens = SourceAddress.name(of: image).split(whereSeparator: { "_.".contains($0) })
        return tokens.last { $0.wholeMatch(of: /B[0-9]{2}|B8A|SCL/) != nil }.map { String($0) } ?? ""
    }

    /// Where an image of the XML lies: relative to the product, or, in old products, by its name in
    /// `IMG_DATA`.
    private func locate(_ image: String, granule: String) throws -> String? {
        var places = [image]
        if !image.contains("/") {
            places = ["", "R10m/", "R20m/", "R60m/"].map { "GRANULE/\(granule)/IMG_DATA/\($0)\(image)" }
        }
        for place in places {
            guard let path = SourceAddress.inside(folder, place) else {
                throw SceneError(
                    "cannot read scene \(address.onOneLine): its XML names \(image.quoted), a place outside "
                        + "the product; restore the product or drop it from the job")
            }
            for candidate in [path + ".jp2", path] where VirtualFile.status(candidate)?.isFolder == false {
                return candidate
            }
        }
        return nil
    }

    /// The granule's XML, found upwards of its images; nil, with a warning, when it is missing.
    private func granuleMetadata(
        near images: String, granule: String, warnings: inout [String]
    ) throws -> GranuleMetadata? {
        var place = images
        while place.count > folder.count, SourceAddress.name(of: SourceAddress.folder(of: place)) != "GRANULE"
        {
            place = SourceAddress.folder(of: place)
        }
        let names = VirtualFile.status(place)?.isFolder == true ? try VirtualFile.list(place) : []
        guard let xml = names.first(where: { $0.wholeMatch(of: /MTD_TL\.xml|S2.*_MTD_.*_TL_.*\.xml/) != nil })
        else {
            warnings.append("the granule's own XML (MTD_TL.xml) is missing")
            return nil
        }
        return GranuleMetadata(try MetadataElement(reading: SourceAddress.join(place, xml)))
    }

    private func stem(_ name: String) -> String { name.hasSuffix(".SAFE") ? String(name.dropLast(5)) : name }

    /// Granules by folder and file names alone: for products whose XML is missing.
    private func draftsByName() throws -> [SceneDraft] {
        let root = SourceAddress.join(folder, "GRANULE")
        let product = ProductName(SourceAddress.name(of: folder))
        var drafts: [SceneDraft] = []
        for granule in try VirtualFile.list(root) {
            let place = "\(root)/\(granule)/IMG_DATA"
            guard VirtualFile.status(place)?.isFolder == true else { continue }
            var sources: [String: (metres: Int, path: String)] = [:]
            for path in try rasters(in: place) {
                guard let name = BandFileName(SourceAddress.name(of: path), sensor: .sentinel2) else {
                    continue
                }
                let size = metres(path, name)
                if let other = sources[name.band], other.metres <= size { continue }
                sources[name.band] = (size, path)
            }
            let names = ProductName(granule)
            let about = Acquisition(
                id: stem(SourceAddress.name(of: folder)), sensor: .sentinel2,
                level: product.level ?? names.level ?? (sources["scl"] == nil ? nil : "L2A"),
                acquired: product.times.first.flatMap(Timestamp.seconds), tile: names.tile ?? product.tile,
                datatake: product.datatake, strip: names.strip ?? names.times.last,
                generated: product.times.last.flatMap(Timestamp.seconds),
                baseline: product.baseline ?? names.baseline)
            var draft = SceneDraft(
                address: address, about: about,
                warnings: ["the product's XML is missing: bands and baseline are taken from names"])
            draft.sources = sources.mapValues {
                SceneDraft.Source(
                    address: $0.path, isLocal: SourceAddress.isLocal($0.path),
                    evidence: RadiometryEvidence(baseline: about.baseline))
            }
            drafts.append(draft)
        }
        for index in drafts.indices where drafts.count > 1 {
            drafts[index].about.id += "_\(drafts[index].about.tile ?? "\(index)")"
        }
        return drafts
    }

    private func rasters(in place: String) throws -> [String] {
        try VirtualFile.list(place).flatMap { name -> [String] in
            let path = "\(place)/\(name)"
            guard name.wholeMatch(of: /R[0-9]{2}m/) != nil else {
                return BandFileName.isRaster(name) ? [path] : []
            }
            return try VirtualFile.list(path).filter(BandFileName.isRaster).map { "\(path)/\($0)" }
        }
    }
}
