import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Raster
@testable import Scenes

@Suite struct SafeProductTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func aProductIsReadByItsOwnMetadata() throws {
        let scene = try #require(try resolve(TinySafe.write(in: folder)).first)
        #expect(scene.id == "S2A_MSIL2A_20230815T095031_N0509_R079_T33TWM_20230815T155057")
        #expect(scene.sensor == .sentinel2)
        #expect(scene.level == "L2A")
        #expect(scene.tile == "33TWM")
        #expect(scene.datatake == "S2A_20230815T095031")
        #expect(scene.baseline == 5.09)
        #expect(scene.cloudCover == 12.5)
        #expect(scene.acquired == 1_692_093_477.2462)
        #expect(scene.bands.keys.sorted() == ["green", "nir", "red", "swir16"])
        #expect(scene.warnings == [])
        let red = try #require(scene.bands["red"])
        #expect(red.file.address.hasSuffix("R10m/T33TWM_20230815T095031_B04_10m.jp2"))
        #expect(red.radiometry == Radiometry(scale: 1e-4, offset: -1000, origin: .productMetadata))
        #expect(
            red.grid
                == Grid(
                    crs: CRS("EPSG:32633"), originX: 600_000, originY: 5_100_000, pixelWidth: 10,
                    pixelHeight: 10,
                    columns: 12, rows: 12))
        #expect(scene.bands["swir16"]?.grid.pixelWidth == 20)
        #expect(scene.classification?.grid.pixelWidth == 20)
        #expect(scene.classification?.sample == .uint8)
    }

    @Test func aProductWithoutOffsetsHasNone() throws {
        let scene = try resolve(TinySafe.write(in: folder, offset: nil))[0]
        #expect(
            scene.bands["red"]?.radiometry == Radiometry(scale: 1e-4, offset: 0, origin: .productMetadata))
    }

    @Test func theOptionSettlesTheOffset() throws {
        let scene = try resolve(TinySafe.write(in: folder)) { $0.offset = 0 }[0]
        #expect(scene.bands["red"]?.radiometry == Radiometry(scale: 1e-4, offset: 0, origin: .option))
    }

    @Test func aProductWithoutXMLIsReadByNamesAndSaysSo() throws {
        let scene = try resolve(TinySafe.write(in: folder, hasXML: false))[0]
        #expect(scene.bands.keys.sorted() == ["green", "nir", "red", "swir16"])
        #expect(scene.bands["red"]?.grid.pixelWidth == 10)
        #expect(scene.tile == "33TWM")
        #expect(scene.datatake == "S2A_20230815T095031")
        #expect(
            scene.bands["red"]?.radiometry
                == Radiometry(scale: 1e-4, offset: -1000, origin: .processingBaseline))
        #expect(scene.warnings == ["the product's XML is missing: bands and baseline are taken from names"])
    }

    @Test func aZipIsReadWithoutUnpacking() throws {
        try TinySafe.write(in: folder)
        let zip = "\(folder.path)/product.zip"
        try folder.zip(TinySafe.name, to: zip)
        for address in [zip, "/vsizip/\(zip)", "/vsizip/\(zip)/\(TinySafe.name)"] {
            let scene = try resolve(address)[0]
            #expect(scene.bands.keys.sorted() == ["green", "nir", "red", "swir16"])
            #expect(scene.bands["red"]?.file.address.hasPrefix("/vsizip/\(zip)/") == true)
            #expect(scene.bands["red"]?.file.size ?? 0 > 0)
        }
    }

    @Test func anL1CProductTakesItsRadiometricOffset() throws {
        let name = "S2A_MSIL1C_20230815T095031_N0509_R079_T33TWM_20230815T133204.SAFE"
        let granule = "L1C_T33TWM_A042547_20230815T095630"
        let images = ["B04", "B08", "B10"].map { "GRANULE/\(granule)/IMG_DATA/T33TWM_20230815T095031_\($0)" }
        for (image, pixel) in zip(images, [10.0, 10, 60]) {
            var raster = TinyRaster.band(pixel)
            raster.driver = "JP2OpenJPEG"
            try raster.write(try folder.place("\(name)/\(image).jp2"))
        }
        let xml = TinySafe.xml(images: images, level: "1C", granule: granule, uri: name)
        try folder.write(xml, to: "\(name)/MTD_MSIL1C.xml")
        let scene = try resolve("\(folder.path)/\(name)")[0]
        #expect(scene.level == "L1C")
        #expect(scene.bands.keys.sorted() == ["cirrus", "nir", "red"])
        #expect(scene.bands["red"]?.grid.crs == CRS("EPSG:32633"))
        #expect(
            scene.bands["red"]?.radiometry == Radiometry(scale: 1e-4, offset: -1000, origin: .productMetadata)
        )
        #expect(scene.classification == nil)
        #expect(scene.warnings.contains("no scene classification (SCL): clouds are not masked in it"))
    }

    /// Before 2016 one product held many granules, each with names of its own.
    @Test func anOldProductGivesASceneForEachGranule() throws {
        let name = "S2A_OPER_PRD_MSIL1C_PDMC_20160607T000000_R008_V20160606T105942_20160606T105942.SAFE"
        let granules = ["T30TYM", "T31TCJ"].map {
            "S2A_OPER_MSI_L1C_TL_SGS__20160606T154623_A005138_\($0)_N02.02"
        }
        var list = ""
        for granule in granules {
            let images = ["B04", "B08"].map { granule.replacing("_N02.02", with: "_\($0)") }
            for image in images {
                try TinyRaster.band(10).write(
                    try folder.place("\(name)/GRANULE/\(granule)/IMG_DATA/\(image).jp2"))
            }
            let ids = images.map { "<IMAGE_ID>\($0)</IMAGE_ID>" }.joined()
            list +=
                "<Granule_List><Granules granuleIdentifier=\"\(granule)\">\(ids)</Granules></Granule_List>"
        }
        try folder.write(
            """
            <n1:Level-1C_User_Product xmlns:n1="x"><Product_Info>
            <PROCESSING_BASELINE>02.02</PROCESSING_BASELINE>
            <Datatake datatakeIdentifier="GS2A_20160606T105942_004995_N02.02"/>
            <Product_Organisation>\(list)</Product_Organisation></Product_Info>
            <QUANTIFICATION_VALUE>10000</QUANTIFICATION_VALUE></n1:Level-1C_User_Product>
            """,
            to: "\(name)/S2A_OPER_MTD_SAFL1C_PDMC_20160607T000000_R008_V20160606T105942_20160606T105942.xml")
        let scenes = try resolve("\(folder.path)/\(name)")
        #expect(scenes.map(\.id) == granules)
        #expect(scenes.map(\.tile) == ["30TYM", "31TCJ"])
        #expect(scenes.map { $0.bands.keys.sorted() } == [["nir", "red"], ["nir", "red"]])
        #expect(
            scenes[0].bands["red"]?.radiometry == Radiometry(scale: 1e-4, offset: 0, origin: .productMetadata)
        )
    }

    @Test(arguments: ["../../etc/B04", "/etc/B04", "GRANULE/./B04", "GRANULE//B04", "GRANULE/a\\b_B04"])
    func anImageOutsideTheProductIsRefused(_ image: String) throws {
        try folder.write(TinySafe.xml(images: [image]), to: "p.SAFE/MTD_MSIL2A.xml")
        #expect(sentence { try resolve("\(folder.path)/p.SAFE") }.contains("a place outside the product"))
    }

    @Test func brokenMetadataEndInASentence() throws {
        try folder.write("<a><b></a>", to: "a.SAFE/MTD_MSIL2A.xml")
        #expect(sentence { try resolve("\(folder.path)/a.SAFE") }.contains("no XML"))
        try folder.write("<html/>", to: "b.SAFE/MTD_MSIL2A.xml")
        #expect(
            sentence { try resolve("\(folder.path)/b.SAFE") }.contains("no Sentinel-2 L1C or L2A product"))
        let odd = TinySafe.xml(images: TinySafe.images).replacing(
            "band_id=\"3\">-1000", with: "band_id=\"3\">lots")
        try folder.write(odd, to: "c.SAFE/MTD_MSIL2A.xml")
        #expect(
            sentence { try resolve("\(folder.path)/c.SAFE") }.contains("the offset 'lots' of band_id '3'"))
        try folder.write(TinySafe.xml(images: TinySafe.images), to: "d.SAFE/MTD_MSIL2A.xml")
        #expect(
            sentence { try resolve("\(folder.path)/d.SAFE") }.contains(
                "none of the images that its XML lists"))
        let bomb = "<!DOCTYPE a [<!ENTITY x \"yyyyyyyy\">]><a>&x;&x;</a>"
        #expect(try MetadataElement(parsing: Array(bomb.utf8), called: "bomb").text.contains("yyyy") == false)
        let deep = String(repeating: "<a>", count: 500) + String(repeating: "</a>", count: 500)
        #expect(
            sentence { try MetadataElement(parsing: Array(deep.utf8), called: "deep") }.contains("deeper"))
    }

    @Test func missingImagesOfTheListAreToldAndOthersUsed() throws {
        let product = try TinySafe.write(in: folder)
        try FileManager.default.removeItem(
            atPath: "\(product)/GRANULE/\(TinySafe.granule)/IMG_DATA/R10m/T33TWM_20230815T095031_B03_10m.jp2")
        let scene = try resolve(product, needed: ["nir"])[0]
        #expect(scene.bands.keys.sorted() == ["nir"])
        #expect(scene.warnings == ["the product's XML lists files that are not there: green"])
        #expect(
            sentence { try resolve(product, needed: ["green"]) }.contains(
                "has no band green; it has nir, red, swir16"))
    }

    @Test func theGuardComparesMetadataAndPixels() throws {
        let applied = try resolve(TinySafe.write(in: folder, value: 600))[0]
        // 2 × 144 pixels of red and green, all below 1000.
        #expect(
            sentence { try RadiometryGuard.check(applied) }.contains(
                "its XML gives an offset of -1000, yet 100.0 % of its red and green DN are below 1000"))
        let fine = try resolve(TinySafe.write(in: folder, value: 1600, name: "fine.SAFE"))[0]
        #expect(sentence { try RadiometryGuard.check(fine) } == "")
        let settled = try resolve("\(folder.path)/\(TinySafe.name)") { $0.offset = -1000 }[0]
        #expect(sentence { try RadiometryGuard.check(settled) } == "")
    }

    /// NDMI reads neither red nor green; they bear witness all the same.
    @Test func theGuardLooksAtBandsThatTheJobDoesNotRead() throws {
        let product = try TinySafe.write(in: folder, value: 600)
        var request = MosaicRequest()
        request.scenes = [product]
        let resolver = SceneResolver(request: request, needed: ["nir", "swir16"])
        #expect(try resolver.resolve()[0].bands.keys.sorted() == ["nir", "swir16"])
        #expect(
            sentence { try resolver.resolve(checkingRadiometry: true) }.contains("100.0 % of its red and"))
        let red = "\(product)/GRANULE/\(TinySafe.granule)/IMG_DATA/R10m/T33TWM_20230815T095031_B04_10m.jp2"
        try "damaged".write(toFile: red, atomically: true, encoding: .utf8)
        let green = red.replacing("B04", with: "B03")
        try TinyRaster.band(10, value: 1600).write(green)
        let scene = try resolver.resolve(checkingRadiometry: true)[0]
        #expect(scene.bands.keys.sorted() == ["nir", "swir16"])
        #expect(scene.warnings.count == 1)
        #expect(scene.warnings[0].hasPrefix("its radiometry is checked without red: cannot read"))
    }
}
