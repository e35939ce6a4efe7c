import Foundation
import Testing

/// The built executable, which lies beside the tests.
enum Program {
    static let path = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/arbutus"
    static let isBuilt = FileManager.default.isExecutableFile(atPath: path)
    static let reason: Comment = "the arbutus executable does not lie beside the tests"

    /// How long the tests that kill nodes at random go on; longer by ARBUTUS_KILL_MINUTES.
    static let killMinutes =
        ProcessInfo.processInfo.environment["ARBUTUS_KILL_MINUTES"].flatMap(Double.init) ?? 1

    /// How many nodes these run on; more by ARBUTUS_KILL_NODES.
    static let killNodes = ProcessInfo.processInfo.environment["ARBUTUS_KILL_NODES"].flatMap(Int.init) ?? 5

    /// Runs a command to its end and returns what it printed on stdout and stderr.
    ///
    /// - Throws: `CommandFailed` unless it ends with 0.
    @discardableResult
    static func run(_ words: [String], executable: String = path) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = words
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CommandFailed(words: words, code: process.terminationStatus, output: output)
        }
        return output
    }
}

struct CommandFailed: Error, CustomStringConvertible {
    let words: [String]
    let code: Int32
    let output: String

    var description: String { "\(words.joined(separator: " ")) ended with \(code): \(output.suffix(2000))" }
}
