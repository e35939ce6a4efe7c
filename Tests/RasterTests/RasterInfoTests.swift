import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Raster

@Suite struct RasterInfoTests {
    /// Writes a GeoTIFF of 8 × 6 pixels in GDAL's memory file system.
    private func write(
        _ name: String, type: GDALDataType = GDT_Int16, bands: Int32 = 2,
        transform: [Double] = [100, 2, 0, 50, 0, -4],
        crs: String? = "EPSG:32733", options: [String] = []
    ) throws -> String {
        GDALRuntime.start()
        let path = "/vsimem/\(name)-\(UUID().uuidString).tif"
        let dataset = StringList.with(options) {
            GDALCreate(GDALGetDriverByName("GTiff"), path, 8, 6, bands, type, $0)
        }
        var t = transform
        GDALSetGeoTransform(dataset, &t)
        if let crs {
            let system = try CoordinateSystem(text: crs)
            withExtendedLifetime(system) { _ = GDALSetSpatialRef(dataset, system.handle) }
        }
        let first = GDALGetRasterBand(dataset, 1)
        if type == GDT_Int16 {
            GDALSetRasterNoDataValue(first, -9999)
            GDALSetDescription(first, "red")
            var samples: [Int16] = (0..<48).map { Int16($0) }
            #expect(GDALRasterIO(first, GF_Write, 0, 0, 8, 6, &samples, 8, 6, GDT_Int16, 0, 0) == CE_None)
        }
        GDALClose(dataset)
        return path
    }

    @Test func aRasterIsDescribed() throws {
        let path = try write(
            "a", options: ["TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=32", "COMPRESS=DEFLATE", "PREDICTOR=2"])
        let info = try Dataset(opening: path).describe()
        #expect(info.driver == "GTiff")
        #expect(
            info.grid
                == Grid(
                    crs: CRS("EPSG:32733"), originX: 100, originY: 50, pixelWidth: 2, pixelHeight: 4,
                    columns: 8,
                    rows: 6))
        #expect(info.structure["COMPRESSION"] == "DEFLATE")
        #expect(info.structure["INTERLEAVE"] == "PIXEL")
        let band = info.bands[0]
        #expect(band.number == 1)
        #expect(band.sample == .int16)
        #expect(band.nodata == -9999)
        #expect(band.scale == nil || band.scale == 1)
        #expect(band.description == "red")
        #expect(band.blockColumns == 16)
        #expect(band.blockRows == 32)
        #expect(band.overviews == [])
        #expect(info.bands[1].description == nil)
        #expect(info.file.address == path)
        #expect(info.file.size ?? 0 > 0)
    }

    @Test func theIdentityFollowsTheFile() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "arbutus-\(UUID().uuidString).tif")
            .path
        try FileManager.default.removeItemIfPresent(path)
        let source = try write("b")
        let bytes = try VirtualFile.read(source, limit: 1 << 20)
        try Data(bytes).write(to: URL(filePath: path))
        defer { unlink(path) }
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)], ofItemAtPath: path)
        #expect(
            try Dataset(opening: path).sourceFile
                == SourceFile(address: path, size: bytes.count, version: "1700000000"))
    }

    @Test(arguments: [
        ([100.0, 2, 0.1, 50, 0, -4], "its grid is rotated"), ([100, 2, 0, 50, 0, 4], "its grid is south-up"),
        ([100, -2, 0, 50, 0, -4], "its grid is mirrored"),
    ])
    func gridsThatAreNotNorthUpAreRefused(_ transform: [Double], _ reason: String) throws {
        let path = try write("c", transform: transform)
        #expect { try Dataset(opening: path).describe() } throws: { "\($0)".contains(reason) }
    }

    @Test func noCRSAndComplexSamplesAreRefused() throws {
        let plain = try write("d", crs: nil)
        #expect { try Dataset(opening: plain).describe() } throws: {
            "\($0)".contains("it has no coordinate reference system")
        }
        let complex = try write("e", type: GDT_CInt16)
        #expect { try Dataset(opening: complex).describe() } throws: { "\($0)".contains("CInt16 samples") }
    }

    @Test func aSampleTakesEveryNthPixel() throws {
        let path = try write("f")
        let whole = try Dataset(opening: path).sample(band: 1)
        #expect(whole.columns == 8 && whole.rows == 6)
        #expect(whole.values == (0..<48).map { Double($0) })
        let half = try Dataset(opening: path).sample(band: 1, side: 4)
        #expect(half.columns == 4 && half.rows == 3)
        // GDAL takes the pixel under the centre of each 2 × 2 cell, which is its lower right one.
        #expect(half.values == [9, 11, 13, 15, 25, 27, 29, 31, 41, 43, 45, 47])
        #expect(throws: RasterError.self) { try Dataset(opening: path).sample(band: 3) }
    }

    @Test func filesAreBounded() throws {
        let path = try write("g")
        let size = try #require(VirtualFile.status(path)?.size)
        #expect(try VirtualFile.read(path, limit: size).count == size)
        #expect { try VirtualFile.read(path, limit: size - 1) } throws: { "\($0)".contains("larger than") }
        #expect(try VirtualFile.start(path, bytes: 2) == [0x49, 0x49])
        #expect(VirtualFile.status("/vsimem/none") == nil)
        #expect(throws: RasterError.self) { try VirtualFile.read("/vsimem/none", limit: 1) }
        #expect(throws: RasterError.self) { try VirtualFile.list("/none") }
    }
}

@Suite struct MetadataElementTests {
    private func parse(_ text: String) throws -> MetadataElement {
        try MetadataElement(parsing: Array(text.utf8), called: "test.xml")
    }

    @Test func elementsAttributesAndTextWithoutPrefixes() throws {
        let root = try parse(
            """
            <?xml version="1.0"?><!-- c -->
            <n1:A xmlns:n1="x"><B id="7"> one &amp; two </B><C><B>3</B></C></n1:A>
            """)
        #expect(root.name == "A")
        #expect(root.all("B").map(\.text) == ["one & two", "3"])
        #expect(root.first("B")?.attributes == ["id": "7"])
        #expect(root.first("Z", "C")?.children.count == 1)
        #expect(root.first("Z") == nil)
    }

    @Test func noXMLAndTooDeepXMLEndInASentence() {
        #expect { try parse("") } throws: { "\($0)".contains("cannot read test.xml") }
        #expect { try parse("<a>") } throws: { "\($0)".contains("no XML") }
        #expect { try parse("hello") } throws: { "\($0)".contains("cannot read test.xml") }
        let deep = String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100)
        #expect { try parse(deep) } throws: { "\($0)".contains("nested deeper than 64") }
    }

    @Test func entitiesOfTheFileAreNotExpanded() throws {
        let root = try parse("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>")
        #expect(root.text == "")
    }
}

@Suite struct SafeTextTests {
    @Test func textFromFilesStaysOnItsLine() {
        #expect("a\nb\u{1B}[31m\u{202E}c\u{2028}d".onOneLine == "a?b?[31m?c?d")
        #expect(String(repeating: "x", count: 400).onOneLine.count == 300)
        #expect("a\"b".quoted == "'a\"b'")
    }
}

extension FileManager {
    fileprivate func removeItemIfPresent(_ path: String) throws {
        if fileExists(atPath: path) { try removeItem(atPath: path) }
    }
}
