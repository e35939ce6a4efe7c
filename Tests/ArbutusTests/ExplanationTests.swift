import Engine
import Foundation
import Mosaic
import Raster
import Testing

@testable import arbutus

/// Real scenes, when they lie beside the repository.
enum SharedData {
    static let scenes = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/data/scenes").path
    static let isHere = FileManager.default.fileExists(atPath: scenes)
    static let reason: Comment = "the real scenes of ../shared/data are not here"
}

@Suite(.enabled(if: SharedData.isHere, SharedData.reason)) struct ExplanationTests {
    private func explain(_ words: String...) throws -> Explanation {
        let scenes = ["S2A_33TWM_20230815_0_L2A", "S2A_33TWM_20230818_0_L2A"].map {
            SharedData.scenes + "/" + $0
        }
        let line = GroupedNumbers.joined(["explain"] + scenes + words)
        let command = try #require(try Arbutus.parseAsRoot(line) as? ExplainCommand)
        let place = try command.place()
        let plan = try JobPlanner(command.request.validated()).plan()
        return try Explanation(plan, longitude: place.longitude, latitude: place.latitude)
    }

    @Test func everySceneAndTheDecisionAreShown() throws {
        let found = try explain("--at", "15.7", "46.1")
        #expect(found.column == 451 && found.row == 788)
        // DN as gdallocationinfo shows them; (3850 − 264) / (3850 + 264) and (3484 − 330) / (3484 + 330).
        #expect(
            found.scenes.map(\.finding.numbers) == [["nir": 3850, "red": 264], ["nir": 3484, "red": 330]])
        #expect(found.scenes.map(\.finding.classification) == [4, 4])
        let values = [Float(3586) / 4114, Float(3154) / 3814].map { Double($0) }
        #expect(found.scenes.map(\.finding.verdicts[0].value) == values)
        #expect(found.decision.map(\.value) == [values[0]])
        #expect(found.decision.map(\.scene) == [0])
        #expect(found.text.hasSuffix("ndvi: 0.8716577, from S2A_33TWM_20230815_0_L2A by --select first"))
    }

    @Test func aMaskedSceneGivesWayToTheNext() throws {
        let found = try explain("--at", "15.7", "46.1", "--mask", "4", "--select", "count", "--range", "0,2")
        #expect(found.scenes.map { $0.finding.verdicts[0].reason } == ["masked", "masked"])
        #expect(found.decision[0].value == nil)
        #expect(found.text.hasSuffix("ndvi: no value: the scene classification hides it (--mask)"))
    }

    @Test func aPointElsewhereIsRefused() {
        #expect(throws: RequestError.self) { try explain("--at", "-15.7", "46.1") }
        #expect(
            throws: RequestError(
                "--at 46.1,95 is not on the globe; give the longitude first, then the latitude")
        ) {
            try explain("--at", "46.1", "95")
        }
        #expect(throws: RequestError("explain needs --at LON LAT: the point in degrees")) { try explain() }
    }
}
