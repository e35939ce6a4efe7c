import Foundation
import Testing

/// The built executable.
enum Program {
    static let path = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/arbutus"
    static let isBuilt = FileManager.default.isExecutableFile(atPath: path)

    struct Ending {
        var code: Int32
        var output: String
        var words: String
    }

    /// Runs `arbutus` with these words and waits for its end.
    ///
    /// - Parameter shell: what a shell appends to the command: `>&-`, `| head -1`.
    static func run(_ words: [String], shell: String? = nil) throws -> Ending {
        let process = Process()
        process.executableURL = URL(filePath: shell == nil ? path : "/bin/bash")
        process.arguments =
            shell.map { ["-o", "pipefail", "-c", "\"$@\" " + $0, "bash", path] + words } ?? words
        let folder = FileManager.default.temporaryDirectory.path
        let names = ["out", "err"].map { "\(folder)/arbutus-\(UUID().uuidString).\($0)" }
        defer { names.forEach(remove) }
        for name in names { try Data().write(to: URL(filePath: name)) }
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: names[0]))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: names[1]))
        try process.run()
        process.waitUntilExit()
        let texts = try names.map { String(decoding: try Data(contentsOf: URL(filePath: $0)), as: UTF8.self) }
        return Ending(code: process.terminationStatus, output: texts[0], words: texts[1])
    }

    static func remove(_ path: String) {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            Issue.record("cannot remove \(path): \(error)")
        }
    }
}
