import CGDAL
import Mosaic

/// Points from one CRS to another, by PROJ; used by one thread at a time.
final class PointTransform {
    let handle: OGRCoordinateTransformationH

    /// - Throws: `RasterError` when PROJ knows no way between the two.
    init(from: CRS, to: CRS) throws {
        let source = try Self.reference(from)
        defer { OSRDestroySpatialReference(source) }
        let target = try Self.reference(to)
        defer { OSRDestroySpatialReference(target) }
        let made = GDALRuntime.capturing { OCTNewCoordinateTransformation(source, target) }
        guard let handle = made.value else {
            throw RasterError(
                "no transformation leads from \(from) to \(to): \(made.message ?? "PROJ gave no reason"); "
                    + "choose another --crs")
        }
        self.handle = handle
    }

    deinit { OCTDestroyCoordinateTransformation(handle) }

    /// Replaces each point; a point without an answer becomes infinite.
    func apply(_ x: inout [Double], _ y: inout [Double]) {
        var success = [Int32](repeating: 0, count: x.count)
        _ = GDALRuntime.capturing { OCTTransformEx(handle, Int32(x.count), &x, &y, nil, &success) }
        for index in success.indices where success[index] == 0 {
            x[index] = .infinity
            y[index] = .infinity
        }
    }

    private static func reference(_ crs: CRS) throws -> OGRSpatialReferenceH {
        GDALRuntime.start()
        guard let reference = OSRNewSpatialReference(nil) else { throw RasterError("PROJ gave no reference system") }
        guard OSRSetFromUserInput(reference, crs.name) == OGRERR_NONE else {
            OSRDestroySpatialReference(reference)
            throw RasterError("\(crs) is no coordinate reference system that PROJ knows; use EPSG:n or WKT")
        }
        OSRSetAxisMappingStrategy(reference, OAMS_TRADITIONAL_GIS_ORDER)
        return reference
    }
}
