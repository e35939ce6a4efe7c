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
    /// - Throws: `RasterError` when the text holds no polygon.
    init(geoJSON: String, grid: Grid) throws {
        self.grid = grid
        let transform = try CoordinateTransform(from: .wgs84, to: grid.crs)
        geometries = try Self.polygons(geoJSON).map { polygon in
            var extent = OGREnvelope()
            OGR_G_GetEnvelope(polygon, &extent)
            let longest = max(extent.MaxX - extent.MinX, extent.MaxY - extent.MinY)
            OGR_G_Segmentize(polygon, max(0.001, longest / 10_000))
            guard OGR_G_Transform(polygon, transform.handle) == OGRERR_NONE else {
                throw RasterError("the clip polygon cannot be brought to \(grid.crs); choose another --crs")
            }
            return polygon
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
                throw RasterError(
                    "the clip is no GeoJSON: \(opened.message ?? "it cannot be read"); check --clip")
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
                    let copy = OGR_G_Clone(geometry)
                else { continue }
                found.append(copy)
            }
        }
        return found
    }
}
