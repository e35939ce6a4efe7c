import Testing

@testable import Mosaic

@Suite struct ExpressionTests {
    private func program(_ text: String) throws -> IndexProgram {
        guard case .program(let program) = try Expression.parse(text) else {
            throw RequestError("\(text) is a normalised difference")
        }
        return program
    }

    private func refusal(_ text: String) -> String {
        do {
            _ = try Expression.parse(text)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        "(nir - red) / (nir + red)", "(B08-B04)/(B08+B04)", "(b8 - B4) / (nir + SR_B4)",
        "((NIR)-red)/(red+nir)",
    ])
    func aNormalisedDifferenceIsRecognised(text: String) throws {
        #expect(try Expression.parse(text) == .normalisedDifference("nir", "red"))
    }

    @Test(arguments: [
        "(nir - red) / (nir + green)", "(red - nir) / (nir - red)", "(nir + red) / (nir - red)",
    ])
    func otherQuotientsStayPrograms(text: String) throws {
        _ = try program(text)
    }

    @Test func aProgramIsPostfixOverSortedBands() throws {
        let savi = try program("1.5 * (nir - red) / (nir + red + 0.5)")
        #expect(savi.bands == ["nir", "red"])
        #expect(
            savi.operations == [
                .constant(1.5), .band(0), .band(1), .subtract, .multiply,
                .band(0), .band(1), .add, .constant(0.5), .add, .divide,
            ])
        #expect(savi.stackDepth == 3)
        // nir 0.5, red 0.25: 1.5 · 0.25 / 1.25
        #expect(savi.value([0.5, 0.25]) == 0.3)
    }

    @Test func eviOfExactFractions() throws {
        let evi = try program("2.5*(nir-red)/(nir+6*red-7.5*blue+1)")
        #expect(evi.bands == ["blue", "nir", "red"])
        // blue 0.125, nir 0.5, red 0.25: 2.5 · 0.25 / (0.5 + 1.5 − 0.9375 + 1) = 0.625 / 2.0625
        #expect(evi.value([0.125, 0.5, 0.25]) == Float(0.625) / Float(2.0625))
    }

    @Test func precedenceAndAssociativity() throws {
        #expect(try program("nir - 2 - 3 * -red").value([10, 4]) == 20)
        #expect(try program("8 / nir / 2 + 0 * red").value([2, 1]) == 2)
        #expect(try program("-(nir) * +3").value([2]) == -6)
        #expect(try program("- -nir").value([2]) == 2)
    }

    @Test func functions() throws {
        let text = "max(min(nir, red), abs(green - 1)) + sqrt(4)"
        let both = try program(text)
        #expect(both.bands == ["green", "nir", "red"])
        #expect(both.value([0.75, 0.5, 0.125]) == 2.25)
        #expect(try program("SQRT(nir)").value([-1]).isNaN)
    }

    @Test func whatIsNotANumberStaysSo() throws {
        #expect(try program("min(1, nir / red)").value([1, 0]).isNaN)
        #expect(try program("max(nir / red, 1)").value([1, 0]).isNaN)
    }

    @Test func numbers() throws {
        #expect(try program("nir*2.5e-1").operations[1] == .constant(0.25))
        #expect(try program("nir*.5").operations[1] == .constant(0.5))
        #expect(try program("nir*-1E+2").operations[1] == .constant(-100))
    }

    @Test(arguments: [
        (
            "(nir - red",
            "cannot read expression \"(nir - red\" at character 11: expected ), but the text ends"
        ),
        (
            "nir red",
            "cannot read expression \"nir red\" at character 5: expected an operator (+ - * /) or the "
                + "end, found \"r\""
        ),
        (
            "nir + ×",
            "cannot read expression \"nir + ×\" at character 7: expected a band, a number or (, found \"×\""
        ),
        ("1e99*nir", "cannot read expression \"1e99*nir\" at character 1: \"1e99\" is no number"),
        ("nir * .", "cannot read expression \"nir * .\" at character 7: \".\" is no number"),
        (
            "system(nir)",
            "cannot read expression \"system(nir)\" at character 1: no function is named \"system\"; "
                + "there are min, max, abs and sqrt"
        ),
        ("min(nir)", "cannot read expression \"min(nir)\" at character 8: expected ,, found \")\""),
        ("abs(nir, red)", "cannot read expression \"abs(nir, red)\" at character 8: expected ), found \",\""),
        ("1 + 2", "expression \"1 + 2\" uses no band; name at least one"),
        ("", "cannot read expression \"\" at character 1: expected a band, a number or (, but the text ends"),
        (
            "B05 - B5",
            "cannot read expression \"B05 - B5\" at character 7: band B5 is nir or rededge1, depending on "
                + "the sensor; write the common name"
        ),
    ])
    func aRefusalNamesThePlace(text: String, sentence: String) {
        #expect(refusal(text) == sentence)
    }

    @Test func unknownBandsAreListed() {
        #expect(
            refusal("nir - scl")
                == "cannot read expression \"nir - scl\" at character 7: no band is named \"scl\"; there are "
                + "coastal, blue, green, red, rededge1, rededge2, rededge3, nir, nir08, nir09, cirrus, "
                + "swir16, swir22, and sensor names such as B04 or SR_B4")
    }

    @Test func lengthAndDepthAreBounded() throws {
        let deep = { (n: Int) in String(repeating: "(", count: n) + "nir" + String(repeating: ")", count: n) }
        _ = try Expression.parse(deep(64))
        #expect(refusal(deep(65)).hasSuffix("is nested more than 64 deep; simplify it"))
        #expect(refusal(String(repeating: "-", count: 4000) + "nir").contains("nested more than 64 deep"))
        #expect(
            refusal(String(repeating: "nir+", count: 1024) + "r").hasPrefix("expression of 4097 bytes is too")
        )
        let long = String(repeating: "nir+", count: 1023) + "nir"
        #expect(try program(long).stackDepth == 2)
        // Every level of a + b·(…) leaves two values on the stack: 33 levels need 66.
        let tall = String(repeating: "nir+red*(", count: 33) + "nir" + String(repeating: ")", count: 33)
        #expect(refusal(tall).contains("nested more than 64 deep"))
    }

    @Test func errorsCannotForgeLines() {
        #expect(
            refusal("nir\u{1B}[2J\u{202E}").hasPrefix("cannot read expression \"nir?[2J?\" at character 4"))
    }
}
