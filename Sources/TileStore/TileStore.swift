import Foundation
import Synchronization

/// Blobs on disk under the hash of what made them, bounded in size, the ones used longest ago forgotten
/// first.
///
/// A file is the blob behind a head of 64 bytes that holds its digest. It appears under its name complete or
/// not at all (temporary file, rename), so a process killed at any moment leaves a store that can be used.
/// What a live job needs is pinned; pinned bytes stand outside the bound (PROTOCOL.md, section 3, "No room").
///
/// Several processes may share a folder: they see each other's blobs, and a blob that one removes is made
/// again by the other.
public final class TileStore: Sendable {
    /// A blob's place on disk.
    public struct Entry: Hashable, Sendable {
        public let key: ContentHash
        /// BLAKE2b-256 of the blob.
        public let digest: ContentHash
        public let path: String
        /// Where the blob begins in the file.
        public static let headBytes = 64
        /// Bytes of the blob without the head.
        public let length: Int
    }

    /// What `store size` prints.
    public struct Usage: Hashable, Codable, Sendable {
        public var blobs: Int
        /// Bytes on disk, heads included.
        public var bytes: Int
        public var limit: Int
    }

    public let folder: String
    public let limit: Int
    private let state = Mutex(State())

    private struct State {
        var pinned: [ContentHash: Pin] = [:]
    }

    private struct Pin {
        var count = 0
        /// The file as this process hashed it last.
        var verified: FileStamp?
    }

    static let magic = Array("ARBTILE1".utf8)

    /// Opens the store in `folder`, which is made when it is missing.
    ///
    /// - Parameter limit: bytes; nil: 20 GB or a tenth of the free disk, the smaller (INTERFACES.md).
    /// - Throws: `StoreError` when the folder cannot be made or written.
    public init(folder: String, limit: Int? = nil) throws {
        self.folder = folder
        do {
            try FileManager.default.createDirectory(
                atPath: folder + "/tasks", withIntermediateDirectories: true)
        } catch {
            throw StoreError(
                "cannot make the store \(folder): \(Self.words(errno)); choose another folder with --store")
        }
        guard access(folder + "/tasks", W_OK) == 0 else {
            throw StoreError(
                "cannot write in the store \(folder): \(Self.words(errno)); choose another with --store")
        }
        self.limit = limit ?? min(20_000_000_000, Self.freeBytes(folder) / 10)
    }

    /// The blob under `key`, when it is there and whole.
    ///
    /// - Parameter verify: hash the blob and compare; one that does not match is removed. A pinned one that
    ///   this process hashed, and that nobody wrote since, is not hashed again.
    public func find(_ key: ContentHash, verify: Bool = true) -> Entry? {
        let path = path(of: key)
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        guard let entry = head(of: file, key: key, path: path) else {
            unlink(path)
            return nil
        }
        let known = state.withLock { $0.pinned[key]?.verified }
        let isVerified = known != nil && known == FileStamp(of: file)
        guard isVerified || !verify || digest(of: file, entry) == entry.digest else {
            unlink(path)
            return nil
        }
        let stamp = FileStamp(marking: file)
        if isVerified || verify { state.withLock { $0.pinned[key]?.verified = stamp } }
        return entry
    }

    /// Keeps a blob, pinned once more; an older one under the same key is replaced.
    ///
    /// - Throws: `StoreError` when the disk is full or fails; then nothing is kept or pinned.
    public func put(_ key: ContentHash, _ blob: UnsafeRawBufferPointer) throws -> Entry {
        let digest = ContentHash(of: blob)
        return try keep(key) { file in
            try file.take(blob)
            return digest
        }
    }

    /// Keeps a blob that comes in pieces, if it is the one that `digest` names; as `put` otherwise.
    ///
    /// - Parameter giveAll: hands all pieces over, in their order.
    /// - Returns: nil when the pieces are not that blob; then nothing is kept or pinned.
    /// - Throws: `StoreError`, and what `giveAll` throws.
    public func put(
        _ key: ContentHash, digest: ContentHash,
        giveAll: (_ take: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws -> Entry? {
        do {
            return try keep(key) { file in
                let hasher = ContentHasher()
                try giveAll { piece in
                    hasher.update(piece)
                    try file.take(piece)
                }
                guard hasher.finish() == digest else { throw OtherBlob() }
                return digest
            }
        } catch is OtherBlob {
            return nil
        }
    }

    private struct OtherBlob: Error {}

    /// A blob's file that has no name yet.
    private struct Unnamed {
        let descriptor: Int32
        let fail: (Int32) -> StoreError
        var length = 0

        mutating func take(_ bytes: UnsafeRawBufferPointer) throws {
            var done = 0
            while done < bytes.count {
                let count = pwrite(
                    descriptor, bytes.baseAddress! + done, bytes.count - done,
                    off_t(Entry.headBytes + length + done))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw fail(errno) }
                done += count
            }
            length += bytes.count
        }
    }

    /// Makes a file, lets `fill` write the blob and tell its digest, and gives it its name.
    private func keep(_ key: ContentHash, _ fill: (inout Unnamed) throws -> ContentHash) throws -> Entry {
        pin(key)
        let path = path(of: key)
        let folder = String(path[..<path.lastIndex(of: "/")!])
        let part = "\(folder)/.\(key).\(getpid()).\(UInt32.random(in: 0 ... .max)).part"
        do {
            if mkdir(folder, 0o755) != 0, errno != EEXIST { throw failure(path, errno) }
            let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw failure(path, errno) }
            defer { close(descriptor) }
            var file = Unnamed(descriptor: descriptor, fail: { self.failure(path, $0) })
            let digest = try fill(&file)
            var head = Self.magic + digest.bytes
            withUnsafeBytes(of: UInt64(file.length).littleEndian) { head.append(contentsOf: $0) }
            head += [UInt8](repeating: 0, count: Entry.headBytes - head.count)
            guard pwrite(descriptor, head, head.count, 0) == head.count, rename(part, path) == 0 else {
                throw failure(path, errno)
            }
            let stamp = FileStamp(marking: descriptor)
            state.withLock { $0.pinned[key]?.verified = stamp }
            return Entry(key: key, digest: digest, path: path, length: file.length)
        } catch {
            unlink(part)
            unpin(key)
            throw error
        }
    }

    /// Opens a blob for reading; the caller closes the descriptor. The blob begins at `Entry.headBytes`.
    ///
    /// - Throws: `StoreError` when it is gone.
    public func open(_ entry: Entry) throws -> Int32 {
        let file = open(entry.path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw StoreError(
                "cannot read blob \(entry.path): \(Self.words(errno)); run the job again, it "
                    + "repeats what is missing"
            )
        }
        return file
    }

    /// Keeps `key` from being forgotten until it is unpinned as often.
    public func pin(_ key: ContentHash) { state.withLock { $0.pinned[key, default: Pin()].count += 1 } }

    /// Takes one pin away.
    public func unpin(_ key: ContentHash) {
        state.withLock { state in
            guard let pin = state.pinned[key] else { return }
            if pin.count > 1 { state.pinned[key]?.count -= 1 } else { state.pinned[key] = nil }
        }
    }

    /// Takes one pin away and removes the blob: for what has no use beyond this process.
    public func forget(_ key: ContentHash) {
        unpin(key)
        remove(key)
    }

    /// Removes a blob.
    public func remove(_ key: ContentHash) { unlink(path(of: key)) }

    private func head(of file: Int32, key: ContentHash, path: String) -> Entry? {
        var head = [UInt8](repeating: 0, count: Entry.headBytes)
        guard pread(file, &head, head.count, 0) == head.count, Array(head[..<8]) == Self.magic else {
            return nil
        }
        let length = head[40..<48].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        var facts = stat()
        guard fstat(file, &facts) == 0, UInt64(facts.st_size) == length + UInt64(Entry.headBytes) else {
            return nil
        }
        return Entry(
            key: key, digest: ContentHash(bytes: Array(head[8..<40])), path: path, length: Int(length))
    }

    private func digest(of file: Int32, _ entry: Entry) -> ContentHash? {
        let hasher = ContentHasher()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        var place = 0
        while place < entry.length {
            let wanted = min(buffer.count, entry.length - place)
            let found = pread(file, buffer.baseAddress!, wanted, off_t(Entry.headBytes + place))
            guard found > 0 else { return nil }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<found]))
            place += found
        }
        return hasher.finish()
    }

    private func open(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 {
        Foundation.open(path, flags, mode)
    }

    private func path(of key: ContentHash) -> String {
        let name = key.description
        return "\(folder)/tasks/\(name.prefix(2))/\(name)"
    }

    private func failure(_ path: String, _ code: Int32) -> StoreError {
        let remedy =
            code == ENOSPC || code == EDQUOT
            ? "free some space, run arbutus store gc, or choose another folder with --store"
            : "check the disk, or choose another folder with --store"
        return StoreError("cannot write blob \(path): \(Self.words(code)); \(remedy)")
    }

    static func freeBytes(_ folder: String) -> Int {
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return 0 }
        return Int(
            clamping: UInt64(facts.f_bavail).multipliedReportingOverflow(by: UInt64(facts.f_frsize))
                .partialValue)
    }

    static func words(_ code: Int32) -> String { String(cString: strerror(code)) }
}

extension TileStore {
    private struct Listed {
        let path: String
        let key: ContentHash?
        let bytes: Int
        let lastUse: Double
    }

    /// Counts what lies in the store.
    public func usage() -> Usage {
        let all = list()
        return Usage(blobs: all.count { $0.key != nil }, bytes: all.reduce(0) { $0 + $1.bytes }, limit: limit)
    }

    /// Forgets the blobs used longest ago until the unpinned ones fit in the limit, and temporary files left
    /// by dead processes for over an hour.
    ///
    /// - Parameter everything: forget all that is not pinned.
    /// - Returns: bytes freed.
    @discardableResult
    public func collect(everything: Bool = false) -> Int {
        let pinned = state.withLock { Set($0.pinned.keys) }
        let now = Date().timeIntervalSince1970
        var (free, kept) = (0, 0)
        for item in list().sorted(by: { $0.lastUse > $1.lastUse }) {
            if let key = item.key {
                if pinned.contains(key) { continue }
                if !everything && kept + item.bytes <= limit {
                    kept += item.bytes
                    continue
                }
            } else if now - item.lastUse < 3600 {
                continue
            }
            if unlink(item.path) == 0 { free += item.bytes }
        }
        return free
    }

    /// Blobs and their temporary files; files of others, whom a slip of `--store` brought here, are not ours
    /// to remove.
    private func list() -> [Listed] {
        let root = folder + "/tasks"
        let manager = FileManager.default
        var found: [Listed] = []
        for branch in (Result { try manager.contentsOfDirectory(atPath: root) }.value ?? []).sorted() {
            for name in (Result { try manager.contentsOfDirectory(atPath: "\(root)/\(branch)") }.value ?? [])
                .sorted()
            {
                let path = "\(root)/\(branch)/\(name)"
                var facts = stat()
                guard stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { continue }
                let stem =
                    name.hasPrefix(".") && name.hasSuffix(".part") ? name.dropFirst().prefix(64) : name[...]
                guard ContentHash(hexadecimal: String(stem)) != nil, stem.hasPrefix(branch) else { continue }
                let time = Double(facts.st_mtim.tv_sec) + Double(facts.st_mtim.tv_nsec) / 1e9
                found.append(
                    Listed(
                        path: path, key: ContentHash(hexadecimal: name), bytes: Int(facts.st_size),
                        lastUse: time))
            }
        }
        return found
    }
}

extension Result {
    /// The value, when there is one: a folder that vanished while it was listed holds nothing.
    fileprivate var value: Success? {
        guard case .success(let value) = self else { return nil }
        return value
    }
}
