import CGDAL
import Foundation
import Mosaic

@testable import Raster
@testable import Scenes

/// A folder that vanishes with the test that made it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "arbutus-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch {
            print("left behind: \(path): \(error)")
        }
    }

    /// Writes a text file, with the folders on the way to it.
    func write(_ text: String, to name: String) throws {
        try text.write(toFile: try place(name), atomically: true, encoding: .utf8)
    }

    /// Packs the folder `name` and all below it into an archive.
    func zip(_ name: String, to archive: String) throws {
        GDALRuntime.start()
        for case let file as String in FileManager.default.enumerator(atPath: "\(path)/\(name)")! {
            guard let data = FileManager.default.contents(atPath: "\(path)/\(name)/\(file)") else { continue }
            guard let out = VSIFOpenL("/vsizip/\(archive)/\(name)/\(file)", "wb") else {
                throw RasterError("the test cannot write \(archive)")
            }
            VSIFWriteL([UInt8](data), 1, data.count, out)
            VSIFCloseL(out)
        }
    }

    /// The path of `name` in the folder; its parent exists afterwards.
    func place(_ name: String) throws -> String {
        let full = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: URL(filePath: full).deletingLastPathComponent().path, withIntermediateDirectories: true)
        return full
    }
}

/// A raster small enough to write in a test. `pixel` is in units of `crs`; the top left corner is (600000,
/// 5100000).
struct TinyRaster {
    var columns = 12
    var rows = 12
    var pixel = 10.0
    var crs: String? = "EPSG:32633"
    var type = GDT_UInt16
    var bands = 1
    var values: (_ band: Int, _ x: Int, _ y: Int) -> Double = { _, _, _ in 1500 }
    var nodata: Double?
    var descriptions: [String] = []
    var scale: (Double, Double)?
    var transform: [Double]?
    var driver = "GTiff"
    /// Creation options of drivers other than GTiff, `NAME=VALUE`.
    var options: [String] = []

    /// A granule's band at 10, 20 or 60 m over the same 120 m × 120 m.
    static func band(_ pixel: Double, value: Double = 1500, type: GDALDataType = GDT_UInt16) -> TinyRaster {
        TinyRaster(
            columns: Int(120 / pixel), rows: Int(120 / pixel), pixel: pixel, type: type,
            values: { _, _, _ in value })
    }

    func write(_ path: String) throws {
        GDALRuntime.start()
        let memory = GDALGetDriverByName(driver == "GTiff" ? "GTiff" : "MEM")
        guard
            let dataset = GDALCreate(
                memory, driver == "GTiff" ? path : "", Int32(columns), Int32(rows), Int32(bands), type, nil)
        else { throw RasterError("the test cannot write \(path)") }
        var t = transform ?? [600_000, pixel, 0, 5_100_000, 0, -pixel]
        GDALSetGeoTransform(dataset, &t)
        if let crs {
            let system = try CoordinateSystem(text: crs)
            withExtendedLifetime(system) { _ = GDALSetSpatialRef(dataset, system.handle) }
        }
        for number in 1...bands {
            let band = GDALGetRasterBand(dataset, Int32(number))
            if let nodata { GDALSetRasterNoDataValue(band, nodata) }
            if descriptions.indices.contains(number - 1) {
                GDALSetDescription(band, descriptions[number - 1])
            }
            if let scale {
                GDALSetRasterScale(band, scale.0)
                GDALSetRasterOffset(band, scale.1)
            }
            var samples = (0..<columns * rows).map { values(number, $0 % columns, $0 / columns) }
            guard
                GDALRasterIO(
                    band, GF_Write, 0, 0, Int32(columns), Int32(rows), &samples, Int32(columns), Int32(rows),
                    GDT_Float64, 0, 0) == CE_None
            else { throw RasterError("the test cannot write samples of \(path)") }
        }
        if driver != "GTiff" {
            let list = options.reduce(nil as UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
                CSLAddString($0, $1)
            }
            defer { CSLDestroy(list) }
            let copy = GDALCreateCopy(GDALGetDriverByName(driver), path, dataset, 0, list, nil, nil)
            GDALClose(copy)
        }
        GDALClose(dataset)
    }
}

/// Sentinel-2 products in ESA's layout, small.
enum TinySafe {
    static let name = "S2A_MSIL2A_20230815T095031_N0509_R079_T33TWM_20230815T155057.SAFE"
    static let granule = "L2A_T33TWM_A042547_20230815T095630"

    /// The product's XML with these image files; `offset` for all bands, nil: no offset list, as before
    /// 04.00.
    static func xml(
        images: [String], level: String = "2A", offset: Int? = -1000, granule: String = granule,
        baseline: String = "05.09", uri: String = name
    ) -> String {
        let key = level == "2A" ? "BOA" : "RADIO"
        let list = offset.map { value in
            let lines = (0...12).map { "<\(key)_ADD_OFFSET band_id=\"\($0)\">\(value)</\(key)_ADD_OFFSET>" }
            return "<\(key)_ADD_OFFSET_VALUES_LIST>\(lines.joined())</\(key)_ADD_OFFSET_VALUES_LIST>"
        }
        let files = images.map { "<IMAGE_FILE>\($0)</IMAGE_FILE>" }.joined()
        let quantification =
            level == "2A"
            ? "<QUANTIFICATION_VALUES_LIST>"
                + "<BOA_QUANTIFICATION_VALUE unit=\"none\">10000</BOA_QUANTIFICATION_VALUE>"
                + "<AOT_QUANTIFICATION_VALUE>1000.0</AOT_QUANTIFICATION_VALUE></QUANTIFICATION_VALUES_LIST>"
            : "<QUANTIFICATION_VALUE unit=\"none\">10000</QUANTIFICATION_VALUE>"
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <n1:Level-\(level)_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/x.xsd">
            <n1:General_Info><Product_Info>
            <PRODUCT_START_TIME>2023-08-15T09:50:31.024Z</PRODUCT_START_TIME>
            <PRODUCT_URI>\(uri)</PRODUCT_URI>
            <PROCESSING_LEVEL>Level-\(level)</PROCESSING_LEVEL>
            <PROCESSING_BASELINE>\(baseline)</PROCESSING_BASELINE>
            <Datatake datatakeIdentifier="GS2A_20230815T095031_042547_N\(baseline)">
            <DATATAKE_SENSING_START>2023-08-15T09:50:31.024Z</DATATAKE_SENSING_START></Datatake>
            <Product_Organisation><Granule_List>
            <Granule granuleIdentifier="\(granule)" imageFormat="JPEG2000">\(files)</Granule>
            </Granule_List></Product_Organisation>
            </Product_Info><Product_Image_Characteristics>\(quantification)\(list ?? "")
            </Product_Image_Characteristics></n1:General_Info>
            <n1:Quality_Indicators_Info><Cloud_Coverage_Assessment>12.5</Cloud_Coverage_Assessment>
            </n1:Quality_Indicators_Info></n1:Level-\(level)_User_Product>
            """
    }

    static let granuleXML = """
        <n1:Level-2A_Tile_ID xmlns:n1="x"><n1:General_Info>
        <TILE_ID>S2A_OPER_MSI_L2A_TL_2APS_20230815T155057_A042547_T33TWM_N05.09</TILE_ID>
        <DATASTRIP_ID>S2A_OPER_MSI_L2A_DS_2APS_20230815T155057_S20230815T095630_N05.09</DATASTRIP_ID>
        <SENSING_TIME>2023-08-15T09:57:57.2462Z</SENSING_TIME></n1:General_Info>
        <n1:Quality_Indicators_Info><Image_Content_QI><CLOUDY_PIXEL_PERCENTAGE>12.5</CLOUDY_PIXEL_PERCENTAGE>
        </Image_Content_QI></n1:Quality_Indicators_Info></n1:Level-2A_Tile_ID>
        """

    /// Image paths of an L2A product as its XML writes them: 10 m bands also at 20 and 60 m, SCL at 20 and 60
    /// m.
    static let images: [String] = {
        let start = "GRANULE/\(granule)/IMG_DATA"
        let bands = [
            "10m": ["B03", "B04", "B08", "TCI"], "20m": ["B04", "B11", "SCL"], "60m": ["B04", "SCL"],
        ]
        return bands.sorted { $0.key > $1.key }.flatMap { size, names in
            names.map { "\(start)/R\(size)/T33TWM_20230815T095031_\($0)_\(size)" }
        }
    }()

    /// Writes an L2A product into `folder`; `hasXML` false leaves out its XML. Returns the product's path.
    @discardableResult
    static func write(
        in folder: TemporaryFolder, hasXML: Bool = true, offset: Int? = -1000, value: Double = 1500,
        name: String = name
    ) throws -> String {
        for image in images {
            let pixel = image.hasSuffix("10m") ? 10.0 : image.hasSuffix("20m") ? 20 : 60
            var raster = TinyRaster.band(pixel, value: value)
            if image.contains("SCL") { raster = TinyRaster.band(pixel, value: 4, type: GDT_Byte) }
            try raster.write(try folder.place("\(name)/\(image).jp2"))
        }
        if hasXML {
            try folder.write(xml(images: images, offset: offset, uri: name), to: "\(name)/MTD_MSIL2A.xml")
            try folder.write(granuleXML, to: "\(name)/GRANULE/\(granule)/MTD_TL.xml")
        }
        return "\(folder.path)/\(name)"
    }
}

/// The scenes at some addresses.
func resolve(
    _ addresses: String..., needed: Set<String>? = nil, change: (inout MosaicRequest) -> Void = { _ in }
) throws -> [Scene] {
    var request = MosaicRequest()
    request.scenes = addresses
    change(&request)
    return try SceneResolver(request: request, needed: needed).resolve()
}

/// The sentence that `body` ends in; empty when it ends well.
func sentence(_ body: () throws -> some Any) -> String {
    do {
        _ = try body()
        return ""
    } catch { return "\(error)" }
}
