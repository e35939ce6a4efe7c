import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Engine
@testable import Raster

/// `explain` says of a pixel what the mosaic shows there, and each scene's part in it.
@Suite struct PixelProbeTests {
    private func trial() throws -> Trial {
        let trial = try Trial()
        let scl: (Double...) -> TinyBand = { TinyBand($0, type: GDT_Byte) }
        try trial.scene(
            "a",
            [
                "B04": TinyBand([1400, 2000, 0]), "B08": TinyBand([4000, 4000, 500]), "SCL": scl(4, 9, 4),
            ])
        try trial.scene(
            "b",
            [
                "B04": TinyBand([1000, 2000, 1000]), "B08": TinyBand([1000, 5000, 500]), "SCL": scl(4, 4, 3),
            ])
        trial.request.offset = -1000
        return trial
    }

    @Test func eachSceneSaysWhatItSees() throws {
        let trial = try trial()
        let probe = try PixelProbe(plan: try trial.job().plan)
        let first = try probe.findings(column: 0, row: 0)
        #expect(first.map(\.scene) == [0, 1])
        #expect(first[0].numbers == ["red": 1400, "nir": 4000] && first[0].classification == 4)
        #expect(abs(first[0].verdicts[0].value! - 2600.0 / 3400) < 1e-6)
        #expect(first[1].verdicts == [PixelVerdict(value: nil, reason: "undefined", scene: nil)])
        let last = try probe.findings(column: 2, row: 0)
        #expect(last[0].numbers == ["nir": 500] && last[0].verdicts[0].reason == "nodata")
        #expect(last[1].verdicts[0].reason == "masked" && last[1].classification == 3)
        #expect(probe.verdicts(column: 1, row: 0).map(\.scene) == [1])
        #expect(probe.verdicts(column: 2, row: 0) == [PixelVerdict(value: nil, reason: "masked", scene: nil)])
    }

    @Test(arguments: SelectionRule.allCases.filter { ![.newest, .leastCloud].contains($0) })
    func theVerdictIsTheMosaic(rule: SelectionRule) throws {
        let trial = try trial()
        trial.request.select = rule
        trial.request.range = ValueRange(low: 0, high: 2)
        let outcome = try trial.run()
        let (values, reasons) = try (outcome.values(), outcome.reasons())
        let probe = try PixelProbe(plan: try trial.job().plan)
        for column in 0..<3 {
            let verdict = probe.verdicts(column: column, row: 0)[0]
            #expect(verdict.reason == "\(reasons[column])")
            #expect(verdict.value.map { Float($0) } == (values[column].isNaN ? nil : values[column]))
        }
    }

    @Test func aSceneThatCannotBeReadSaysWhy() throws {
        let trial = try trial()
        let plan = try trial.job().plan
        try FileManager.default.removeItem(atPath: trial.request.scenes[0] + "/B08.tif")
        let findings = try PixelProbe(plan: plan).findings(column: 0, row: 0)
        #expect(try #require(findings[0].failure).contains("B08.tif"))
        #expect(findings[1].failure == nil && findings[0].numbers.isEmpty)
    }
}
