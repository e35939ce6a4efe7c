import Foundation
import Raster
import TileStore

/// The folder that gets a job's outputs: every file is written as `.NAME.part` beside its place and all
/// appear together at the end; after a failure nothing of them is left (RASTER.md, Outputs).
///
/// One job writes in a folder at a time: the folder is locked (flock(2)) as long as this object lives, so the
/// lock ends with its process, however that dies.
final class OutputFolder {
    let path: String
    private let folder: Int32
    private let bypassesCache: Bool
    private var parts: [(part: String, name: String)] = []

    /// - Parameter bypassingCache: the large outputs are not read again soon (`OutputWriter`).
    /// - Throws: `EngineError` when the folder cannot be made or written, or another job writes in it.
    init(_ path: String, bypassingCache: Bool = false) throws {
        self.path = path
        bypassesCache = bypassingCache
        let failure = Self.make(path)
        guard failure == 0 else { throw Self.refusal(path, failure) }
        folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Self.refusal(path, errno) }
        // A file system without locks (some network drives) says EBADF or ENOLCK: then nobody is kept out.
        let isTaken = flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
        guard !isTaken else {
            close(folder)
            throw EngineError(
                "another job is writing in the output folder \(path); wait until it has ended, or "
                    + "choose another "
                    + "with --out")
        }
        guard access(path, W_OK) == 0 else {
            let reason = errno
            close(folder)
            throw Self.refusal(path, reason)
        }
    }

    /// Makes the folder and those above it.
    ///
    /// - Returns: 0, or the system's reason. A folder that is there already is no failure.
    private static func make(_ path: String) -> Int32 {
        if mkdir(path, 0o777) == 0 || errno == EEXIST { return 0 }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            return errno
        }
        let above = make(String(path[..<slash]))
        guard above == 0 else { return above }
        return mkdir(path, 0o777) == 0 || errno == EEXIST ? 0 : errno
    }

    private static func refusal(_ path: String, _ code: Int32) -> EngineError {
        EngineError(
            "cannot write in the output folder \(path): \(String(cString: strerror(code))); choose "
                + "another with --out"
        )
    }

    /// Refuses outputs that would take the place of a file that the job reads, or that cannot take their
    /// place.
    ///
    /// - Parameter names: of the outputs to come.
    /// - Throws: `EngineError` with the file's path and the remedy.
    func check(_ names: [String], keeping sources: [String]) throws {
        let read = Set(sources.compactMap(FileIdentity.init))
        for name in names {
            var facts = stat()
            guard stat("\(path)/\(name)", &facts) == 0 else { continue }
            guard facts.st_mode & S_IFMT != S_IFDIR else {
                throw EngineError(
                    "cannot write \(path)/\(name): a folder has that name; remove it, or choose another "
                        + "folder "
                        + "with --out")
            }
            guard !read.contains(FileIdentity(facts)) else {
                throw EngineError(
                    "cannot write \(path)/\(name): it is one of the files that the job reads; choose "
                        + "another folder "
                        + "with --out")
            }
        }
    }

    /// Removes temporary files that were never published.
    deinit {
        discard()
        close(folder)
    }

    /// A new temporary file for the output `name`, open for reading and writing; the caller closes it.
    func create(_ name: String) throws -> OutputFile {
        precondition(!name.contains("/"), "output name \(name)")
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
    func write(_ name: String, _ bytes: [UInt8]) throws -> WrittenFile {
        let file = try create(name)
        defer { close(file.descriptor) }
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        return WrittenFile(name: name, bytes: bytes.count, digest: ContentHash(of: bytes))
    }

    /// A new temporary file for the output `name`, to be written from start to end.
    func stream(_ name: String) throws -> HashedOutput {
        HashedOutput(try create(name), name: name, bypassingCache: bypassesCache)
    }

    /// Hashes the temporary file of the output `name`, which someone else wrote, and brings it to the disk.
    func seal(_ name: String) throws -> WrittenFile {
        let part = temporaryPath(of: name)
        let file = open(part, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw EngineError("cannot read \(path)/\(name) back; check the disk") }
        defer { close(file) }
        let hasher = ContentHasher()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var place = 0
        while true {
            let found = pread(file, buffer.baseAddress!, buffer.count, off_t(place))
            if found < 0 && errno == EINTR { continue }
            guard found >= 0 else {
                throw EngineError(
                    "cannot read \(path)/\(name) back: \(String(cString: strerror(errno))); check the disk")
            }
            guard found > 0 else { break }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<found]))
            place += found
        }
        guard fsync(file) == 0 else {
            throw EngineError(
                "cannot write \(path)/\(name): \(String(cString: strerror(errno))); free some space or check "
                    + "the disk")
        }
        return WrittenFile(name: name, bytes: place, digest: hasher.finish())
    }

    /// Puts all files in their places.
    func publish() throws {
        for (part, name) in parts {
            guard rename(part, "\(path)/\(name)") == 0 else {
                throw EngineError(
                    "cannot write \(path)/\(name): \(String(cString: strerror(errno))); choose another "
                        + "folder with "
                        + "--out, and run the same command again")
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
}

/// One file, by whatever path it is reached.
struct FileIdentity: Hashable {
    let device: UInt64
    let inode: UInt64

    /// nil when there is no file at `path`.
    init?(_ path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        self.init(facts)
    }

    init(_ facts: stat) { (device, inode) = (UInt64(facts.st_dev), UInt64(facts.st_ino)) }
}
