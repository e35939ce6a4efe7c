import Foundation
import Testing

@testable import Mosaic

@Suite struct MosaicRequestTests {
    private func refusal(_ change: (inout MosaicRequest) -> Void) -> String {
        var request = MosaicRequest()
        request.scenes = ["A.SAFE"]
        change(&request)
        do {
            try request.validate()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    private func decode(_ json: String) throws -> MosaicRequest {
        try JSONDecoder().decode(MosaicRequest.self, from: Data(json.utf8))
    }

    private func unreadable(_ json: String) -> String {
        do {
            _ = try decode(json)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test func aSensibleRequestIsAccepted() {
        #expect(refusal { _ in } == "no error")
        #expect(refusal { $0.area = Area(west: 179, south: -17, east: -179, north: -16) } == "no error")
        #expect(refusal { $0.area = Area(west: -180, south: -90, east: 180, north: 90) } == "no error")
        #expect(refusal { $0.offset = -1000 } == "no error")
    }

    @Test func absurdNumbersAreRefused() {
        #expect(
            refusal { $0.maskBuffer = -1 } == "--mask-buffer -1 is out of range; give 0 to 10000 metres")
        #expect(refusal { $0.maskBuffer = .nan }.hasPrefix("--mask-buffer nan is out of range"))
        #expect(refusal { $0.offset = .infinity }.hasPrefix("--offset inf is out of range"))
        for (bad, shown) in [(0, "0"), (-10, "-10"), (.nan, "nan"), (2e6, "2000000")] as [(Double, String)] {
            #expect(refusal { $0.resolution = bad }.hasPrefix("--resolution \(shown) is out of range"))
        }
        for (low, high) in [(1, 1), (2, 1), (.nan, 1), (0, .infinity)] as [(Double, Double)] {
            #expect(refusal { $0.range = ValueRange(low: low, high: high) }.contains("is empty; give two"))
        }
    }

    @Test func absurdAreasAreRefused() {
        let area = { (w: Double, s: Double, e: Double, n: Double) in
            refusal { $0.area = Area(west: w, south: s, east: e, north: n) }
        }
        #expect(
            area(0, 2, 1, 1) == "area 0,2,1,1 is empty: its south is not below its north (order: W,S,E,N)")
        #expect(area(1, 0, 1, 1) == "area 1,0,1,1 is empty: its west equals its east (order: W,S,E,N)")
        #expect(area(180, 0, -180, 1).contains("is empty"))
        #expect(area(0, -91, 1, 1).contains("latitudes run from -90 to 90"))
        #expect(area(0, 0, 190, 1).contains("longitudes run from -180 to 180"))
        #expect(area(.nan, 0, 1, 1).contains("longitudes run from -180 to 180"))
    }

    @Test func namesAreChecked() {
        #expect(
            refusal { $0.scenes = [] }
                == "the request names no scene; give SAFE folders or files, for example --scene PATH")
        #expect(refusal { $0.scenes = ["a", "a"] } == "scene \"a\" is given twice; name it once")
        #expect(refusal { $0.scenes = [""] } == "a scene has an empty name; give its path")
        #expect(refusal { $0.scenes = ["a\0b"] }.contains("is no path"))
        #expect(refusal { $0.title = "a\nb" } == "title \"a?b\" has control characters; leave them out")
        #expect(refusal { $0.title = String(repeating: "x", count: 201) }.contains("at most 200"))
        #expect(refusal { $0.bands = ["rot": 1] }.hasPrefix("--bands knows no band \"rot\"; there are "))
        #expect(refusal { $0.bands = ["red": 0] }.hasPrefix("--bands red=0: bands of a file are numbered"))
        #expect(refusal { $0.mask = .classes([256]) }.hasPrefix("mask class 256 does not exist"))
        #expect(refusal { $0.indices = ["foo"] }.hasPrefix("no index is named \"foo\""))
    }

    @Test func missingKeysTakeTheDefaults() throws {
        #expect(try decode("{}") == MosaicRequest())
        #expect(try decode(#"{"title": null}"#) == MosaicRequest())
    }

    @Test func aFullRequestSurvivesWriting() throws {
        var request = MosaicRequest()
        request.title = "Tatra"
        request.indices = ["ndvi"]
        request.expressions = [NamedExpression(name: "ratio", formula: "nir/red")]
        request.scenes = ["A.SAFE"]
        request.bands = ["red": 1]
        request.area = Area(west: 179, south: -17, east: -179.5, north: -16)
        request.clip = "a.geojson"
        request.select = .leastCloud
        request.mask = .classes([3, 8])
        request.maskBuffer = 60
        request.offset = -1000
        request.clamp = .keep
        request.resampling = .cubic
        request.crs = "EPSG:32633"
        request.resolution = 20
        request.colormap = .grey
        request.range = ValueRange(low: 0, high: 5)
        request.png = false
        request.overlay = true
        request.provenance = true
        request.onError = .fail
        let written = try JSONEncoder().encode(request)
        #expect(try JSONDecoder().decode(MosaicRequest.self, from: written) == request)
        let keys = try #require(try JSONSerialization.jsonObject(with: written) as? [String: Any]).keys
        #expect(Set(keys) == Set(MosaicRequest.CodingKeys.allCases.map(\.rawValue)))
    }

    @Test func masksInEveryWrittenForm() throws {
        #expect(try decode(#"{"mask": "auto"}"#).mask == .automatic)
        #expect(try decode(#"{"mask": "none"}"#).mask == MaskRule.none)
        #expect(try decode(#"{"mask": "0,1, 3"}"#).mask == .classes([0, 1, 3]))
        #expect(try decode(#"{"mask": [0, 1, 3]}"#).mask == .classes([0, 1, 3]))
        #expect(unreadable(#"{"mask": "clouds"}"#).hasPrefix("mask \"clouds\" is not understood"))
        #expect(unreadable(#"{"mask": "3,3"}"#) == "the mask names a class twice; name each once")
        let encoded = try [MaskRule.automatic, .none, .classes([1])].map {
            String(decoding: try JSONEncoder().encode($0), as: UTF8.self)
        }
        #expect(encoded == [#""auto""#, #""none""#, "[1]"])
    }

    @Test func unknownKeysAndWordsAreNamed() {
        #expect(
            unreadable(#"{"indexes": ["ndvi"]}"#)
                == "the request has an unknown key \"indexes\"; allowed are title, indices, expressions, "
                + "scenes, bands, bbox, clip, select, mask, mask_buffer, offset, clamp, resampling, crs, "
                + "resolution, colormap, range, png, overlay, provenance, on_error")
        #expect(
            unreadable(#"{"expressions": [{"name": "a", "formula": "nir", "unit": 1}]}"#)
                == "an expression has an unknown key \"unit\"; allowed are name, formula")
        #expect(
            unreadable(#"{"select": "frist"}"#)
                == "select cannot be \"frist\"; it is one of first, last, newest, least-cloud, mean, median, "
                + "min, max, count")
        #expect(
            unreadable(#"{"bbox": [1, 2, 3]}"#) == "bbox has 3 numbers; give four: [west, south, east, north]"
        )
        #expect(unreadable(#"{"range": [1]}"#) == "range has 1 numbers; give two: [low, high]")
    }
}

@Suite struct ReasonCountsTests {
    @Test func countsAreWrittenByName() throws {
        var counts = ReasonCounts()
        counts[.valid] = 3
        counts[.readFailed] = 2
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let written = try encoder.encode(counts)
        #expect(
            String(decoding: written, as: UTF8.self)
                == #"{"masked":0,"nodata":0,"outside":0,"readFailed":2,"undefined":0,"valid":3}"#)
        #expect(try JSONDecoder().decode(ReasonCounts.self, from: written) == counts)
    }
}
