import Foundation
import Testing

/// The web UI in Chromium without a window, against three real nodes: `browser.py` does and checks it all.
@Suite struct BrowserTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    private static let python = root + "/.build-python/bin/python"
    private static let chromium = "/usr/bin/chromium"
    private static let program =
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/arbutus"

    /// Why the test cannot run; nil when it can.
    private static var obstacle: String? {
        let files = FileManager.default
        guard files.isExecutableFile(atPath: program) else { return "the arbutus executable is not built" }
        guard files.isExecutableFile(atPath: chromium) else {
            return "there is no \(chromium): run scripts/setup --test"
        }
        let found = Result { try run(python, ["-c", "import playwright"]) }
        guard case .success((0, _)) = found else {
            return "\(python) has no playwright: run scripts/setup --test"
        }
        return nil
    }

    private static func run(_ program: String, _ words: [String]) throws -> (code: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = words
        let pipe = Pipe()
        (process.standardOutput, process.standardError) = (pipe, pipe)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    @Test(
        .enabled(if: obstacle == nil, Comment(rawValue: obstacle ?? "")), .timeLimit(.minutes(10)))
    func aJobIsDrawnWatchedAndSurvivesItsCoordinator() throws {
        let given = ProcessInfo.processInfo.environment["ARBUTUS_SCREENSHOTS"]
        let work = given ?? NSTemporaryDirectory() + "arbutus-browser-" + UUID().uuidString
        let scenes = work + "/scenes"
        let sample = try Self.run(
            Self.program, ["sample", "--out", scenes, "--size", "2048", "--granules", "2", "--force"])
        #expect(sample.code == 0, "\(sample.output)")
        let script = Self.root + "/Tests/BrowserTests/browser.py"
        let outcome = try Self.run(Self.python, [script, Self.program, scenes, work, Self.chromium])
        #expect(outcome.code == 0, "\(outcome.output.suffix(3000))")
        if given == nil { try FileManager.default.removeItem(atPath: work) }
    }
}
