import Foundation
import Mosaic
import Testing

@testable import arbutus

@Suite struct RequestFileTests {
    private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.path + "/arbutus-request-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(filePath: path))
        defer { unlink(path) }
        try body(path)
    }

    private func unreadable(_ text: String) -> String {
        do {
            _ = try RequestFile.decode(Data(text.utf8))
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test func flagsReplaceTheFilesValues() throws {
        try withFile("indices: [ndvi]\nscenes: [A, B]\nbbox: [-123, 49, -122, 50]\npng: false\nmask: [3]\n") {
            path in
            let found = try request("--request", path, "--scene", "C", "--png")
            #expect(found.scenes == ["C"])
            #expect(found.indices == ["ndvi"])
            #expect(found.area == Area(west: -123, south: 49, east: -122, north: 50))
            #expect(found.png)
            #expect(found.mask == .classes([3]))
        }
    }

    @Test func whatIsPrintedCanBeRead() throws {
        let original = try request("A", "--bbox", "-1,2,3,4", "--mask", "none", "--offset", "-1000")
        #expect(try RequestFile.decode(Data(JSONText.of(original).utf8)) == original)
    }

    @Test func yamlAndJSONSayTheSame() throws {
        let json =
            #"{"select": "least-cloud", "range": [0, 1.5], "expressions": [{"name": "a", "formula": "nir"}]}"#
        let yaml = "select: least-cloud\nrange: [0, 1.5]\nexpressions:\n  - name: a\n    formula: nir\n"
        let expected = try RequestFile.decode(Data(json.utf8))
        #expect(expected.range == ValueRange(low: 0, high: 1.5))
        #expect(try RequestFile.decode(Data(yaml.utf8)) == expected)
    }

    @Test(arguments: ["{\"indexes\": []}", "indexes: []"])
    func aMisspeltKeyIsNamed(text: String) {
        #expect(
            unreadable(text).hasPrefix(
                "the request has an unknown key \"indexes\"; allowed are title, indices, "))
    }

    @Test func wrongTypesAreNamed() {
        #expect(unreadable(#"{"scenes": "A"}"#) == "scenes should be a list")
        #expect(unreadable(#"{"scenes": [1]}"#) == "scenes[0] should be a text")
        #expect(unreadable(#"{"png": "yes"}"#) == "png should be true or false")
        #expect(unreadable(#"{"offset": "x"}"#) == "offset should be a number")
        #expect(unreadable(#"{"bands": {"red": 1.5}}"#) == "bands.red should be a whole number")
        #expect(unreadable(#"{"expressions": [{"name": "a"}]}"#) == "expressions[0] lacks formula")
        #expect(unreadable("scenes: [[A]]") == "scenes[0] should be a single value")
        #expect(unreadable("[1, 2]") == "the request should be a table of keys and values")
        #expect(unreadable("select: frist").hasPrefix("select cannot be \"frist\"; it is one of first, last"))
        #expect(unreadable("mask: clouds").hasPrefix("mask \"clouds\" is not understood"))
    }

    @Test func whatIsNoRequestEndsInASentence() {
        #expect(unreadable("{\"a\": ").hasPrefix("it is neither JSON nor YAML: "))
        #expect(
            unreadable("a: [1")
                == "it is neither JSON nor YAML: 2:1: error: parser: while parsing a flow sequence in line "
                + "1, column 4, did not find expected ',' or ']'")
        #expect(unreadable("") == "it is empty; write at least {}")
        #expect(throws: RequestError("it is not UTF-8 text; write JSON or YAML")) {
            try RequestFile.decode(Data([0xFF, 0xFE, 0x00]))
        }
        #expect(
            sentence("--request", "/nowhere/r.json")
                == "arbutus: cannot read request \"/nowhere/r.json\": No such file or "
                + "directory; give --request a file in JSON or YAML"
        )
        #expect(sentence("--request", "/")?.hasPrefix("arbutus: cannot read request \"/\": ") == true)
    }

    @Test func theSchemaHasTheKeysOfTheRequest() throws {
        let schema = try #require(
            try JSONSerialization.jsonObject(with: Data(RequestSchema.text.utf8)) as? [String: Any])
        let properties = try #require(schema["properties"] as? [String: [String: Any]])
        var request = MosaicRequest()
        request.title = "t"
        request.area = Area(west: 0, south: 0, east: 1, north: 1)
        request.clip = "c"
        request.offset = 1
        request.crs = "EPSG:4326"
        request.resolution = 1
        request.colormap = .grey
        request.range = ValueRange(low: 0, high: 1)
        let written = try JSONSerialization.jsonObject(with: JSONEncoder().encode(request)) as? [String: Any]
        #expect(Set(properties.keys) == Set(try #require(written).keys))
        #expect(properties["select"]?["enum"] as? [String] == SelectionRule.allCases.map(\.rawValue))
        #expect(schema["additionalProperties"] as? Bool == false)
    }
}
