import Foundation
import Glibc

// Other nodes may read scenes from this node's disk: from the folders that its configuration lists, and from
// nowhere else. A path is walked folder by folder from a root, and whatever could lead elsewhere is refused:
// `..`, links of any kind, devices, pipes, sockets. What is checked is what is opened, so nobody can swap it
// between.

/// Why a path is not read for a peer. The peer is told no more than "nothing there".
public enum SceneRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// Below none of the roots, or not an absolute path.
    case outside(String)
    /// A part of the path that could lead elsewhere.
    case detour(String)
    /// Nothing is there.
    case absent(String)
    /// It is neither a file nor a folder, or not the one of both that was asked for.
    case wrongKind(String)
    /// The file is not the one that the reader began with.
    case changed(String)
    /// The system refused; why.
    case unreadable(String, reason: String)

    public var description: String {
        switch self {
        case .outside(let path): "\(path) is below none of this node's scene_roots; add its folder to them"
        case .detour(let path): "\(path) leads through `..` or a link; name the file by its own path"
        case .absent(let path): "there is no \(path); check the path"
        case .wrongKind(let path): "\(path) is no plain file or folder; a scene must be one"
        case .changed(let path): "\(path) was changed while it was read; start the job again"
        case .unreadable(let path, let reason): "cannot read \(path): \(reason); check its owner and its disk"
        }
    }
}

/// The folders from which other nodes may read.
public struct SceneRoots: Sendable {
    /// What is at a path.
    public struct Status: Equatable, Sendable {
        /// Bytes; 0 for a folder.
        public let size: Int
        /// Seconds since 1970.
        public let modified: Int
        public let isFolder: Bool
        /// Changes with the file: of its size, its times to the nanosecond, and its place on the disk.
        public let version: UInt64
    }

    /// Absolute, without a slash at the end, the longest first.
    private let roots: [String]

    /// Names in a folder that are listed at most.
    public static let mostNames = 100_000
    /// Bytes that are read at once at most.
    public static let mostBytes = 4 << 20

    /// - Parameter roots: absolute paths of folders, as the configuration lists them. They may be links
    ///   themselves.
    public init(_ roots: [String]) {
        self.roots = roots.filter { $0.hasPrefix("/") }.map { root in
            var root = root[...]
            while root.count > 1, root.hasSuffix("/") { root = root.dropLast() }
            return String(root)
        }.sorted { $0.utf8.count > $1.utf8.count }
    }

    /// What is at the path.
    public func status(_ path: String) throws(SceneRefusal) -> Status {
        let file = try open(path)
        defer { close(file) }
        return try status(file, path)
    }

    /// At most `count` bytes from `offset` of the file, if it is still of that version.
    public func read(_ path: String, version: UInt64, offset: Int, count: Int) throws(SceneRefusal) -> [UInt8]
    {
        let file = try open(path)
        defer { close(file) }
        let found = try status(file, path)
        guard !found.isFolder, offset >= 0, count >= 0 else { throw .wrongKind(path) }
        guard found.version == version else { throw .changed(path) }
        let wanted = max(0, min(count, Self.mostBytes, found.size - offset))
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { memory, filled in
            while filled < wanted {
                let got = pread(
                    file, memory.baseAddress?.advanced(by: filled), wanted - filled, offset + filled)
                if got > 0 {
                    filled += got
                } else if got == 0 || errno != EINTR {
                    failure = got == 0 ? 0 : errno
                    return
                }
            }
        }
        guard failure == 0 else { throw refusal(path, failure) }
        return bytes
    }

    /// The names in a folder in byte order; links and special files are left out.
    public func list(_ path: String) throws(SceneRefusal) -> [String] {
        let folder = try open(path)
        guard let stream = fdopendir(folder) else {
            close(folder)
            throw .wrongKind(path)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < Self.mostNames, let entry = readdir(stream) {
            let type = Int(entry.pointee.d_type)
            guard [Int(DT_REG), Int(DT_DIR), Int(DT_UNKNOWN)].contains(type) else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    // MARK: The walk

    /// A descriptor of the file or folder, reached without any detour.
    private func open(_ path: String) throws(SceneRefusal) -> Int32 {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else { throw .outside(path) }
        guard let root = roots.first(where: { $0 == "/" || path == $0 || path.hasPrefix($0 + "/") }) else {
            throw .outside(path)
        }
        let parts = path.dropFirst(root == "/" ? 0 : root.utf8.count).split(separator: "/")
        guard !parts.contains(".."), !parts.contains(".") else { throw .detour(path) }
        var at = Glibc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard at >= 0 else { throw refusal(path, errno) }
        for (index, part) in parts.enumerated() {
            let next = try step(at, String(part), isLast: index == parts.count - 1, path)
            close(at)
            at = next
        }
        return at
    }

    /// One step down; closes `folder` when it fails.
    private func step(_ folder: Int32, _ name: String, isLast: Bool, _ path: String) throws(SceneRefusal)
        -> Int32
    {
        var found = stat()
        // Looked at before it is opened: opening a device can already do something.
        guard fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) == 0 else {
            let code = errno
            close(folder)
            throw refusal(path, code)
        }
        let kind = found.st_mode & S_IFMT
        guard kind == S_IFDIR || (isLast && kind == S_IFREG) else {
            close(folder)
            throw kind == S_IFLNK ? .detour(path) : kind == S_IFREG ? .absent(path) : .wrongKind(path)
        }
        let next = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard next >= 0 else {
            let code = errno
            close(folder)
            throw refusal(path, code)
        }
        return next
    }

    private func status(_ file: Int32, _ path: String) throws(SceneRefusal) -> Status {
        var found = stat()
        guard fstat(file, &found) == 0 else { throw refusal(path, errno) }
        let kind = found.st_mode & S_IFMT
        guard kind == S_IFREG || kind == S_IFDIR else { throw .wrongKind(path) }
        var version: UInt64 = 0
        for part in [
            UInt64(found.st_dev), UInt64(found.st_ino), UInt64(bitPattern: Int64(found.st_size)),
            UInt64(bitPattern: Int64(found.st_mtim.tv_sec)), UInt64(bitPattern: Int64(found.st_mtim.tv_nsec)),
            UInt64(bitPattern: Int64(found.st_ctim.tv_sec)), UInt64(bitPattern: Int64(found.st_ctim.tv_nsec)),
        ] {
            version = (version ^ part) &* 0x9E37_79B9_7F4A_7C15
            version ^= version >> 29
        }
        return Status(
            size: kind == S_IFDIR ? 0 : Int(found.st_size), modified: Int(found.st_mtim.tv_sec),
            isFolder: kind == S_IFDIR, version: version)
    }

    private func refusal(_ path: String, _ code: Int32) -> SceneRefusal {
        switch code {
        case ENOENT, ENOTDIR, ENAMETOOLONG: .absent(path)
        case ELOOP: .detour(path)
        default: .unreadable(path, reason: String(cString: strerror(code)))
        }
    }
}
