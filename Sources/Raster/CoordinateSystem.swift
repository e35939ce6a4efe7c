import CGDAL
import Mosaic

/// A coordinate reference system that PROJ knows, opened by its canonical name or by what a user wrote.
///
/// Axes are always x (east or longitude), then y (north or latitude), whatever the authority says. An object
/// belongs to one thread.
public final class CoordinateSystem {
    /// `EPSG:…` where PROJ finds the system in that register, else WKT 2 on one line.
    public let crs: CRS
    let handle: OGRSpatialReferenceH

    /// Opens what a user wrote: `EPSG:32633` in any case, another authority's code, WKT, or a PROJ string.
    ///
    /// Nothing else: no file names and no addresses, which OSR would go and read.
    ///
    /// - Throws: `RasterError` when PROJ does not know it, or it is no map or geographic system.
    public init(text: String) throws {
        let wanted = text.trimmed
        guard Self.looksLikeCRS(wanted) else {
            throw RasterError(
                "unknown coordinate reference system \(text.quoted): give EPSG:n or WKT, as in EPSG:32633")
        }
        let made = GDALRuntime.capturing { () -> OGRSpatialReferenceH? in
            guard let handle = OSRNewSpatialReference(nil) else { return nil }
            guard OSRSetFromUserInput(handle, wanted.uppercasedCode) == OGRERR_NONE else {
                OSRDestroySpatialReference(handle)
                return nil
            }
            return handle
        }
        guard let handle = made.value else {
            let reason = made.message.map { ": \($0.asReason)" } ?? ""
            throw RasterError(
                "unknown coordinate reference system \(text.quoted)\(reason); give EPSG:n or WKT, as in "
                    + "EPSG:32633")
        }
        do {
            crs = try Self.canonical(handle, called: text.quoted)
        } catch {
            OSRDestroySpatialReference(handle)
            throw error
        }
        self.handle = handle
    }

    /// Opens a system by the name that this type has made canonical before.
    public convenience init(_ crs: CRS) throws { try self.init(text: crs.name) }

    deinit { OSRDestroySpatialReference(handle) }

    /// Whether coordinates are longitude and latitude rather than map units.
    public var isGeographic: Bool { OSRIsGeographic(handle) != 0 }

    /// Metres in one unit of the system's coordinates: 1 for UTM; for degrees their length along the equator.
    public var metresPerUnit: Double {
        guard isGeographic else { return OSRGetLinearUnits(handle, nil) }
        return OSRGetAngularUnits(handle, nil) * OSRGetSemiMajor(handle, nil)
    }

    /// The name of a system that a file brought, made canonical; `called` names the file in errors.
    ///
    /// Heights are left out of compound systems. The handle is changed to x, y axis order.
    static func canonical(_ handle: OGRSpatialReferenceH, called name: String) throws -> CRS {
        GDALRuntime.start()
        OSRSetAxisMappingStrategy(handle, OAMS_TRADITIONAL_GIS_ORDER)
        if OSRIsCompound(handle) != 0 { OSRStripVertical(handle) }
        OSRDemoteTo2D(handle, nil)
        guard OSRIsProjected(handle) != 0 || OSRIsGeographic(handle) != 0 else {
            throw RasterError(
                "\(name) has no coordinate reference system that ties it to the Earth; assign one, as with "
                    + "gdal_edit.py -a_srs EPSG:n")
        }
        if let code = ownCode(handle) ?? identifiedCode(handle) { return CRS("EPSG:\(code)") }
        var text: UnsafeMutablePointer<CChar>?
        let status = StringList.withConstant(["FORMAT=WKT2_2019", "MULTILINE=NO"]) {
            OSRExportToWktEx(handle, &text, $0)
        }
        defer { VSIFree(text) }
        guard status == OGRERR_NONE, let text else {
            throw RasterError(
                "\(name) has a coordinate reference system that PROJ cannot write as WKT; assign another")
        }
        return CRS(String(cString: text))
    }

    private static func ownCode(_ handle: OGRSpatialReferenceH) -> Int? {
        guard let authority = OSRGetAuthorityName(handle, nil), String(cString: authority) == "EPSG",
            let code = OSRGetAuthorityCode(handle, nil)
        else { return nil }
        return Int(String(cString: code))
    }

    /// The EPSG code of a system described without one. PROJ's 70 % says that everything but the name agrees;
    /// the two must be the same besides.
    private static func identifiedCode(_ handle: OGRSpatialReferenceH) -> Int? {
        var count: Int32 = 0
        var confidence: UnsafeMutablePointer<Int32>?
        guard let matches = OSRFindMatches(handle, nil, &count, &confidence) else { return nil }
        defer {
            OSRFreeSRSArray(matches)
            VSIFree(confidence)
        }
        let criterion = [
            "IGNORE_DATA_AXIS_TO_SRS_AXIS_MAPPING=YES", "CRITERION=EQUIVALENT_EXCEPT_AXIS_ORDER_GEOGCRS",
        ]
        for index in 0..<Int(count) where (confidence?[index] ?? 0) >= 70 {
            let match = matches[index]
            let isSame = StringList.withConstant(criterion) { OSRIsSameEx(handle, match, $0) != 0 }
            if isSame, let match, let code = ownCode(match) { return code }
        }
        return nil
    }

    private static func looksLikeCRS(_ text: String) -> Bool {
        guard text.utf8.count <= 65_536, !text.utf8.contains(0) else { return false }
        if text.hasPrefix("+") { return text.contains("+proj=") }
        if let bracket = text.firstIndex(of: "[") {
            return text[..<bracket].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        }
        // PROJ would read the number in front of "4326x" and take it.
        return text.wholeMatch(of: /(?i:EPSG):[0-9]{1,9}|(?!(?i:EPSG):)[A-Za-z0-9]+:[A-Za-z0-9]+/) != nil
    }
}

extension CRS {
    /// Longitude and latitude on WGS 84, in degrees.
    public static let wgs84 = CRS("EPSG:4326")

    /// The UTM zone (on WGS 84) of a place in degrees: EPSG:326zz north of the equator, EPSG:327zz south of
    /// it.
    ///
    /// Zones are six degrees wide from 180° west; the exceptions around Norway and Svalbard are not made.
    public static func utm(longitude: Double, latitude: Double) -> CRS {
        let turned = (longitude + 180).truncatingRemainder(dividingBy: 360)
        let zone = min(60, Int((turned < 0 ? turned + 360 : turned) / 6) + 1)
        return CRS("EPSG:\(latitude < 0 ? 32700 + zone : 32600 + zone)")
    }
}

extension String {
    var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    /// `epsg:4326` → `EPSG:4326`; WKT and PROJ strings stay as they are.
    fileprivate var uppercasedCode: String { contains("[") || hasPrefix("+") ? self : uppercased() }
}
