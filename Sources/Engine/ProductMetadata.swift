import Foundation
import Mosaic
import Raster

/// What the outputs say about themselves: TIFF metadata, the STAC item and the provenance. Equal plans give
/// equal text; only `provenance.json` knows times (RASTER.md, Outputs).
enum ProductMetadata {
    /// The COG's metadata items.
    static func items(_ plan: MosaicPlan, _ index: SpectralIndex) -> [(key: String, value: String)] {
        [
            ("ARBUTUS_VERSION", ArbutusVersion.string), ("INDEX", index.name), ("TITLE", index.title),
            ("FORMULA", index.formulaText), ("SELECTION", selection(plan.rules)),
            ("MASK", mask(plan.rules.mask)), ("AREA_OR_POINT", "Area"),
        ]
    }

    /// RASTER.md: index first, then composite; the output says so.
    static func selection(_ rules: RenderRules) -> String {
        switch rules.select.composite {
        case .first: "\(rules.select.rawValue): the first scene with a value"
        case .count: "count: scenes with a value"
        case .mean, .median, .min, .max: "\(rules.select.rawValue) of the index of each scene"
        }
    }

    static func mask(_ rule: MaskRule) -> String {
        switch rule {
        case .automatic: CloudMask.defaultClasses.map(String.init).joined(separator: ",")
        case .none: "none"
        case .classes(let classes): classes.map(String.init).joined(separator: ",")
        }
    }
}

/// `mosaic.json`: a STAC 1.1 item with the projection (v2.0), raster (v2.0), eo (v2.0), processing (v1.2) and
/// file (v2.1) extensions.
struct StacItemWriter {
    let job: JobPlan
    let products: [AssemblyPhase.Product]
    let extra: [WrittenFile]

    private static let extensions = [
        "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
        "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
        "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
        "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
        "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    ]

    /// The item as JSON with sorted keys.
    func json() throws -> [UInt8] {
        let plan = job.plan
        let footprint = try footprint()
        let item: [String: Any] = [
            "type": "Feature", "stac_version": "1.1.0", "stac_extensions": Self.extensions,
            "id": "arbutus-\(job.identity.description.prefix(16))", "geometry": footprint.geometry,
            "bbox": footprint.bbox, "properties": properties(plan), "assets": assets(plan),
            "links": links(plan),
        ]
        let options: JSONSerialization.WritingOptions = [
            .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
        ]
        return Array(try JSONSerialization.data(withJSONObject: item, options: options)) + [0x0A]
    }

    /// The outline with 17 points an edge, cut at the 180° meridian (RFC 7946, section 3.1.9).
    private func footprint() throws -> (geometry: [String: Any], bbox: [Double]) {
        let grid = job.plan.grid
        let area = try Area(covering: grid.bounds, in: grid.crs)
        let bbox = [area.west, area.south, area.east, area.north].map(Self.rounded)
        let box =
            area.crossesAntimeridian
            ? [ring(area.west, area.south, 180, area.north), ring(-180, area.south, area.east, area.north)]
            : nil
        if let box {
            return (["type": "MultiPolygon", "coordinates": box.map { [$0] }], bbox)
        }
        let bounds = grid.bounds
        var x: [Double] = []
        var y: [Double] = []
        let corners = [
            (bounds.left, bounds.bottom), (bounds.right, bounds.bottom), (bounds.right, bounds.top),
            (bounds.left, bounds.top), (bounds.left, bounds.bottom),
        ]
        for (from, to) in zip(corners, corners.dropFirst()) {
            for step in 0..<16 {
                x.append(from.0 + (to.0 - from.0) * Double(step) / 16)
                y.append(from.1 + (to.1 - from.1) * Double(step) / 16)
            }
        }
        try CoordinateTransform(from: grid.crs, to: .wgs84).transform(x: &x, y: &y)
        var line = zip(x, y).filter { $0.0.isFinite }.map { [Self.rounded($0.0), Self.rounded($0.1)] }
        if let first = line.first { line.append(first) }
        return (["type": "Polygon", "coordinates": [line]], bbox)
    }

    private func ring(_ west: Double, _ south: Double, _ east: Double, _ north: Double) -> [[Double]] {
        [[west, south], [east, south], [east, north], [west, north], [west, south]].map {
            $0.map(Self.rounded)
        }
    }

    /// Seven decimals of a degree: a centimetre.
    private static func rounded(_ degrees: Double) -> Double { (degrees * 1e7).rounded() / 1e7 }

    private func properties(_ plan: MosaicPlan) -> [String: Any] {
        var properties: [String: Any] = [
            "datetime": NSNull(), "processing:software": ["arbutus": ArbutusVersion.string],
            "processing:expression": [
                "format": "text",
                "expression": plan.indices.map {
                    "\($0.name) = \($0.formulaText)"
                }.joined(separator: "; "),
            ],
            "arbutus:selection": ProductMetadata.selection(plan.rules),
            "arbutus:mask": ProductMetadata.mask(plan.rules.mask),
            "proj:code": plan.grid.crs.name.hasPrefix("EPSG:") ? plan.grid.crs.name : NSNull(),
            "proj:shape": [plan.grid.rows, plan.grid.columns], "proj:transform": transform(plan.grid),
            "proj:bbox": [
                plan.grid.bounds.left, plan.grid.bounds.bottom, plan.grid.bounds.right, plan.grid.bounds.top,
            ],
        ]
        if !plan.grid.crs.name.hasPrefix("EPSG:") { properties["proj:wkt2"] = plan.grid.crs.name }
        if let title = job.request.title { properties["title"] = title }
        let times = plan.scenes.compactMap(\.acquired)
        if let first = times.min(), let last = times.max() {
            properties["start_datetime"] = Self.text(first)
            properties["end_datetime"] = Self.text(last)
        } else {
            // STAC wants a time; without dated scenes the item says that nobody knows.
            properties["start_datetime"] = "1970-01-01T00:00:00Z"
            properties["end_datetime"] = "9999-12-31T23:59:59Z"
        }
        let clouds = plan.scenes.compactMap(\.cloudCover)
        if clouds.count == plan.scenes.count, !clouds.isEmpty {
            properties["eo:cloud_cover"] =
                ((clouds.reduce(0, +) / Double(clouds.count)) * 100).rounded() / 100
        }
        return properties
    }

    private func transform(_ grid: Grid) -> [Double] {
        [grid.pixelWidth, 0, grid.originX, 0, -grid.pixelHeight, grid.originY]
    }

    private static func text(_ seconds: Double) -> String {
        Date(timeIntervalSince1970: seconds.rounded()).formatted(.iso8601)
    }

    private func assets(_ plan: MosaicPlan) -> [String: Any] {
        var assets: [String: Any] = [:]
        for product in products {
            var band: [String: Any] = [
                "name": product.index.name, "description": product.index.title, "data_type": "float32",
                "nodata": "nan",
                "raster:spatial_resolution": plan.grid.pixelWidth,
            ]
            if product.statistics.count > 0 {
                band["statistics"] = [
                    "minimum": Double(product.statistics.minimum),
                    "maximum": Double(product.statistics.maximum),
                    "mean": product.statistics.mean, "stddev": product.statistics.standardDeviation,
                    "valid_percent": 100 * Double(product.statistics.count)
                        / Double(max(1, product.counts.total)),
                ]
            }
            assets[product.index.name] = asset(
                product.cog, "image/tiff; application=geotiff; profile=cloud-optimized", ["data"],
                ["title": product.index.title, "bands": [band]])
            guard let png = product.png else { continue }
            assets["\(product.index.name)-png"] = asset(
                png, "image/png", ["visual"],
                [
                    "title":
                        "\(product.index.title), coloured from \(product.index.range.low) to "
                        + "\(product.index.range.high)"
                ])
        }
        for file in extra {
            let type = file.name.hasSuffix(".tif") ? "image/tiff; application=geotiff" : "image/png"
            assets[String(file.name.split(separator: ".").dropLast().joined(separator: "-"))] = asset(
                file, type, [file.name.hasSuffix(".tif") ? "metadata" : "overview"], [:])
        }
        return assets
    }

    /// `file:checksum` is a multihash: 0xb220 (BLAKE2b-256) as a varint, 0x20 bytes, the digest
    /// (https://github.com/multiformats/multicodec).
    private func asset(
        _ file: WrittenFile, _ type: String, _ roles: [String], _ more: [String: Any]
    ) -> [String: Any] {
        more.merging([
            "href": "./\(file.name)", "type": type, "roles": roles, "file:size": file.bytes,
            "file:checksum": "a0e40220\(file.digest)",
        ]) { $1 }
    }

    private func links(_ plan: MosaicPlan) -> [[String: Any]] {
        plan.scenes.map { scene in
            let address = plan.usedBands.compactMap { scene.bands[$0]?.file.address }.first ?? scene.id
            return ["rel": "derived_from", "href": address, "title": scene.id]
        }
    }
}
