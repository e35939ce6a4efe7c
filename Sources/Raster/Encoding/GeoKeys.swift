import CGDAL
import Foundation
import Mosaic

/// A CRS in the forms that outputs want: GeoTIFF keys and WKT.
enum GeoKeys {
    /// GeoKeyDirectory, GeoDoubleParams, GeoAsciiParams.
    private static let ids: Set<UInt16> = [34735, 34736, 34737]

    /// The GeoTIFF 1.1 keys of a CRS, pixel is area, exactly as GDAL writes them: it is asked to write a
    /// one-pixel file to memory, and its tags are taken over.
    ///
    /// - Throws: `RasterError` when the CRS is unknown or GeoTIFF cannot express it.
    static func tags(for crs: CRS) throws -> [TiffTag] {
        let text = try wkt(of: crs)
        let path = "/vsimem/arbutus-geokeys-\(UUID().uuidString).tif"
        defer { VSIUnlink(path) }
        let outcome = GDALRuntime.capturing { () -> [TiffTag]? in
            guard let driver = GDALGetDriverByName("GTiff"),
                let dataset = GDALCreate(driver, path, 1, 1, 1, GDT_Byte, nil)
            else { return nil }
            let accepted = GDALSetProjection(dataset, text) == CE_None
            var transform = [0.0, 1, 0, 0, 0, -1]
            GDALSetGeoTransform(dataset, &transform)
            GDALClose(dataset)
            var length: vsi_l_offset = 0
            guard accepted, let bytes = VSIGetMemFileBuffer(path, &length, 0) else { return nil }
            return TiffDirectory.firstTags(of: UnsafeRawBufferPointer(start: bytes, count: Int(length)))
        }
        let tags = (outcome.value ?? []).filter { ids.contains($0.id) }
        guard !tags.isEmpty else {
            let reason = outcome.message ?? "GDAL wrote no keys for it"
            throw RasterError("cannot write CRS \(crs) in a GeoTIFF: \(reason); choose another with --crs")
        }
        return tags
    }

    /// The CRS as WKT 1 (GDAL's dialect, which every reader of side-car files knows), else WKT 2 when WKT 1
    /// cannot express it.
    ///
    /// - Throws: `RasterError` when the CRS is unknown.
    static func wkt(of crs: CRS) throws -> String {
        let outcome = GDALRuntime.capturing { () -> String? in
            guard let system = OSRNewSpatialReference(nil) else { return nil }
            defer { OSRRelease(system) }
            guard load(crs.name, into: system) else { return nil }
            for format in ["FORMAT=WKT1_GDAL", "FORMAT=WKT2_2019"] {
                if let text = exported(system, format: format) { return text }
            }
            return nil
        }
        guard let text = outcome.value else {
            let reason = outcome.message ?? "PROJ does not know it"
            throw RasterError("unknown CRS \(crs): \(reason); choose another with --crs")
        }
        return text
    }

    /// Only codes and WKT: GDAL's general parser would open files and addresses too.
    private static func load(_ name: String, into system: OGRSpatialReferenceH) -> Bool {
        if name.uppercased().hasPrefix("EPSG:"), let code = Int32(name.dropFirst(5)) {
            return OSRImportFromEPSG(system, code) == OGRERR_NONE
        }
        return name.withCString { start in
            var text: UnsafeMutablePointer<CChar>? = UnsafeMutablePointer(mutating: start)
            return OSRImportFromWkt(system, &text) == OGRERR_NONE
        }
    }

    private static func exported(_ system: OGRSpatialReferenceH, format: String) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        let status = format.withCString { option in
            let options: [UnsafePointer<CChar>?] = [option, nil]
            return OSRExportToWktEx(system, &text, options)
        }
        defer { VSIFree(text) }
        guard status == OGRERR_NONE, let text, text.pointee != 0 else { return nil }
        return String(cString: text)
    }
}
