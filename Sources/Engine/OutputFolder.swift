import Foundation
import Raster
import TileStore

/// The folder that gets a job's outputs: every file is written as `.NAME.part` beside its place and all
/// appear together at the end; after a failure nothing of them is left (RASTER.md, Outputs).
final class OutputFolder {
    let path: String
    private var parts: [(part: String, name: String)] = []

    /// A finished file's facts.
    struct Written: Sendable {
        var name: String
        var bytes: Int
        var digest: ContentHash
    }

    /// - Throws: `EngineError` when the folder cannot be made or written.
    init(_ path: String) throws {
        self.path = path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw EngineError(
                "cannot make the output folder \(path): \(Self.reason(error)); choose another with --out")
        }
        guard access(path, W_OK) == 0 else {
            throw EngineError(
                "cannot write in the output folder \(path): "
                    + "\(String(cString: strerror(errno))); choose another with --out"
            )
        }
    }

    /// Removes temporary files that were never published.
    deinit { discard() }

    /// A new temporary file for the output `name`, open for reading and writing; the caller closes it.
    func create(_ name: String) throws -> OutputFile {
        precondition(!name.contains("/"), "output name \(name)")
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder),
            isFolder.boolValue
        {
            throw EngineError(
                "cannot write \(path)/\(name): a folder has that name; remove it, or choose "
                    + "another folder with --out"
            )
        }
        let part = temporaryPath(of: name)
        let file = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw EngineError(
                "cannot write \(path)/\(name): \(String(cString: strerror(errno))); choose "
                    + "another folder with --out"
            )
        }
        parts.append((part, name))
        return OutputFile(descriptor: file, path: "\(path)/\(name)")
    }

    /// Where the output `name` lies until it is published.
    func temporaryPath(of name: String) -> String { "\(path)/.\(name).part" }

    /// Writes a small file whole.
    func write(_ name: String, _ bytes: [UInt8]) throws -> Written {
        let file = try create(name)
        defer { close(file.descriptor) }
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        return Written(name: name, bytes: bytes.count, digest: ContentHash(of: bytes))
    }

    /// Brings a written file to the disk and hashes it meanwhile.
    static func seal(_ file: OutputFile, name: String) throws -> Written {
        let descriptor = file.descriptor
        let synced = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var failure: Int32 = 0
        Thread.detachNewThread {
            if fsync(descriptor) != 0 { failure = errno }
            synced.signal()
        }
        let hasher = ContentHasher()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var place = 0
        while true {
            let found = pread(descriptor, buffer.baseAddress!, buffer.count, off_t(place))
            if found < 0 && errno == EINTR { continue }
            guard found > 0 else { break }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<found]))
            place += found
        }
        synced.wait()
        guard failure == 0 else {
            throw EngineError(
                "cannot write \(file.path): \(String(cString: strerror(failure))); free some "
                    + "space or check the disk"
            )
        }
        return Written(name: name, bytes: place, digest: hasher.finish())
    }

    /// Puts all files in their places.
    func publish() throws {
        for (part, name) in parts {
            guard rename(part, "\(path)/\(name)") == 0 else {
                throw EngineError("cannot write \(path)/\(name): \(String(cString: strerror(errno)))")
            }
        }
        parts = []
    }

    private func discard() {
        for (part, _) in parts { unlink(part) }
        parts = []
    }

    /// Bytes free for us on the folder's disk.
    var freeBytes: Int {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return .max }
        return Int(
            clamping: UInt64(facts.f_bavail).multipliedReportingOverflow(by: UInt64(facts.f_frsize))
                .partialValue)
    }

    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        return underlying.map { String(cString: strerror(Int32($0.code))) } ?? error.localizedDescription
    }
}
