import Raster

/// What a Sentinel-2 product's own XML says (MTD_MSIL2A.xml, MTD_MSIL1C.xml and their older forms).
struct SafeMetadata: Equatable {
    struct Granule: Equatable {
        var identifier: String
        /// Image files as written, without extension: relative to the product, or bare names in old products.
        var images: [String]
    }

    /// `L1C` or `L2A`.
    var level: String
    /// The product's name.
    var uri: String?
    var baseline: Double?
    var datatake: String?
    /// Seconds since 1970, UTC.
    var acquired: Double?
    /// Percent.
    var cloudCover: Double?
    /// DN for a reflectance of one.
    var quantification: Double
    /// Offset in DN by band name (`B04`); empty in products before baseline 04.00, which have none.
    var offsets: [String: Double]
    var granules: [Granule]

    /// Physical bands in the order of the product's `band_id`.
    private static let bandNames = [
        "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12",
    ]

    /// - Throws: `SceneError` when the XML is no Sentinel-2 product's, or its numbers are none.
    init(_ root: MetadataElement, called name: String) throws {
        let shown = name.onOneLine
        switch root.name {
        case let kind where kind.hasPrefix("Level-2A"): level = "L2A"
        case let kind where kind.hasPrefix("Level-1C"): level = "L1C"
        default:
            throw SceneError(
                "cannot read \(shown): its XML is a \(root.name.quoted), no Sentinel-2 L1C or L2A product; "
                    + "restore the file")
        }
        uri = root.first("PRODUCT_URI", "PRODUCT_URI_2A", "PRODUCT_URI_1C")?.text
        baseline = root.first("PROCESSING_BASELINE").flatMap { Double($0.text) }.flatMap(Acquisition.baseline)
        let take = root.first("Datatake")
        datatake = take?.attributes["datatakeIdentifier"].flatMap { ProductName($0).datatake }
        acquired = (take?.first("DATATAKE_SENSING_START") ?? root.first("PRODUCT_START_TIME"))
            .flatMap { Timestamp.seconds($0.text) }
        cloudCover = root.first("Cloud_Coverage_Assessment").flatMap { Double($0.text) }
            .flatMap(Acquisition.percent)
        quantification = try Self.quantification(root, level: level, called: shown)
        offsets = try Self.offsets(root, level: level, called: shown)
        granules = root.all("Granule").merged + root.all("Granules").merged
        guard !granules.isEmpty else {
            throw SceneError("cannot read \(shown): it lists no granule; restore the product")
        }
    }

    private static func quantification(_ root: MetadataElement, level: String, called name: String) throws
        -> Double
    {
        let found =
            level == "L2A"
            ? root.first("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE", "QUANTIFICATION_VALUE")
            : root.first("QUANTIFICATION_VALUE")
        guard let found else { return 10_000 }
        guard let value = Double(found.text), value.isFinite, value > 0 else {
            throw SceneError(
                "cannot read \(name): its quantification value is \(found.text.quoted), no positive number; "
                    + "restore it")
        }
        return value
    }

    private static func offsets(_ root: MetadataElement, level: String, called name: String) throws
        -> [String: Double]
    {
        var result: [String: Double] = [:]
        for element in root.all(level == "L2A" ? "BOA_ADD_OFFSET" : "RADIO_ADD_OFFSET") {
            guard let id = element.attributes["band_id"].flatMap({ Int($0) }), bandNames.indices.contains(id),
                let value = Double(element.text), value.isFinite
            else {
                throw SceneError(
                    "cannot read \(name): the offset \(element.text.quoted) of band_id "
                        + "\((element.attributes["band_id"] ?? "").quoted) is no number for a band; restore "
                        + "the file, or settle it with --offset")
            }
            result[bandNames[id]] = value
        }
        return result
    }

    /// The radiometry of a band by ESA's name; nil when the product lists offsets but none for this band.
    func radiometry(of band: String) -> RadiometryEvidence.Product? {
        if offsets.isEmpty { return .init(quantification: quantification, offset: 0) }
        return offsets[band].map { .init(quantification: quantification, offset: $0) }
    }
}

extension [MetadataElement] {
    /// One granule for each identifier; old products list a granule once for each of its image sizes.
    fileprivate var merged: [SafeMetadata.Granule] {
        var result: [SafeMetadata.Granule] = []
        for element in self {
            let id = element.attributes["granuleIdentifier"] ?? ""
            let images = element.children.filter {
                ["IMAGE_FILE", "IMAGE_ID", "IMAGE_FILE_2A", "IMAGE_ID_2A"].contains($0.name)
                    && !$0.text.isEmpty
            }.map(\.text)
            if let index = result.firstIndex(where: { $0.identifier == id }) {
                result[index].images += images
            } else {
                result.append(SafeMetadata.Granule(identifier: id, images: images))
            }
        }
        return result
    }
}

/// What a granule's own XML says (MTD_TL.xml).
struct GranuleMetadata: Equatable {
    var tile: String?
    /// Sensing time in seconds since 1970, UTC.
    var acquired: Double?
    /// Percent.
    var cloudCover: Double?
    /// The beginning of the data strip.
    var strip: String?

    init(_ root: MetadataElement) {
        tile = root.first("TILE_ID", "TILE_ID_2A").flatMap { ProductName($0.text).tile }
        acquired = root.first("SENSING_TIME").flatMap { Timestamp.seconds($0.text) }
        cloudCover = root.first("CLOUDY_PIXEL_PERCENTAGE").flatMap { Double($0.text) }
            .flatMap(Acquisition.percent)
        strip = root.first("DATASTRIP_ID", "DATASTRIP_ID_2A").flatMap { ProductName($0.text).strip }
    }
}
