import Mosaic
import Testing

@testable import Scenes

@Suite struct NamesTests {
    @Test(arguments: [
        ("2023-08-15T09:57:57.246000Z", 1_692_093_477.246), ("20170216T102101", 1_487_240_461),
        ("2024-07-10T19:09:11+02:00", 1_720_631_351), ("20231008", 1_696_723_200),
        ("1969-12-31T23:59:59Z", -1),
        ("2000-02-29", 951_782_400),
    ])
    func aTimeIsSecondsSince1970(_ text: String, _ seconds: Double) {
        #expect(Timestamp.seconds(text) == seconds)
    }

    @Test(arguments: [
        "", "yesterday", "2023-13-01", "2023-08-15T25:00:00Z", "2023-08-15T09:57:57 CET", "٢٠٢٣-٠٨-١٥",
    ])
    func whatIsNoTimeIsNil(_ text: String) { #expect(Timestamp.seconds(text) == nil) }

    @Test func aProductsNameTellsTheAcquisition() {
        let name = ProductName("S2A_MSIL2A_20230815T095031_N0509_R079_T33TWM_20230815T155057.SAFE")
        #expect(name.level == "L2A")
        #expect(name.tile == "33TWM")
        #expect(name.baseline == 5.09)
        #expect(name.datatake == "S2A_20230815T095031")
        #expect(ProductName("GS2A_20230815T095031_042547_N05.09").datatake == name.datatake)
        #expect(
            ProductName("S2A_OPER_MSI_L2A_DS_2APS_20230815T155057_S20230815T095630_N05.09").strip
                == "20230815T095630")
        #expect(ProductName("S2A_OPER_MSI_L1C_TL_SGS__20160616T154623_A005138_T30TYM_N02.03").tile == "30TYM")
        #expect(ProductName("holiday_photos").datatake == nil)
    }

    @Test(
        arguments: [
            ("B04.tif", Scene.Sensor.sentinel2, "red", nil, ""),
            ("T33UUU_20170216T102101_B04.jp2", .sentinel2, "red", nil, "T33UUU_20170216T102101"),
            ("T33UUU_20170216T102101_B8A_20m.jp2", .sentinel2, "nir08", 20, "T33UUU_20170216T102101"),
            ("S2A_USER_SCL_L2A_TL_SGS__20160616T154623_A005138_T30TYM_20m.jp2", .sentinel2, "scl", 20, nil),
            ("LC08_L2SP_033032_20231008_20231017_02_T1_SR_B4.TIF", .landsat, "red", nil, nil),
            ("red.tif", .plain, "red", nil, ""), ("field.NIR.tif", .plain, "nir", nil, "field"),
        ] as [(String, Scene.Sensor, String, Int?, String?)])
    func aFileNameTellsItsBand(
        _ name: String, _ sensor: Scene.Sensor, _ band: String, _ metres: Int?, _ prefix: String?
    ) {
        let file = BandFileName(name, sensor: sensor)
        #expect(file?.band == band)
        #expect(file?.resolution == metres)
        if let prefix { #expect(file?.prefix == prefix) }
    }

    @Test(arguments: [
        "T33UUU_20170216T102101_TCI.jp2", "MSK_DETFOO_B04.jp2", "T33TWM_20230815T095031_AOT_10m.jp2",
        "thumbnail.tif",
        "B04_mask.tif",
    ])
    func otherFilesHoldNoBand(_ name: String) { #expect(BandFileName(name, sensor: .sentinel2) == nil) }

    @Test(arguments: [
        ("https://host/a/B04.tif?sig=x", "/vsicurl/https://host/a/B04.tif?sig=x"),
        ("s3://bucket/B04.tif", "/vsis3/bucket/B04.tif"),
        ("/data/a.SAFE/", "/data/a.SAFE"), ("file:///data/a%20b.tif", "/data/a b.tif"),
        ("/vsizip/a.zip/B04.tif", "/vsizip/a.zip/B04.tif"),
        ("relative/B04.tif", "relative/B04.tif"), ("/", "/"),
    ])
    func addressesBecomeVirtualPaths(_ address: String, _ path: String) throws {
        #expect(try SourceAddress.virtualPath(address) == path)
    }

    @Test func partsOfAddresses() throws {
        #expect(SourceAddress.isLocal("/vsizip//data/a.zip/B04.tif"))
        #expect(!SourceAddress.isLocal("/vsizip//vsicurl/https://host/a.zip/B04.tif"))
        #expect(SourceAddress.name(of: "/vsicurl/https://host/a/B04.tif?sig=a/b") == "B04.tif")
        #expect(SourceAddress.folder(of: "B04.tif") == "")
        #expect(SourceAddress.folder(of: "/B04.tif") == "/")
        #expect(try SourceAddress.resolve("./B04.tif", in: "items") == "items/B04.tif")
        #expect(try SourceAddress.resolve("B04.tif", in: "") == "B04.tif")
        #expect(SourceAddress.inside("p.SAFE", "GRANULE/B04") == "p.SAFE/GRANULE/B04")
        #expect(SourceAddress.inside("p.SAFE", "GRANULE/../../B04") == nil)
    }
}
