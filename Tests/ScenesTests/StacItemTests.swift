import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Raster
@testable import Scenes

@Suite struct StacItemTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func item(_ text: String) throws -> StacItem {
        try StacItem(Json(parsing: Array(text.utf8), called: "item.json"), called: "item.json")
    }

    /// An Earth Search item with a COG and, for `-jp2`, the original of red, and a remote near infrared.
    private func earthSearch(applied: Bool?, red: String = "B04.tif") -> String {
        let flag = applied.map { "\"earthsearch:boa_offset_applied\": \($0)," } ?? ""
        let raster = "\"raster:bands\": [{\"data_type\": \"uint16\", \"scale\": 0.0001, \"offset\": -0.1}]"
        return """
            {"type": "Feature", "stac_version": "1.0.0", "id": "S2A_33TWM_20230815_0_L2A",
             "collection": "sentinel-2-l2a", "bbox": [-180, -90, 180, 90],
             "properties": {"datetime": "2023-08-15T09:57:57.246000Z", \(flag) "eo:cloud_cover": 0.2,
              "grid:code": "MGRS-33TWM", "s2:processing_baseline": "05.09",
              "s2:datatake_id": "GS2A_20230815T095031_042547_N05.09", "proj:shape": [1, 1]},
             "assets": {
              "red": {"href": "\(red)", "roles": ["data"], \(raster)},
              "red-jp2": {"href": "s3://sentinel-s2-l2a/x/B04.jp2", "roles": ["data"], \(raster)},
              "nir": {"href": "https://127.0.0.1:9/B08.tif", "roles": ["data"], \(raster)},
              "visual": {"href": "TCI.tif", "roles": ["visual"]},
              "scl": {"href": "https://127.0.0.1:9/SCL.tif", "roles": ["data"]}}}
            """
    }

    @Test func localFilesComeBeforeRemoteOnesAndTheGridFromTheFile() throws {
        try folder.write(earthSearch(applied: true), to: "s/S2.json")
        try TinyRaster.band(10).write(try folder.place("s/B04.tif"))
        try TinyRaster.band(10).write(try folder.place("s/T33TWM_20230815T095031_B08_10m.jp2"))
        try TinyRaster.band(20, value: 4, type: GDT_Byte).write(try folder.place("s/SCL.tif"))
        for address in ["\(folder.path)/s", "\(folder.path)/s/S2.json"] {
            let scene = try resolve(address)[0]
            #expect(scene.id == "S2A_33TWM_20230815_0_L2A")
            #expect(scene.bands.keys.sorted() == ["nir", "red"])
            #expect(scene.bands["red"]?.grid.columns == 12)
            #expect(
                scene.bands["red"]?.radiometry
                    == Radiometry(scale: 0.0001, offset: 0, origin: .offsetAlreadyApplied))
            #expect(scene.bands["nir"]?.file.address == "\(folder.path)/s/T33TWM_20230815T095031_B08_10m.jp2")
            #expect(scene.classification?.file.address == "\(folder.path)/s/SCL.tif")
            #expect(scene.tile == "33TWM")
        }
    }

    @Test func theAppliedFlagDecidesBeforeRasterBands() throws {
        try TinyRaster.band(10).write(try folder.place("B04.tif"))
        let expected: [(Bool?, Radiometry)] = [
            (true, Radiometry(scale: 0.0001, offset: 0, origin: .offsetAlreadyApplied)),
            (false, Radiometry(scale: 0.0001, offset: -1000, origin: .rasterBands)),
            (nil, Radiometry(scale: 0.0001, offset: -1000, origin: .rasterBands)),
        ]
        for (applied, radiometry) in expected {
            try folder.write(earthSearch(applied: applied), to: "item.json")
            let scene = try resolve("\(folder.path)/item.json", needed: ["red"]) { $0.mask = .none }[0]
            #expect(scene.bands["red"]?.radiometry == radiometry)
        }
        try folder.write(earthSearch(applied: true), to: "item.json")
        let settled = try resolve("\(folder.path)/item.json", needed: ["red"]) {
            $0.mask = .none
            $0.offset = -1000
        }[0]
        #expect(settled.bands["red"]?.radiometry == Radiometry(scale: 0.0001, offset: -1000, origin: .option))
    }

    @Test func theFlagDoesNotSpeakOfTheOriginalJP2() throws {
        try folder.write(earthSearch(applied: true, red: "https://127.0.0.1:9/B04.tif"), to: "s/item.json")
        try TinyRaster.band(10).write(try folder.place("s/B04.jp2"))
        let scene = try resolve("\(folder.path)/s") { $0.mask = .none }[0]
        #expect(
            scene.bands["red"]?.radiometry == Radiometry(scale: 0.0001, offset: -1000, origin: .rasterBands))
    }

    @Test func bandsOfSTAC11CarryTheirOwnScale() throws {
        let parsed = try item(
            """
            {"type": "Feature", "stac_version": "1.1.0", "id": "x",
             "properties": {"constellation": "sentinel-2"},
             "assets": {"B04": {"href": "B04.tif", "bands": [
               {"name": "B04", "eo:common_name": "red", "raster:scale": 0.0001, "raster:offset": -0.1}]},
              "stack": {"href": "stack.tif", "bands": [{"name": "B03"}, {"name": "B04"}, {"name": "B08"}]}}}
            """)
        let red = try #require(parsed.places["red"])
        #expect(red.map(\.assetKey) == ["B04", "stack"])
        #expect(red[0].scale == 0.0001)
        #expect(red[0].offset == -0.1)
        #expect(parsed.places["nir"]?.map(\.number) == [3])
    }

    @Test func planetaryComputerGoesByTheBaseline() throws {
        func item(_ baseline: String) -> String {
            """
            {"type": "Feature", "id": "S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531",
             "collection": "sentinel-2-l2a", "properties": {"s2:processing_baseline": "\(baseline)",
              "s2:mgrs_tile": "06VVN", "s2:datatake_id": "GS2B_20190629T212529_012081_N\(baseline)"},
             "assets": {"B04": {"href": "B04.tif", "roles": ["data"]}}}
            """
        }
        try TinyRaster.band(10).write(try folder.place("B04.tif"))
        for (baseline, offset) in [("02.12", 0.0), ("03.01", 0), ("04.00", -1000), ("05.10", -1000)] {
            try folder.write(item(baseline), to: "item.json")
            let scene = try resolve("\(folder.path)/item.json") { $0.mask = .none }[0]
            #expect(
                scene.bands["red"]?.radiometry
                    == Radiometry(scale: 1e-4, offset: offset, origin: .processingBaseline))
        }
    }

    @Test func anEarthDailyMosaicFallsBackToNir08() throws {
        try folder.write(
            """
            {"type": "Feature", "id": "eda", "collection": "ai-ready-mosaics-sample", "properties": {},
             "assets": {"cog": {"href": "m.tif", "bands": [{"name": "blue"}, {"name": "green"},
              {"name": "red"},
              {"name": "nir08"}]}}}
            """, to: "item.json")
        var raster = TinyRaster.band(10)
        raster.bands = 4
        try raster.write(try folder.place("m.tif"))
        let scene = try resolve("\(folder.path)/item.json", needed: ["red", "nir"])[0]
        #expect(scene.sensor == .earthDaily)
        #expect(scene.bands.mapValues(\.number) == ["red": 3, "nir": 4])
        #expect(scene.bands["nir"]?.radiometry == Radiometry(scale: 1e-4, offset: -1000, origin: .earthDaily))
    }

    @Test func itemsNobodyCanTrustEndInASentence() throws {
        func error(_ text: String) -> String { sentence { try item(text) } }
        #expect(error("{").contains("no JSON"))
        #expect(error("[1, 2]").contains("no STAC item"))
        #expect(error(#"{"type": "Feature", "assets": [1]}"#).contains("no STAC item"))
        #expect(error(String(repeating: "[", count: 100_000)).contains("no JSON"))
        #expect(
            error(#"{"type": "Feature", "id": 7, "assets": {"red": {"href": 5}, "nir": 3, "B04": {}}}"#)
                .contains("none of its assets is a band"))
        #expect(error(#"{"type": "Feature", "assets": {"vh": {"href": "a.tif"}}}"#).contains("(vh)"))
        let odd = try item(
            #"""
            {"type": "Feature", "id": "a\nb", "properties": {"datetime": 12, "eo:cloud_cover": "many",
             "earthsearch:boa_offset_applied": "yes", "s2:processing_baseline": [4]}, "collection": {},
             "assets": {"red": {"href": "B04.tif", "roles": "data", "eo:bands": {"a": 1},
              "raster:bands": [{"scale": "big", "offset": true}]}}}
            """#)
        #expect(odd.about.id == "a?b")
        #expect(odd.about.acquired == nil)
        #expect(odd.about.cloudCover == nil)
        #expect(odd.isOffsetApplied == nil)
        #expect(odd.places["red"]?[0].scale == nil)
        #expect(odd.places["red"]?[0].offset == nil)
    }

    @Test(arguments: [
        ("/vsistdin/", "which no item may"), ("/vsimem/x.tif", "which no item may"),
        ("gopher://x/B04.tif", "scheme"),
        ("a\\nb", "'a?b'"), ("missing.tif", "no such file"), ("<VRTDataset/>", "no such file"),
    ])
    func addressesInItemsAreNotTrusted(_ href: String, _ reason: String) throws {
        try folder.write(
            "{\"type\": \"Feature\", \"id\": \"x\", \"assets\": {\"red\": {\"href\": \"\(href)\"}}}",
            to: "item.json")
        #expect(sentence { try resolve("\(folder.path)/item.json", needed: ["red"]) }.contains(reason))
    }

    @Test func aCollectionOfItemsGivesItsScenesInOrder() throws {
        try TinyRaster.band(10).write(try folder.place("B04.tif"))
        let one = #"{"type": "Feature", "id": "a", "assets": {"red": {"href": "./B04.tif"}}}"#
        let two = one.replacing("\"a\"", with: "\"b\"")
        try folder.write("{\"type\": \"FeatureCollection\", \"features\": [\(two), \(one)]}", to: "items")
        #expect(try resolve("\(folder.path)/items").map(\.id) == ["b", "a"])
        try folder.write(one, to: "one.json")
        try folder.write(two, to: "two.json")
        #expect(sentence { try resolve(folder.path) }.contains("it holds 2 STAC items; name one of them"))
    }
}

@Suite(.enabled(if: SharedData.isThere, "../shared/data is absent"))
struct RealItemsTests {
    /// Every recorded item gives bands, or says that it has none; no file is opened.
    @Test func everyRecordedItemIsUnderstood() throws {
        var understood = 0
        var refused: [String] = []
        let root = "\(SharedData.folder)/stac"
        for case let name as String in FileManager.default.enumerator(atPath: root)!
        where !name.hasSuffix(".xml") {
            let path = "\(root)/\(name)"
            guard VirtualFile.status(path)?.isFolder == false else { continue }
            let json = try Json(parsing: VirtualFile.read(path, limit: Json.sizeLimit), called: name)
            for feature in json["features"]?.array ?? json["response"]?["features"]?.array ?? [json] {
                do {
                    let item = try StacItem(feature, called: name)
                    understood += 1
                    #expect(item.places["red"] != nil, "\(item.about.id)")
                    #expect(
                        item.about.sensor == .landsat || item.about.tile != nil && item.about.datatake != nil,
                        "\(item.about.id)")
                } catch { refused.append("\(error)") }
            }
        }
        #expect(understood >= 40)
        // Collections, answers without assets, and radar.
        #expect(
            refused.allSatisfy { $0.contains("no STAC item") || $0.contains("is a band with a known name") })
    }

    @Test(arguments: [
        (
            "earth_search_sentinel2/stac_items/S2B_33TWN_20220226_0_L2A", -1000.0,
            Radiometry.Origin.rasterBands
        ),
        ("earth_search_sentinel2/stac_items/S2B_33TWN_20220130_0_L2A", 0, .offsetAlreadyApplied),
        ("earth_search_sentinel2/stac_items/S2A_33TWN_20161202_0_L2A", 0, .rasterBands),
        (
            "planetary_computer/S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531.json", 0,
            .processingBaseline
        ),
        (
            "earth_search_sentinel2/stac_items/S2A_OPER_MSI_L2A_TL_2APS_20230602T025701_A041483_T01WCR.json",
            -1000,
            .rasterBands
        ),
    ])
    func theOffsetFollowsTheItem(_ name: String, _ offset: Double, _ origin: Radiometry.Origin) throws {
        let path = "\(SharedData.folder)/stac/\(name)"
        let draft = try #require(try ItemScenes.drafts(file: path, called: path).first)
        let evidence = try #require(draft.sources["red"]?.evidence)
        let radiometry = evidence.decide(
            sensor: draft.about.sensor, sample: .uint16, fileScale: nil, fileOffset: nil, option: nil)
        #expect(radiometry == Radiometry(scale: 0.0001, offset: offset, origin: origin))
    }
}
