import CGDAL
import CISAL

/// Versions of the libraries that decide what can be read and, through PROJ, where it lies.
public struct LibraryVersions: Codable, Hashable, Sendable {
    /// `3.6.2`
    public let gdal: String
    public let proj: String
    /// GDAL's own statement of its TIFF library; nil when it makes none.
    public let tiff: String?
    public let isal: String
    /// Whether GDAL can read JPEG 2000, as SAFE products hold it.
    public let readsJPEG2000: Bool

    /// Those of this process.
    public static func loaded() -> LibraryVersions {
        GDALRuntime.start()
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        OSRGetPROJVersion(&major, &minor, &patch)
        let tiff = GDALGetDriverByName("GTiff").flatMap { GDALGetMetadataItem($0, "LIBTIFF", nil) }
        return LibraryVersions(
            gdal: String(cString: GDALVersionInfo("RELEASE_NAME")), proj: "\(major).\(minor).\(patch)",
            // `LIBTIFF, Version 4.5.0`, and then lines of copyright.
            tiff: tiff.flatMap {
                String(cString: $0).split(separator: "\n").first?.split(separator: " ").last
            }
            .map(String.init),
            isal: "\(ISAL_MAJOR_VERSION).\(ISAL_MINOR_VERSION).\(ISAL_PATCH_VERSION)",
            readsJPEG2000: ["JP2OpenJPEG", "JP2KAK", "JP2ECW", "JP2MrSID"].contains { (name: String) in
                GDALGetDriverByName(name) != nil
            })
    }
}
