import Engine
import Foundation
import TileStore

/// A run's outputs as they stand in a manifest: file names and digests (PROTOCOL.md, section 5).
struct OutputManifest: Codable, Equatable {
    var files: [JobAssembler.File]

    /// Names the outputs: equal plans have equal names. `provenance.json` says who made what and when, so it
    /// alone is left out.
    var digest: ContentHash {
        let lines = files.filter { $0.name != "provenance.json" }.sorted { $0.name < $1.name }.map {
            "\($0.digest) \($0.bytes) \($0.name)\n"
        }
        return ContentHash(of: Array(lines.joined().utf8))
    }

    /// Whether every name is one that a job may write: text from other nodes never decides a path.
    var isSound: Bool {
        files.allSatisfy { file in
            ContentHash(hexadecimal: file.digest) != nil && file.bytes >= 0 && !file.name.hasPrefix(".")
                && (1...255).contains(file.name.utf8.count)
                && file.name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
        }
    }
}

/// Finished outputs on this node's disk. Files are named by their digest and reached only through a manifest,
/// which appears last and whole; so a writer that comes late spoils nothing (PROTOCOL.md, section 5).
struct OutputStore {
    let folder: String

    /// Makes the folders.
    ///
    /// - Throws: the system's error, as a sentence.
    init(folder: String) throws {
        self.folder = folder
        for part in ["files", "manifests", "work"] {
            do {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
            } catch {
                throw RuntimeError(
                    "cannot make the folder of mosaics \(folder): \(error.localizedDescription); choose "
                        + "another with outputs.store")
            }
        }
    }

    /// Where an output file lies, or would lie.
    func path(of digest: ContentHash) -> String { "\(folder)/files/\(digest)" }

    /// A folder for files on their way; the caller removes it.
    func workFolder() -> String { "\(folder)/work/\(ContentHash.random().description.prefix(16))" }

    /// A manifest as it lies on the disk.
    func manifestBytes(_ digest: ContentHash) -> Data? {
        FileManager.default.contents(atPath: "\(folder)/manifests/\(digest).json")
    }

    /// The manifest of these outputs, when it and all of its files are here.
    func manifest(_ digest: ContentHash) -> OutputManifest? {
        guard let bytes = manifestBytes(digest),
            case .success(let manifest) = Result(catching: {
                try JSONDecoder().decode(OutputManifest.self, from: bytes)
            }), manifest.isSound, manifest.digest == digest
        else { return nil }
        let areHere = manifest.files.allSatisfy { file in
            guard let hash = ContentHash(hexadecimal: file.digest) else { return false }
            var facts = stat()
            return stat(path(of: hash), &facts) == 0 && facts.st_size == off_t(file.bytes)
        }
        return areHere ? manifest : nil
    }

    /// Takes over files that were written and synced in `work`, and publishes their manifest.
    ///
    /// - Returns: the digest that names the outputs.
    /// - Throws: `RuntimeError` when the disk is full or fails; no manifest names the files then.
    func publish(_ files: [JobAssembler.File], from work: String) throws -> ContentHash {
        let manifest = OutputManifest(files: files)
        for file in files {
            guard let hash = ContentHash(hexadecimal: file.digest) else {
                throw RuntimeError("output \(file.name) has the digest \(file.digest), which is none")
            }
            try move("\(work)/\(file.name)", to: path(of: hash))
        }
        try sync("\(folder)/files")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let part = "\(work)/.manifest.part"
        let file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure(part) }
        defer { close(file) }
        let bytes = try encoder.encode(manifest)
        let written = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        guard written == bytes.count, fsync(file) == 0 else { throw failure(part) }
        try move(part, to: "\(folder)/manifests/\(manifest.digest).json")
        try sync("\(folder)/manifests")
        return manifest.digest
    }

    private func move(_ source: String, to target: String) throws {
        guard rename(source, target) == 0 else { throw failure(target) }
    }

    private func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path) }
    }

    private func failure(_ path: String) -> RuntimeError {
        RuntimeError(
            "cannot write \(path): \(String(cString: strerror(errno))); free some space or check the disk")
    }
}
