import Foundation
import Testing

@testable import Engine

/// Who may write in an output folder, and what may take a place there.
@Suite struct OutputFolderTests {
    private let path = FileManager.default.temporaryDirectory.path + "/arbutus-out-\(UUID().uuidString)"

    private func sentence(_ body: () throws -> some Any) -> String {
        do {
            _ = try body()
            return ""
        } catch { return "\(error)" }
    }

    @Test func oneJobAtATimeWritesInAFolder() throws {
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        let first = try OutputFolder(path)
        #expect(
            sentence { try OutputFolder(path) }
                == "another job is writing in the output folder \(path); wait until it has ended, or choose "
                + "another with --out")
        try withExtendedLifetime(first) { _ = try first.write("a.txt", [1]) }
    }

    @Test func theFolderIsFreeWhenItsJobHasEnded() throws {
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        for _ in 0..<2 {
            let folder = try OutputFolder(path + "/deep/./er")
            _ = try folder.write("a.txt", [1])
            try folder.publish()
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/deep/er") == ["a.txt"])
    }

    @Test func whatIsNotPublishedVanishes() throws {
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        do {
            let folder = try OutputFolder(path)
            _ = try folder.write("a.txt", [1])
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [".a.txt.part"])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
    }

    @Test func sourcesAndFoldersKeepTheirPlaces() throws {
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        let folder = try OutputFolder(path)
        try FileManager.default.createDirectory(atPath: path + "/x.png", withIntermediateDirectories: true)
        try Data([1]).write(to: URL(filePath: path + "/x.tif"))
        try FileManager.default.createSymbolicLink(
            atPath: path + "/alias", withDestinationPath: path + "/x.tif")
        #expect(
            sentence { try folder.check(["x.png"], keeping: []) }.contains("a folder has that name"))
        #expect(
            sentence { try folder.check(["x.tif"], keeping: ["/vsicurl/x", path + "/alias"]) }
                .contains("it is one of the files that the job reads"))
        #expect(sentence { try folder.check(["x.tif", "y.tif"], keeping: [path + "/x.png"]) } == "")
    }
}
