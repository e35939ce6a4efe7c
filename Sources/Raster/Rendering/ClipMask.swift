import CGDAL
import Mosaic

/// The polygons of `--clip` in the job's CRS; burns them into planes. Used by one thread at a time.
final class ClipMask {
    private let grid: Grid
    private let geometries: [OGRGeometryH]

    /// Reads GeoJSON (a geometry, a feature or a collection; longitude and latitude, RFC 7946).
    ///
    /// Edges are cut in pieces of a thousandth of a degree before they are projected, so that long ones bend
    /// as they should, with at most 10,000 pieces an edge.
    ///
    /// Of each polygon only what lies near the grid is projected: a far corner has no place in most systems,
    /// and a polygon around the world would turn inside out.
    ///
    /// - Throws: `RasterError` when the text holds no polygon, or none near the grid.
    init(geoJSON: String, grid: Grid) throws {
        self.grid = grid
        let transform = try CoordinateTransform(from: .wgs84, to: grid.crs)
        let found = try Self.polygons(geoJSON)
        defer { for polygon in found { OGR_G_DestroyGeometry(polygon) } }
        let near = try Surroundings(of: grid)
        geometries = found.flatMap(near.parts)
        guard !geometries.isEmpty else {
            throw RasterError(
                "the clip lies outside the mosaic; check --clip (longitude, latitude) and --bbox")
        }
        for polygon in geometries {
            var extent = OGREnvelope()
            OGR_G_GetEnvelope(polygon, &extent)
            let longest = max(extent.MaxX - extent.MinX, extent.MaxY - extent.MinY)
            OGR_G_Segmentize(polygon, max(0.001, longest / 10_000))
            guard OGR_G_Transform(polygon, transform.handle) == OGRERR_NONE else {
                throw RasterError("the clip polygon cannot be brought to \(grid.crs); choose another --crs")
            }
        }
    }

    deinit { for geometry in geometries { OGR_G_DestroyGeometry(geometry) } }

    /// 1 for each pixel of `window` whose centre lies inside a polygon, else 0; row by row.
    func plane(_ window: PixelWindow) -> [UInt8] {
        var plane = [UInt8](repeating: 0, count: window.count)
        let bounds = grid.bounds(of: window)
        plane.withUnsafeMutableBytes { pixels in
            let driver = GDALGetDriverByName("MEM")
            guard
                let memory = GDALCreate(
                    driver, "", Int32(window.width), Int32(window.height), 0, GDT_Byte, nil)
            else { return }
            defer { GDALClose(memory) }
            let pointer = "DATAPOINTER=\(UInt(bitPattern: pixels.baseAddress!))"
            var options = CSLAddString(nil, pointer)
            defer { CSLDestroy(options) }
            GDALAddBand(memory, GDT_Byte, options)
            var transform = [bounds.left, grid.pixelWidth, 0, bounds.top, 0, -grid.pixelHeight]
            GDALSetGeoTransform(memory, &transform)
            options = CSLAddString(options, "ALL_TOUCHED=FALSE")
            var band: Int32 = 1
            var burn = [Double](repeating: 1, count: geometries.count)
            var shapes: [OGRGeometryH?] = geometries
            _ = GDALRuntime.capturing {
                GDALRasterizeGeometries(
                    memory, 1, &band, Int32(shapes.count), &shapes, nil, nil, &burn, nil, nil, nil)
            }
        }
        return plane
    }

    private static func polygons(_ geoJSON: String) throws -> [OGRGeometryH] {
        let name = "/vsimem/clip-\(UInt64.random(in: 0 ... .max)).geojson"
        var bytes = Array(geoJSON.utf8)
        return try bytes.withUnsafeMutableBufferPointer { buffer in
            let file = VSIFileFromMemBuffer(name, buffer.baseAddress, vsi_l_offset(buffer.count), 0)
            VSIFCloseL(file)
            defer { VSIUnlink(name) }
            let flags = UInt32(GDAL_OF_VECTOR) | UInt32(GDAL_OF_READONLY) | UInt32(GDAL_OF_VERBOSE_ERROR)
            let drivers = CSLAddString(nil, "GeoJSON")
            defer { CSLDestroy(drivers) }
            let allowed = drivers.map { UnsafePointer($0) }
            let opened = GDALRuntime.capturing {
                GDALOpenEx(name, flags, allowed.map(Self.constants), nil, nil)
            }
            guard let dataset = opened.value else {
                throw RasterError("the clip is no GeoJSON; give --clip a FILE.geojson with a polygon")
            }
            defer { GDALClose(dataset) }
            let found = collect(dataset)
            guard !found.isEmpty else { throw RasterError("the clip holds no polygon; check --clip") }
            return found
        }
    }

    private static func constants(
        _ list: UnsafePointer<UnsafeMutablePointer<CChar>?>
    ) -> UnsafePointer<UnsafePointer<CChar>?> {
        UnsafeRawPointer(list).assumingMemoryBound(to: UnsafePointer<CChar>?.self)
    }

    private static func collect(_ dataset: GDALDatasetH) -> [OGRGeometryH] {
        var found: [OGRGeometryH] = []
        for index in 0..<GDALDatasetGetLayerCount(dataset) {
            guard let layer = GDALDatasetGetLayer(dataset, index) else { continue }
            while let feature = OGR_L_GetNextFeature(layer) {
                defer { OGR_F_Destroy(feature) }
                guard let geometry = OGR_F_GetGeometryRef(feature), OGR_G_GetDimension(geometry) == 2,
                    OGR_G_Area(geometry) > 0, let copy = OGR_G_Clone(geometry)
                else { continue }
                found.append(copy)
            }
        }
        return found
    }
}

/// The part of the globe around a grid, a tenth of its size wider on each side.
private struct Surroundings {
    private let area: Bounds

    init(of grid: Grid) throws {
        let degrees = try Area(covering: grid.bounds, in: grid.crs)
        let width = degrees.unwrappedEast - degrees.west
        let height = degrees.north - degrees.south
        area = Bounds(
            left: degrees.west - width / 10, bottom: max(-90, degrees.south - height / 10),
            right: degrees.unwrappedEast + width / 10, top: min(90, degrees.north + height / 10))
    }

    /// What of a polygon lies in the area, also when it counts longitudes a turn further: copies of the
    /// polygon, or new ones. The caller destroys them.
    func parts(of polygon: OGRGeometryH) -> [OGRGeometryH] {
        var extent = OGREnvelope()
        OGR_G_GetEnvelope(polygon, &extent)
        return [-360.0, 0, 360].compactMap { turn in
            let box = Bounds(
                left: area.left - turn, bottom: area.bottom, right: area.right - turn, top: area.top)
            let shape = Bounds(left: extent.MinX, bottom: extent.MinY, right: extent.MaxX, top: extent.MaxY)
            guard shape.intersects(box) else { return nil }
            let isInside =
                box.left <= shape.left && shape.right <= box.right && box.bottom <= shape.bottom
                && shape.top <= box.top
            return isInside ? OGR_G_Clone(polygon) : cut(polygon, to: box)
        }
    }

    /// nil when nothing of the polygon lies in the box. Rings that cross themselves are mended first.
    private func cut(_ polygon: OGRGeometryH, to box: Bounds) -> OGRGeometryH? {
        let ring = OGR_G_CreateGeometry(wkbLinearRing)
        let corners = [
            (box.left, box.bottom), (box.right, box.bottom), (box.right, box.top), (box.left, box.top),
            (box.left, box.bottom),
        ]
        for corner in corners { OGR_G_AddPoint_2D(ring, corner.0, corner.1) }
        let frame = OGR_G_CreateGeometry(wkbPolygon)
        OGR_G_AddGeometryDirectly(frame, ring)
        let whole = OGR_G_MakeValid(polygon)
        defer {
            OGR_G_DestroyGeometry(frame)
            if let whole { OGR_G_DestroyGeometry(whole) }
        }
        guard let part = GDALRuntime.capturing({ OGR_G_Intersection(whole ?? polygon, frame) }).value else {
            return nil
        }
        guard OGR_G_IsEmpty(part) == 0, OGR_G_GetDimension(part) == 2 else {
            OGR_G_DestroyGeometry(part)
            return nil
        }
        return part
    }
}

/// Whether a clip can be used, said before any pixel is read.
public enum Clip {
    /// - Throws: `RasterError` when the text is no GeoJSON with a polygon near the grid.
    public static func check(_ geoJSON: String, on grid: Grid) throws {
        _ = try ClipMask(geoJSON: geoJSON, grid: grid)
    }
}
