import CGDAL
import Mosaic

/// What an open raster says of itself: its grid and, for each band, how samples are stored and what they
/// mean.
public struct RasterInfo: Hashable, Sendable {
    /// How one band is stored and what its samples mean.
    public struct Band: Hashable, Sendable {
        /// From 1.
        public var number: Int
        public var sample: SampleType
        public var nodata: Double?
        /// The file's own scale and offset (value = scale · sample + offset); nil where the file has none.
        public var scale: Double?
        public var offset: Double?
        public var description: String?
        /// Columns × rows of a stored block.
        public var blockColumns: Int
        public var blockRows: Int
        /// Columns and rows of each overview, finest first.
        public var overviews: [[Int]]
    }

    public var file: SourceFile
    /// GDAL's short name of the format: `GTiff`, `JP2OpenJPEG`.
    public var driver: String
    public var grid: Grid
    public var bands: [Band]
    /// GDAL's `IMAGE_STRUCTURE` metadata: `COMPRESSION`, `INTERLEAVE`, `PREDICTOR` where the driver tells.
    public var structure: [String: String]
}

extension Dataset {
    /// Describes the raster.
    ///
    /// - Throws: `RasterError` for a raster without bands or coordinate reference system, one that is rotated
    ///   or stored south-up, and one with samples that are no real numbers of at most 64 bits.
    public func describe() throws -> RasterInfo {
        guard bandCount > 0 else {
            throw RasterError(
                "cannot use \(shownAddress): it has no raster bands of its own; name one of its rasters "
                    + "instead")
        }
        let structure = GDALGetMetadata(handle, "IMAGE_STRUCTURE")
        return RasterInfo(
            file: sourceFile, driver: driver, grid: try grid(), bands: try (1...bandCount).map(describeBand),
            structure: StringList.dictionary(structure))
    }

    /// The file's identity: address as requested, size, and etag or modification time (ARCHITECTURE.md).
    public var sourceFile: SourceFile {
        let status = VirtualFile.status(address)
        let modified = status.flatMap { $0.modified > 0 ? String($0.modified) : nil }
        return SourceFile(
            address: address, size: status?.size, version: VirtualFile.etag(address) ?? modified)
    }

    /// Refuses a file on a disk that is not the planned one any more: a task's key speaks of size and time,
    /// and other bytes under it would be another result.
    ///
    /// - Throws: `RasterError` when size or modification time differ.
    func check(isStill planned: SourceFile) throws {
        guard PeerAddress.isOnDisk(address) else { return }
        let now = sourceFile
        guard planned.size == nil || planned.size == now.size,
            planned.version == nil || planned.version == now.version
        else {
            throw RasterError(
                "\(shownAddress) was changed after the job was planned; restore the file or submit the job "
                    + "anew")
        }
    }

    /// The address as it may stand in a message.
    var shownAddress: String { address.onOneLine }

    private var driver: String {
        guard let driver = GDALGetDatasetDriver(handle), let name = GDALGetDriverShortName(driver) else {
            return ""
        }
        return String(cString: name)
    }

    private func grid() throws -> Grid {
        guard let reference = GDALGetSpatialRef(handle) else {
            let hint =
                GDALGetGCPCount(handle) > 0 ? " (only ground control points: rectify it with gdalwarp)" : ""
            throw RasterError(
                "cannot use \(shownAddress): it has no coordinate reference system\(hint); assign one, as "
                    + "with gdal_edit.py -a_srs EPSG:n, or drop the file from the job")
        }
        guard let copy = OSRClone(reference) else {
            throw RasterError("cannot use \(shownAddress): its coordinate reference system cannot be read")
        }
        defer { OSRDestroySpatialReference(copy) }
        let crs = try CoordinateSystem.canonical(copy, called: "\(shownAddress)")
        var t = [Double](repeating: 0, count: 6)
        guard GDALGetGeoTransform(handle, &t) == CE_None, t.allSatisfy(\.isFinite), t[1] != 0, t[5] != 0
        else {
            throw RasterError(
                "cannot use \(shownAddress): it does not say where its pixels lie (no geotransform); "
                    + "rectify it with gdalwarp, or drop the file from the job")
        }
        // A shear that moves the far corner by less than a thousandth of a pixel is rounding.
        let (columns, rows) = size
        guard abs(t[2]) * Double(rows) < abs(t[1]) * 1e-3, abs(t[4]) * Double(columns) < abs(t[5]) * 1e-3
        else {
            throw RasterError(
                "cannot use \(shownAddress): its grid is rotated; make it north-up with gdalwarp, or drop "
                    + "the file from the job")
        }
        guard t[1] > 0, t[5] < 0 else {
            let way = t[5] > 0 ? "south-up" : "mirrored"
            throw RasterError(
                "cannot use \(shownAddress): its grid is \(way); make it north-up with gdalwarp, or drop "
                    + "the file from the job")
        }
        let grid = Grid(
            crs: crs, originX: t[0], originY: t[3], pixelWidth: t[1], pixelHeight: -t[5], columns: columns,
            rows: rows)
        if try CoordinateSystem(crs).isGeographic { try checkOnGlobe(grid.bounds) }
        return grid
    }

    /// Degrees may run half a pixel past a pole, as global grids do, and longitudes to 360 or past 180.
    private func checkOnGlobe(_ bounds: Bounds) throws {
        guard bounds.top <= 91, bounds.bottom >= -91, bounds.left >= -541, bounds.right <= 541 else {
            throw RasterError(
                "cannot use \(shownAddress): it has a system in degrees, and its corners "
                    + "\(bounds.left),\(bounds.bottom) "
                    + "and \(bounds.right),\(bounds.top) are not on the globe; assign the right one, as with "
                    + "gdal_edit.py -a_srs EPSG:n, or drop the file from the job")
        }
    }

    private func describeBand(_ number: Int) throws -> RasterInfo.Band {
        let band = try band(number)
        var hasNodata: Int32 = 0
        var hasScale: Int32 = 0
        var hasOffset: Int32 = 0
        let nodata = GDALGetRasterNoDataValue(band, &hasNodata)
        let scale = GDALGetRasterScale(band, &hasScale)
        let offset = GDALGetRasterOffset(band, &hasOffset)
        var blockColumns: Int32 = 0
        var blockRows: Int32 = 0
        GDALGetBlockSize(band, &blockColumns, &blockRows)
        let description = GDALGetDescription(band).map { String(cString: $0) } ?? ""
        let overviews = (0..<GDALGetOverviewCount(band)).compactMap { index -> [Int]? in
            GDALGetOverview(band, index).map {
                [Int(GDALGetRasterBandXSize($0)), Int(GDALGetRasterBandYSize($0))]
            }
        }
        return RasterInfo.Band(
            number: number, sample: try sampleType(of: band, number: number),
            nodata: hasNodata != 0 ? nodata : nil,
            scale: hasScale != 0 ? scale : nil, offset: hasOffset != 0 ? offset : nil,
            description: description.isEmpty ? nil : description, blockColumns: Int(blockColumns),
            blockRows: Int(blockRows), overviews: overviews)
    }

    private func sampleType(of band: GDALRasterBandH, number: Int) throws -> SampleType {
        let type = GDALGetRasterDataType(band)
        let pixelType = GDALGetMetadataItem(band, "PIXELTYPE", "IMAGE_STRUCTURE").map { String(cString: $0) }
        switch type {
        // GDAL before 3.7 reads signed bytes as unsigned ones.
        case GDT_Byte where pixelType != "SIGNEDBYTE": return .uint8
        case GDT_UInt16: return .uint16
        case GDT_Int16: return .int16
        case GDT_UInt32: return .uint32
        case GDT_Int32: return .int32
        case GDT_Float32: return .float32
        case GDT_Float64: return .float64
        default:
            let name = pixelType == "SIGNEDBYTE" ? "signed byte" : String(cString: GDALGetDataTypeName(type))
            throw RasterError(
                "cannot use \(shownAddress): band \(number) has \(name) samples; convert it to integers or "
                    + "floating point, as with gdal_translate -ot Float32")
        }
    }
}
