import ArgumentParser
import Engine
import Mosaic
import Raster

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Shows the versions of arbutus and of the libraries that it reads rasters with.")

    @Flag(help: "Write the versions as JSON to stdout.")
    var json = false

    mutating func run() throws {
        let facts = VersionFacts(
            arbutus: ArbutusVersion.string, libraries: .loaded(), engine: try EngineFingerprint().text)
        try Terminal.print(json ? JSONText.of(facts) : facts.text)
    }
}

/// What `version` shows.
struct VersionFacts: Codable, Equatable {
    var arbutus: String
    var libraries: LibraryVersions
    /// The engine fingerprint: engines that differ in it share no results.
    var engine: String

    var text: String {
        var table = Table([.left, .left])
        table.add("arbutus", arbutus)
        table.add("GDAL", libraries.gdal)
        table.add("PROJ", libraries.proj)
        table.add("TIFF", libraries.tiff ?? "unknown")
        table.add("ISA-L", libraries.isal)
        table.add("JPEG 2000", libraries.readsJPEG2000 ? "yes" : "no; SAFE products cannot be read")
        table.add("engine", engine)
        return table.text
    }
}
