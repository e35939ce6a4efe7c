import Foundation
import Mosaic
import Testing

@testable import Scenes

/// The real scenes beside the repository; every test here skips where they are absent.
enum SharedData {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../../shared/data"
    ).standardizedFileURL.path
    static let isThere = FileManager.default.fileExists(atPath: folder + "/scenes")
    static func request(_ scenes: String...) -> MosaicRequest {
        var request = MosaicRequest()
        request.scenes = scenes.map { "\(folder)/scenes/\($0)" }
        return request
    }
}

@Suite(.enabled(if: SharedData.isThere, "../shared/data is absent"))
struct RealScenesTests {
    @Test(arguments: [
        "S2A_33TWL_20230815_0_L2A", "S2A_33TWM_20230815_0_L2A", "S2A_33TWL_20230818_0_L2A",
        "S2A_33TWM_20230818_0_L2A",
    ])
    func anEarthSearchFolderHasItsOffsetApplied(_ name: String) throws {
        let scene = try #require(try SceneResolver(request: SharedData.request(name)).resolve().first)
        #expect(scene.id == name)
        #expect(scene.level == "L2A")
        #expect(scene.sensor == .sentinel2)
        #expect(scene.bands.keys.sorted() == ["blue", "green", "nir", "red"])
        for band in scene.bands.values {
            #expect(band.radiometry == Radiometry(scale: 0.0001, offset: 0, origin: .offsetAlreadyApplied))
            #expect(band.grid.pixelWidth == 120)
            #expect(band.grid.columns == 915)
            #expect(band.grid.crs == CRS("EPSG:32633"))
        }
        #expect(scene.classification?.sample == .uint8)
        #expect(scene.warnings == [])
        try RadiometryGuard.check(scene)
    }

    @Test func theFourScenesAreNoDuplicatesAndKeepTheirOrder() throws {
        let names = [
            "S2A_33TWM_20230815_0_L2A", "S2A_33TWL_20230818_0_L2A", "S2A_33TWL_20230815_0_L2A",
            "S2A_33TWM_20230818_0_L2A",
        ]
        let request = SharedData.request(names[0], names[1], names[2], names[3])
        let scenes = try SceneResolver(request: request, needed: ["red", "nir"]).resolve()
        #expect(scenes.map(\.id) == names)
        #expect(scenes.map { $0.bands.keys.sorted() } == Array(repeating: ["nir", "red"], count: 4))
        #expect(scenes[0].bands["red"]?.grid.originY == 5_200_020)
        #expect(scenes[2].bands["red"]?.grid.originY == 5_100_000)
        #expect(scenes[0].datatake == "S2A_20230815T095031")
        #expect(scenes[0].cloudCover == 0.207328)
        #expect(scenes[0].acquired == 1_692_093_477.246)
    }

    /// Metadata that say −1000 of pixels which have it already is what the guard exists for.
    @Test(arguments: [
        "S2A_33TWL_20230815_0_L2A", "S2A_33TWM_20230815_0_L2A", "S2A_33TWL_20230818_0_L2A",
        "S2A_33TWM_20230818_0_L2A",
    ])
    func theGuardFindsAnOffsetAppliedTwice(_ name: String) throws {
        var scene = try SceneResolver(request: SharedData.request(name)).resolve()[0]
        for key in scene.bands.keys { scene.bands[key]?.radiometry.offset = -1000 }
        for key in scene.bands.keys { scene.bands[key]?.radiometry.origin = .rasterBands }
        #expect(throws: SceneError.self) { try RadiometryGuard.check(scene) }
        for key in scene.bands.keys { scene.bands[key]?.radiometry.origin = .option }
        try RadiometryGuard.check(scene)
    }

    @Test func anL1CFolderOfJP2IsReadByFileNames() throws {
        let scene = try SceneResolver(request: SharedData.request("S2A_33UUU_20170216_L1C")).resolve()[0]
        #expect(scene.level == "L1C")
        #expect(scene.tile == "33UUU")
        #expect(scene.acquired == 1_487_240_461)
        #expect(scene.bands.keys.sorted() == ["blue", "green", "nir", "red", "swir16", "swir22"])
        #expect(scene.bands["red"]?.grid.columns == 1536)
        #expect(scene.bands["swir16"]?.grid.columns == 768)
        #expect(scene.bands["swir16"]?.grid.pixelWidth == 20)
        #expect(scene.bands["red"]?.radiometry == Radiometry(scale: 1e-4, offset: 0, origin: .assumed))
        #expect(scene.classification == nil)
        #expect(scene.warnings.count == 2)
    }

    @Test func aMissingBandIsNamedWithThoseThatExist() {
        let request = SharedData.request("S2A_33UUU_20170216_L1C")
        #expect {
            try SceneResolver(request: request, needed: ["red", "nir08"]).resolve()
        } throws: { "\($0)".contains("has no band nir08; it has blue, green, nir, red, swir16, swir22") }
    }
}
