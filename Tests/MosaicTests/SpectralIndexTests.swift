import Testing

@testable import Mosaic

@Suite struct SpectralIndexTests {
    private func refusal(_ change: (inout MosaicRequest) -> Void) -> String {
        var request = MosaicRequest()
        change(&request)
        do {
            _ = try SpectralIndex.resolve(request)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test func everyBuiltInIndexResolves() throws {
        var request = MosaicRequest()
        request.indices = SpectralIndex.builtInNames
        let indices = try SpectralIndex.resolve(request)
        #expect(indices.map(\.name) == ["ndvi", "ndsi", "ndwi", "ndmi", "nbr", "evi", "savi"])
        #expect(
            indices.prefix(5).map(\.formula) == [
                .normalisedDifference("nir", "red"), .normalisedDifference("green", "swir16"),
                .normalisedDifference("green", "nir"), .normalisedDifference("nir", "swir16"),
                .normalisedDifference("nir", "swir22"),
            ])
        #expect(indices.map(\.bands.count) == [2, 2, 2, 2, 2, 3, 2])
        #expect(indices[0].bands == ["nir", "red"])
        #expect(indices.map(\.canMaskSnow) == [true, false, true, true, true, true, true])
        #expect(indices.map(\.colormap) == [.rdylgn, .blues, .rdylgn, .rdylgn, .rdylgn, .rdylgn, .rdylgn])
        #expect(indices.allSatisfy { $0.range == ValueRange(low: -1, high: 1) })
    }

    @Test func ndviIsTheDefaultOnlyWhenNothingIsAskedFor() throws {
        #expect(try SpectralIndex.resolve(MosaicRequest()).map(\.name) == ["ndvi"])
        var request = MosaicRequest()
        request.expressions = [NamedExpression(name: "ratio", formula: "nir / red")]
        request.range = ValueRange(low: 0, high: 10)
        #expect(try SpectralIndex.resolve(request).map(\.name) == ["ratio"])
    }

    @Test func theOrderIsTheRequestsOrder() throws {
        var request = MosaicRequest()
        request.indices = ["NDSI", "ndvi"]
        request.expressions = [
            NamedExpression(name: "x", formula: "nir"), NamedExpression(name: "a", formula: "red"),
        ]
        request.range = ValueRange(low: 0, high: 1)
        request.colormap = .viridis
        let indices = try SpectralIndex.resolve(request)
        #expect(indices.map(\.name) == ["ndsi", "ndvi", "x", "a"])
        #expect(indices.allSatisfy { $0.colormap == .viridis && $0.range == ValueRange(low: 0, high: 1) })
    }

    @Test func namesAreChecked() {
        #expect(
            refusal { $0.indices = ["ndv"] }
                == "no index is named \"ndv\"; there are ndvi, ndsi, ndwi, ndmi, nbr, evi, savi, or write "
                + "your own: --expression NAME=EXPR")
        #expect(refusal { $0.indices = ["ndvi", "NDVI"] } == "index ndvi is asked for twice; name it once")
        for name in ["", "../x", "NDX", "a b", "ä", String(repeating: "a", count: 41)] {
            let sentence = refusal { $0.expressions = [NamedExpression(name: name, formula: "nir")] }
            #expect(sentence.hasSuffix("cannot name a file; use 1 to 40 of a-z, 0-9, _ and -"), "\(name)")
        }
        #expect(
            refusal { $0.expressions = [NamedExpression(name: "ndvi", formula: "nir")] }
                == "expression name ndvi is taken by arbutus itself; choose another, for example my-ndvi")
        #expect(
            refusal { $0.indices = Array(repeating: "ndvi", count: 65) }
                == "65 indices are too many for a job; ask for at most 64")
    }

    @Test func expressionsAndCountsNeedARange() {
        #expect(
            refusal { $0.expressions = [NamedExpression(name: "r", formula: "nir/red")] }
                == "expression r needs --range LO,HI: the values shown as the first and the last colour")
        #expect(
            refusal { $0.select = .count }
                == "--select count needs --range LO,HI: a count of scenes has no natural range of colours")
    }

    @Test func masks() throws {
        var request = MosaicRequest()
        request.indices = ["ndvi", "ndsi"]
        let indices = try SpectralIndex.resolve(request)
        let standard = try #require(CloudMask(.automatic, for: indices[0]))
        #expect(standard.table.count == 256)
        #expect((0...12).filter { standard.hides(UInt8($0)) } == [0, 1, 3, 8, 9, 10, 12])
        #expect(standard.hides(255))
        #expect(CloudMask(.none, for: indices[0]) == nil)
        let snowy = try #require(CloudMask(.classes([8, 11]), for: indices[0]))
        #expect((0...12).filter { snowy.hides(UInt8($0)) } == [8, 11, 12])
        let snowIndex = try #require(CloudMask(.classes([8, 11]), for: indices[1]))
        #expect((0...12).filter { snowIndex.hides(UInt8($0)) } == [8, 12])
    }
}
