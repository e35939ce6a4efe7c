import ArgumentParser
import Foundation
import Mosaic
import Testing

@testable import arbutus

@Suite struct RequestOptionsTests {
    @Test func scenesByPlaceAndByFlag() throws {
        let found = try request("A.SAFE", "B.SAFE", "--scene", "C", "D", "--index", "ndvi", "--scene", "E")
        #expect(found.scenes == ["A.SAFE", "B.SAFE", "C", "D", "E"])
        #expect(found.indices == ["ndvi"])
    }

    @Test func nothingGivenIsTheDefault() throws {
        #expect(try request() == MosaicRequest())
    }

    @Test func everyFlagReachesItsField() throws {
        let found = try request(
            "A", "--title", "Tatra", "--index", "ndvi", "--index", "NDSI", "--expression", "ratio=nir/red",
            "--bands", "red=1,nir=2", "--clip", "c.geojson", "--select", "least-cloud", "--mask", "3,8",
            "--mask-buffer", "60", "--offset", "-1000", "--clamp", "keep", "--resampling", "cubic", "--crs",
            "EPSG:32633", "--resolution", "20", "--colormap", "viridis", "--range", "-1,1", "--no-png",
            "--overlay", "--provenance", "--on-error", "fail", "--bbox", "-123,49,-122,50")
        var expected = MosaicRequest()
        expected.title = "Tatra"
        expected.indices = ["ndvi", "NDSI"]
        expected.expressions = [NamedExpression(name: "ratio", formula: "nir/red")]
        expected.scenes = ["A"]
        expected.bands = ["red": 1, "nir": 2]
        expected.area = Area(west: -123, south: 49, east: -122, north: 50)
        expected.clip = "c.geojson"
        expected.select = .leastCloud
        expected.mask = .classes([3, 8])
        expected.maskBuffer = 60
        expected.offset = -1000
        expected.clamp = .keep
        expected.resampling = .cubic
        expected.crs = "EPSG:32633"
        expected.resolution = 20
        expected.colormap = .viridis
        expected.range = ValueRange(low: -1, high: 1)
        expected.png = false
        expected.overlay = true
        expected.provenance = true
        expected.onError = .fail
        #expect(found == expected)
    }

    @Test func numbersMayBeginWithAMinusInEveryForm() throws {
        let fiji = Area(west: 179, south: -17, east: -179, north: -16)
        #expect(try request("--corners", "-17", "-179", "-16", "179").area == fiji)
        #expect(try request("--corners", "-16,179,-17,-179").area == fiji)
        #expect(try request("--corners=-17,-179,-16,179", "A").area == fiji)
        #expect(try request("--bbox", "179", "-17", "-179", "-16", "A").area == fiji)
        #expect(try request("--bbox=179,-17,-179,-16").area == fiji)
        #expect(try request("--range", "-2", "-1").range == ValueRange(low: -2, high: -1))
        #expect(try request("--offset=-1000").offset == -1000)
        #expect(try request("--mask-buffer", "-5").maskBuffer == -5)
        #expect(
            try request("--expression", "x=-nir").expressions == [NamedExpression(name: "x", formula: "-nir")]
        )
    }

    @Test func anExpressionMayHoldAnEqualsSignOnlyBeforeItsFormula() throws {
        #expect(try request("--expression", " a = nir = red ").expressions[0].formula == "nir = red")
    }

    @Test(arguments: [
        (
            ["A", "--bbox", "1,2,3"],
            "arbutus: --bbox \"1,2,3\" is not understood; it takes four numbers: W,S,E,N"
        ),
        (
            ["A", "--bbox", "a,b,c,d"],
            "arbutus: --bbox \"a,b,c,d\" is not understood; it takes four numbers: W,S,E,N"
        ),
        (
            ["A", "--bbox", "nan,0,1,1"],
            "arbutus: --bbox \"nan,0,1,1\" is not understood; it takes four numbers: W,S,E,N"
        ),
        (
            ["A", "--corners", "1", "2", "3"],
            "arbutus: --corners \"1\" is not understood; it takes four numbers: LAT,LON,LAT,LON"
        ),
        (
            ["A", "--bbox", "1,2,3,4", "--corners", "1,2,3,4"],
            "arbutus: --bbox and --corners both give the area; give one of them"
        ),
        (["A", "--range", "1"], "arbutus: --range \"1\" is not understood; it takes two numbers: LO,HI"),
        (
            ["A", "--range", "1,-1"],
            "arbutus: --range 1,-1 is empty; give two numbers LO,HI with LO below HI"
        ),
        (["A", "--offset", "x"], "arbutus: --offset \"x\" is not a number of DN"),
        (["A", "--mask-buffer", "-5"], "arbutus: --mask-buffer -5 is out of range; give 0 to 10000 metres"),
        (
            ["A", "--resolution", "0"],
            "arbutus: --resolution 0 is out of range; give the pixel size in CRS units, above 0"
        ),
        (
            ["A", "--bands", "red"],
            "arbutus: --bands \"red\" is not understood; write NAME=NUMBER with commas between, "
                + "for example red=1,nir=2"
        ),
        (["A", "--bands", "red=1,RED=2"], "arbutus: --bands names \"red\" twice; name each band once"),
        (
            ["A", "--expression", "nir"],
            "arbutus: --expression \"nir\" has no name; write NAME=EXPR, for example "
                + "ratio=nir/red"
        ),
        (
            ["A", "--mask", "clouds"],
            "arbutus: mask \"clouds\" is not understood; write auto, none, or SCL classes with "
                + "commas between, for example 3,8,9,10"
        ),
        (
            ["A", "--index", "foo"],
            "arbutus: no index is named \"foo\"; there are ndvi, ndsi, ndwi, ndmi, nbr, evi, "
                + "savi, or write your own: --expression NAME=EXPR"
        ),
        (
            ["A", "--select", "count"],
            "arbutus: --select count needs --range LO,HI: a count of scenes has no natural range "
                + "of colours"
        ),
        (["A", "A"], "arbutus: scene \"A\" is given twice; name it once"),
        ([], "arbutus: the request names no scene; give SAFE folders or files, for example --scene PATH"),
        (
            ["A", "--select", "frist"],
            "arbutus: The value 'frist' is invalid for '--select <rule>'. Please provide one of "
                + "the following:"
        ),
        (["A", "--stac", "x"], "arbutus: Unknown option '--stac'. Did you mean '--store'?"),
        (["A", "--title"], "arbutus: Missing value for '--title <title>'"),
    ])
    func aWrongValueEndsInASentence(words: [String], expected: String) throws {
        var ending: Ending?
        do {
            let command = try Arbutus.parseAsRoot(GroupedNumbers.joined(["run"] + words))
            _ = try (command as? RunCommand)?.request.validated()
        } catch {
            ending = Ending(error)
        }
        let found = try #require(ending)
        #expect(found.complaint.split(separator: "\n").first.map(String.init) == expected)
        #expect(found.status == 2)
        #expect(found.output.isEmpty)
    }

    @Test func helpAndCompletionsEndWell() throws {
        for words in [["run", "--help"], ["help", "run"], ["--generate-completion-script", "bash"]] {
            do {
                var command = try Arbutus.parseAsRoot(words)
                try command.run()
                Issue.record("\(words) asked for help")
            } catch {
                let ending = Ending(error)
                #expect(ending.status == 0)
                #expect(!ending.output.isEmpty && ending.complaint.isEmpty)
            }
        }
    }

    @Test func otherErrorsFail() {
        #expect(Ending(ExitCode(3)).status == 3)
        let unreadable = Ending(CocoaError(.fileReadNoSuchFile))
        #expect(unreadable.status == 1)
        #expect(!unreadable.complaint.contains("Error Domain"))
    }
}
