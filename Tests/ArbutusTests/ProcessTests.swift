import Foundation
import Testing

@testable import arbutus

/// The program itself, as scripts use it: exit codes, streams, files.
@Suite(.enabled(if: Program.isBuilt, "the arbutus executable does not lie beside the tests"), .serialized)
struct ProcessTests {
    @Test(
        arguments: [
            (["--help"], 0), (["version"], 0), (["run", "--print-request-schema"], 0), (["run", "--foo"], 2),
            (["run", "A"], 2), (["run", "/nowhere/A.SAFE", "--out", "/tmp/x"], 1), (["bogus"], 2),
            (["store", "size", "--store", "/proc/arbutus"], 1),
        ] as [([String], Int32)])
    func exitCodes(words: [String], code: Int32) throws {
        let ending = try Program.run(words)
        #expect(ending.code == code)
        #expect(ending.output.isEmpty == (code != 0))
        #expect(ending.words.isEmpty == (code == 0))
        if code != 0 { #expect(ending.words.hasPrefix("arbutus: ")) }
    }

    @Test func completionsAreValidShell() throws {
        for shell in ["bash", "zsh", "fish"] {
            let script = try Program.run(["--generate-completion-script", shell])
            #expect(script.code == 0 && script.output.contains("print-request"), "\(shell)")
        }
        let script = try Program.run(["--generate-completion-script", "bash"]).output
        let bash = Process()
        bash.executableURL = URL(filePath: "/bin/bash")
        let press =
            "COMP_WORDS=(arbutus run --sel); COMP_CWORD=2; _arbutus arbutus --sel run; echo $COMPREPLY"
        bash.arguments = ["-c", script + "\n" + press]
        let pipe = Pipe()
        bash.standardOutput = pipe
        try bash.run()
        let found = try pipe.fileHandleForReading.readToEnd() ?? Data()
        bash.waitUntilExit()
        #expect(
            String(decoding: found, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
                == "--select")
    }

    @Test(.enabled(if: SharedData.isHere, SharedData.reason))
    func aRunWritesItsFilesAndASecondOneReusesItsTasks() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/arbutus-\(UUID().uuidString)"
        defer { Program.remove(folder) }
        let words = [
            "run", SharedData.scenes + "/S2A_33TWM_20230815_0_L2A", "--bbox", "15.6", "46.0", "15.7", "46.1",
            "--out",
            folder + "/out", "--store", folder + "/store", "--json",
        ]
        for reused in [false, true] {
            let ending = try Program.run(words)
            #expect(ending.code == 0 && ending.words.isEmpty)
            let json = try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any]
            let summary = try #require(json)
            #expect(summary["state"] as? String == "done")
            #expect(summary["tasksReused"] as? Int == (reused ? summary["tasks"] as? Int : 0))
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder + "/out")
        #expect(Set(files).isSuperset(of: ["ndvi.tif", "ndvi.png", "ndvi.pgw", "mosaic.json"]))
    }
}
