import Foundation
import Mosaic
import Raster

/// The STAC item beside the bands of a granule, in the form that Earth Search gives (collection
/// sentinel-2-l2a, v1) to an item whose offset is *not* yet applied.
enum SampleItem {
    /// The item as JSON text. `footprint` is a closed ring of longitude and latitude.
    static func json(
        _ granule: Granule, names: GranuleNames, labels: GranuleLabels, footprint: [(x: Double, y: Double)]
    ) throws -> Data {
        let x = footprint.map(\.x)
        let y = footprint.map(\.y)
        let bbox = [x.min()!, y.min()!, x.max()!, y.max()!]
        let item: [String: Any] = [
            "type": "Feature", "stac_version": "1.0.0", "id": names.item, "collection": "sentinel-2-l2a",
            "stac_extensions": [
                "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
                "https://stac-extensions.github.io/mgrs/v1.0.0/schema.json",
                "https://stac-extensions.github.io/grid/v1.0.0/schema.json",
                "https://stac-extensions.github.io/projection/v1.1.0/schema.json",
                "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
                "https://stac-extensions.github.io/view/v1.0.0/schema.json",
                "https://stac-extensions.github.io/processing/v1.1.0/schema.json",
            ],
            "bbox": bbox,
            "geometry": ["type": "Polygon", "coordinates": [footprint.map { [$0.x, $0.y] }]],
            "properties": properties(granule, names, labels),
            "assets": Dictionary(
                uniqueKeysWithValues: SampleBand.allCases.map {
                    ($0.description?.common ?? "scl", asset($0, granule))
                }),
            "links": [[String: Any]](),
        ]
        return try JSONSerialization.data(
            withJSONObject: item, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    private static func properties(
        _ granule: Granule, _ names: GranuleNames, _ labels: GranuleLabels
    ) -> [String: Any] {
        let made = names.time(granule.acquired.addingTimeInterval(16_481))
        return [
            "datetime": names.time(granule.acquired.addingTimeInterval(495)), "created": made,
            "updated": made,
            "platform": "sentinel-2\(names.platform.suffix(1).lowercased())", "constellation": "sentinel-2",
            "instruments": ["msi"], "proj:epsg": 32_600 + granule.zone,
            "mgrs:utm_zone": names.zone, "mgrs:latitude_band": names.latitudeBand,
            "mgrs:grid_square": names.gridSquare, "grid:code": "MGRS-\(names.tile)",
            "view:sun_azimuth": 143.2, "view:sun_elevation": 62.8,
            "eo:cloud_cover": labels.cloudCover, "s2:mgrs_tile": names.tile,
            "s2:nodata_pixel_percentage": labels.percent(0),
            "s2:saturated_defective_pixel_percentage": labels.percent(1),
            "s2:dark_features_percentage": labels.percent(2),
            "s2:cloud_shadow_percentage": labels.percent(3),
            "s2:vegetation_percentage": labels.percent(4),
            "s2:not_vegetated_percentage": labels.percent(5),
            "s2:water_percentage": labels.percent(6),
            "s2:unclassified_percentage": labels.percent(7),
            "s2:medium_proba_clouds_percentage": labels.percent(8),
            "s2:high_proba_clouds_percentage": labels.percent(9),
            "s2:thin_cirrus_percentage": labels.percent(10),
            "s2:snow_ice_percentage": labels.percent(11),
            "s2:product_type": "S2MSI2A", "s2:processing_baseline": GranuleNames.baseline,
            "s2:product_uri": names.product, "s2:generation_time": made,
            "s2:datatake_id": names.datatake, "s2:datatake_type": "INS-NOBS",
            "s2:datastrip_id": names.datastrip, "s2:granule_id": names.tileID, "s2:sequence": "0",
            "earthsearch:boa_offset_applied": false,
            "processing:software": ["arbutus sample": ArbutusVersion.string],
        ]
    }

    private static func asset(_ band: SampleBand, _ granule: Granule) -> [String: Any] {
        let grid = granule.grid(resolution: band.resolution)
        var asset: [String: Any] = [
            "href": "\(band.rawValue).tif",
            "type": "image/tiff; application=geotiff; profile=cloud-optimized",
            "title": band.description?.title ?? "Scene classification map (SCL)",
            "roles": ["data", "reflectance"],
            "gsd": band.resolution, "proj:shape": [grid.rows, grid.columns],
            "proj:transform": [band.resolution, 0, granule.originX, 0, -band.resolution, granule.originY],
        ]
        var raster: [String: Any] = ["nodata": 0, "spatial_resolution": band.resolution]
        if let (common, title, centre, width) = band.description {
            raster.merge(["data_type": "uint16", "bits_per_sample": 15, "scale": 0.0001, "offset": -0.1]) {
                $1
            }
            asset["eo:bands"] = [
                [
                    "name": common, "common_name": common, "description": title, "center_wavelength": centre,
                    "full_width_half_max": width,
                ] as [String: Any]
            ]
        } else {
            raster["data_type"] = "uint8"
        }
        asset["raster:bands"] = [raster]
        return asset
    }
}
