import ArgumentParser
import Mosaic
import Testing

@testable import arbutus

/// Parses `arbutus run` + words, as the process would.
func request(_ words: String...) throws -> MosaicRequest {
    let command = try Arbutus.parseAsRoot(GroupedNumbers.joined(["run"] + words))
    return try #require(command as? RunCommand).request.request()
}

/// The first line on stderr for a command line that cannot be understood.
func sentence(_ words: String...) -> String? {
    do {
        let command = try Arbutus.parseAsRoot(GroupedNumbers.joined(["run"] + words))
        _ = try (command as? RunCommand)?.request.validated()
        return nil
    } catch {
        return Ending(error).complaint.split(separator: "\n").first.map(String.init)
    }
}
