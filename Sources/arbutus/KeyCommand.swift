import ArgumentParser
import Foundation
import Mosaic

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Makes cluster keys, and changes them without a stop.",
        discussion: """
            A change goes: key new > new.key; key install new.key; key use ID; put new.key in the place of \
            every node's key file; key retire OLD-ID. key list shows who lacks which. key deny shuts a node \
            out.
            """,
        subcommands: [New.self, KeyInstall.self, KeyUse.self, KeyRetire.self, KeyDeny.self, KeyShow.self])

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new",
            abstract: "Prints a new cluster key.",
            discussion: """
                Put it in a file that only the node's user can read, the same on every machine, and name the \
                file with cluster.key_file: umask 077; arbutus key new > cluster.key
                """)

        mutating func run() throws {
            let bytes = (0..<32).map { _ in UInt8.random(in: 0 ... .max) }
            try Terminal.print(bytes.map { String(format: "%02x", $0) }.joined())
        }
    }
}

/// Small files with something secret in them.
enum SecretFile {
    /// The text of the file without the white space around it.
    ///
    /// - Throws: `SettingsError` when the file cannot be read, is empty, or others may read it.
    static func text(_ path: String, called kind: String) throws -> String {
        var facts = stat()
        guard stat(path, &facts) == 0, let bytes = FileManager.default.contents(atPath: path),
            bytes.count <= 4096, let text = String(data: bytes, encoding: .utf8)
        else { throw SettingsError("cannot read the \(kind) file \(path); check its path and owner") }
        guard facts.st_mode & 0o077 == 0 else {
            throw SettingsError("other users can read the \(kind) file \(path); run chmod 600 on it")
        }
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !trimmed.isEmpty else { throw SettingsError("the \(kind) file \(path) is empty") }
        return trimmed
    }

    /// The same as text, for the HTTP API.
    static func hexadecimal(_ path: String) throws -> String {
        try key(path).map { String(format: "%02x", $0) }.joined()
    }

    /// A cluster key as `arbutus key new` prints it.
    static func key(_ path: String) throws -> [UInt8] {
        let text = try text(path, called: "key")
        let digits = text.compactMap(\.hexDigitValue)
        guard text.utf8.count == 64, digits.count == 64 else {
            throw SettingsError(
                "the key file \(path) holds no cluster key: 64 hexadecimal digits; make one with "
                    + "arbutus key new"
            )
        }
        return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
