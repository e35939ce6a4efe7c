import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Raster
@testable import Scenes

@Suite struct FolderScenesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ rasters: [String: TinyRaster]) throws {
        for (name, raster) in rasters { try raster.write(try folder.place(name)) }
    }

    @Test func sentinelBandsByName() throws {
        try write([
            "a/T33UUU_20170216T102101_B04_10m.tif": .band(10),
            "a/T33UUU_20170216T102101_B04_60m.tif": .band(60),
            "a/T33UUU_20170216T102101_B8A_20m.tif": .band(20),
            "a/T33UUU_20170216T102101_TCI_10m.tif": .band(10),
            "a/T33UUU_20170216T102101_SCL_20m.tif": .band(20, value: 4, type: GDT_Byte),
            "a/MSK_QUALIT_B03.tif": .band(10),
        ])
        let scene = try resolve("\(folder.path)/a/")[0]
        #expect(scene.id == "a")
        #expect(scene.bands.keys.sorted() == ["nir08", "red"])
        #expect(scene.bands["red"]?.grid.pixelWidth == 10)
        #expect(scene.classification?.grid.pixelWidth == 20)
        #expect(scene.level == "L2A")
        #expect(scene.tile == "33UUU")
        #expect(
            scene.warnings == [
                "nothing tells the offset of nir08, red: 0 is assumed; products of baseline 04.00 and later "
                    + "need --offset -1000"
            ])
    }

    @Test func filesOfSeveralDatesAreSeveralScenes() throws {
        try write([
            "T33UUU_20170216T102101_B04.tif": .band(10), "T33UUU_20170216T102101_B08.tif": .band(10),
            "T33UUU_20170226T102101_B04.tif": .band(10), "T33UUU_20170226T102101_B08.tif": .band(10),
        ])
        let scenes = try resolve(folder.path)
        #expect(scenes.map(\.id) == ["T33UUU_20170216T102101", "T33UUU_20170226T102101"])
        #expect(scenes.map { $0.bands.count } == [2, 2])
    }

    @Test func landsatLevel2HasItsOwnScale() throws {
        let start = "LC08_L2SP_033032_20231008_20231017_02_T1"
        try write([
            "\(start)_SR_B4.TIF": .band(30), "\(start)_SR_B5.TIF": .band(30),
            "\(start)_ST_B10.TIF": .band(30),
            "\(start)_QA_PIXEL.TIF": .band(30),
        ])
        let scene = try resolve(folder.path)[0]
        #expect(scene.sensor == .landsat)
        #expect(scene.bands.keys.sorted() == ["nir", "red"])
        let radiometry = try #require(scene.bands["red"]?.radiometry)
        // Reflectance of DN 20000 is 20000 · 2.75e-5 − 0.2 = 0.35 (USGS, Landsat 8-9 Collection 2 Level 2
        // guide).
        #expect(abs(radiometry.scale * (20_000 + radiometry.offset) - 0.35) < 1e-12)
        #expect(scene.acquired == 1_696_723_200)
    }

    @Test func landsat5CountsItsBandsOtherwise() throws {
        let start = "LT05_L2SP_033032_20081008_20200829_02_T1"
        try write(["\(start)_SR_B3.TIF": .band(30), "\(start)_SR_B4.TIF": .band(30)])
        let scene = try resolve(folder.path)[0]
        #expect(scene.bands["red"]?.file.address.hasSuffix("SR_B3.TIF") == true)
        #expect(scene.bands["nir"]?.file.address.hasSuffix("SR_B4.TIF") == true)
    }

    @Test func plainNamesAndFloatSamplesAreReflectance() throws {
        var red = TinyRaster.band(10, value: 0.04, type: GDT_Float32)
        red.nodata = .nan
        try write(["red.tif": red, "nir.tif": .band(10, value: 0.3, type: GDT_Float32)])
        let scene = try resolve(folder.path)[0]
        #expect(scene.sensor == .plain)
        #expect(scene.bands["red"]?.radiometry == Radiometry(scale: 1, offset: 0, origin: .assumed))
        #expect(scene.bands["red"]?.nodata == nil)
        #expect(scene.warnings == ["no scene classification (SCL): clouds are not masked in it"])
    }

    @Test func aFilesOwnScaleAndOffsetCount() throws {
        var red = TinyRaster.band(10)
        red.scale = (0.0001, -0.1)
        try write(["red.tif": red])
        #expect(
            try resolve(folder.path)[0].bands["red"]?.radiometry
                == Radiometry(scale: 0.0001, offset: -1000, origin: .fileScaleAndOffset))
    }

    @Test func namesThatCouldBeTwoSensorsAreRefused() throws {
        try write(["B4.tif": .band(10), "B5.tif": .band(10)])
        #expect(sentence { try resolve(folder.path) }.contains("B4.tif could be Sentinel-2's or Landsat's"))
    }

    @Test func bandsThatDoNotFitAreRefused() throws {
        var small = TinyRaster.band(10)
        small.rows = 8
        try write(["a/B04.tif": .band(10), "a/B08.tif": small])
        #expect(
            sentence { try resolve("\(folder.path)/a") }.contains(
                "bands of different size: nir is 12 × 8 pixels of 10 × 10 from 600000, 5100000, red is 12 × "
                    + "12"
            ))
        var shifted = TinyRaster.band(20, value: 4, type: GDT_Byte)
        shifted.transform = [600_060, 20, 0, 5_100_000, 0, -20]
        try write(["b/B04.tif": .band(10), "b/SCL.tif": shifted])
        #expect(
            sentence { try resolve("\(folder.path)/b") }.contains(
                "the SCL does not cover what its bands cover"))
        #expect(try resolve("\(folder.path)/b") { $0.mask = .none }[0].classification == nil)
        try write(["c/B04.tif": .band(10), "c/B8A.tif": .band(15)])
        #expect(sentence { try resolve("\(folder.path)/c") }.contains("bands of different size"))
    }

    @Test func gridsThatNoMosaicCanUseAreRefused() throws {
        var raster = TinyRaster.band(10)
        raster.crs = nil
        try write(["a/B04.tif": raster])
        #expect(
            sentence { try resolve("\(folder.path)/a") }.contains("it has no coordinate reference system"))
        raster = .band(10)
        raster.transform = [600_000, 10, 2, 5_100_000, 2, -10]
        try write(["b/B04.tif": raster])
        #expect(sentence { try resolve("\(folder.path)/b") }.contains("its grid is rotated"))
        raster.transform = [600_000, 10, 0, 5_100_000, 0, 10]
        try write(["c/B04.tif": raster])
        #expect(sentence { try resolve("\(folder.path)/c") }.contains("its grid is south-up"))
        raster = .band(10, type: GDT_CFloat32)
        try write(["d/B04.tif": raster])
        #expect(sentence { try resolve("\(folder.path)/d") }.contains("band 1 has CFloat32 samples"))
    }

    @Test func whatIsNoSceneEndsInASentence() throws {
        try folder.write("hello", to: "text/B04.tif")
        #expect(
            sentence { try resolve("\(folder.path)/text") }.contains(
                "B04.tif: not a raster that GDAL can read"))
        try write([
            "odd/picture.tif": .band(10), "outer/inner/B04.tif": .band(10),
            "lone/SCL.tif": .band(20, value: 4, type: GDT_Byte),
        ])
        #expect(
            sentence { try resolve("\(folder.path)/odd") }.contains(
                "no file name says its band (picture.tif)"))
        #expect(
            sentence { try resolve("\(folder.path)/outer") }.contains("it has folders (inner): name each"))
        #expect(
            sentence { try resolve("\(folder.path)/lone/SCL.tif") }.contains("it has no spectral band"))
        #expect(sentence { try resolve("\(folder.path)/none") }.contains("no such file or folder"))
        #expect(sentence { try resolve("a\nb") }.contains("'a?b'"))
        #expect(sentence { try resolve("<VRTDataset/>") }.contains("no such file or folder"))
        #expect(sentence { try resolve() }.contains("the job has no scenes"))
        #expect(sentence { try resolve("ftp://host/B04.tif") }.contains("unknown scheme ftp"))
    }

    @Test func aMultiBandRasterNeedsNames() throws {
        var raster = TinyRaster.band(10)
        raster.bands = 3
        try write(["stack.tif": raster])
        let path = "\(folder.path)/stack.tif"
        #expect(
            sentence { try resolve(path) }.contains(
                "nothing names its 3 bands; say which is which, as in --bands"))
        let scene = try resolve(path) { $0.bands = ["RED": 1, "nir": 3] }[0]
        #expect(scene.id == "stack")
        #expect(scene.bands.mapValues(\.number) == ["red": 1, "nir": 3])
        #expect(
            sentence { try resolve(path) { $0.bands = ["red": 4] } }.contains(
                "asks for band 4 as red, and it has 3"))
        #expect(
            sentence { try resolve(path) { $0.bands = ["crimson": 1] } }.contains(
                "'crimson', which is no band"))
        raster.descriptions = ["green", "red", "nir"]
        try write(["named.tif": raster])
        #expect(
            try resolve("\(folder.path)/named.tif")[0].bands.mapValues(\.number)
                == ["green": 1, "red": 2, "nir": 3])
        raster.descriptions = ["B03", "B04", "SCL"]
        try write(["codes.tif": raster])
        let codes = try resolve("\(folder.path)/codes.tif")[0]
        #expect(codes.bands.mapValues(\.number) == ["green": 1, "red": 2])
        #expect(codes.classification?.number == 3)
        #expect(codes.sensor == .sentinel2)
    }
}
