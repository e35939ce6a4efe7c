import CGDAL
import Glibc

/// Files by path or by GDAL virtual path (`/vsizip/…`, `/vsicurl/…`, `/vsis3/…`): what is there, and small
/// ones whole.
public enum VirtualFile {
    /// What the file system tells about a path.
    public struct Status: Hashable, Sendable {
        /// Bytes.
        public let size: Int
        /// Seconds since 1970; 0 when unknown.
        public let modified: Int
        public let isFolder: Bool
        /// A pipe, a socket or a device: reading it may wait for ever.
        public let isSpecial: Bool
    }

    /// nil when there is nothing at the path.
    public static func status(_ path: String) -> Status? {
        // GDAL's structure is stat64, which on 64-bit Linux is stat by another name.
        var buffer = stat()
        let code = GDALRuntime.capturing {
            withUnsafeMutablePointer(to: &buffer) { VSIStatL(path, OpaquePointer($0)) }
        }.value
        guard code == 0 else { return nil }
        let kind = buffer.st_mode & S_IFMT
        return Status(
            size: Int(buffer.st_size), modified: Int(buffer.st_mtim.tv_sec), isFolder: kind == S_IFDIR,
            isSpecial: [S_IFIFO, S_IFSOCK, S_IFCHR].contains(kind))
    }

    /// - Throws: `RasterError` when the path is that of a pipe, a socket or a device.
    public static func refuseSpecial(_ path: String) throws {
        guard status(path)?.isSpecial == true else { return }
        throw RasterError(
            "cannot read \(path.onOneLine): it is a pipe, a socket or a device, and a scene must be a file; "
                + "check the path, or drop it from the job")
    }

    /// Names in a folder in byte order, without `.` and `..`; at most 100,000.
    ///
    /// - Throws: `RasterError` when the path is no folder or cannot be read.
    public static func list(_ folder: String) throws -> [String] {
        let listed = GDALRuntime.capturing { VSIReadDirEx(folder, 100_000) }
        guard let names = listed.value else {
            // An empty folder gives no list, as a failure does.
            if status(folder)?.isFolder == true, listed.message == nil { return [] }
            throw RasterError(
                "cannot list \(folder.onOneLine): \((listed.message ?? "no such folder").asReason); check "
                    + "the path")
        }
        defer { CSLDestroy(names) }
        return StringList.strings(names).filter { $0 != "." && $0 != ".." && !$0.isEmpty }.sorted()
    }

    /// The bytes of a file of at most `limit` bytes.
    ///
    /// - Throws: `RasterError` when the file is missing, unreadable, or larger.
    public static func read(_ path: String, limit: Int) throws -> [UInt8] {
        let file = try open(path)
        defer { VSIFCloseL(file) }
        var bytes: [UInt8] = []
        while bytes.count <= limit {
            let size = min(1 << 20, limit + 1 - bytes.count)
            let read = piece(of: file, bytes: size)
            bytes += read
            if read.count < size { break }
        }
        guard bytes.count <= limit else {
            throw RasterError(
                "cannot read \(path.onOneLine): it is larger than \(limit >> 20) MiB, the most that "
                    + "metadata may have; check the file")
        }
        return bytes
    }

    /// Reads a file from its beginning to its end.
    ///
    /// - Parameters:
    ///   - count: bytes a piece; the last one is shorter.
    ///   - body: gets each piece, which is gone afterwards.
    /// - Throws: `RasterError` when the file cannot be opened or read; what `body` throws.
    public static func forEachPiece(
        of path: String, bytes count: Int, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let file = try open(path)
        defer { VSIFCloseL(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let read = VSIFReadL(buffer.baseAddress, 1, count, file)
            if read > 0 { try body(UnsafeRawBufferPointer(rebasing: buffer[..<read])) }
            if read == count { continue }
            guard VSIFEofL(file) != 0 else {
                throw RasterError(
                    "cannot read \(path.onOneLine) to its end: the disk or the network failed; try again")
            }
            return
        }
    }

    /// The first bytes of a file, fewer when it is shorter.
    ///
    /// - Throws: `RasterError` when the file cannot be opened.
    public static func start(_ path: String, bytes count: Int) throws -> [UInt8] {
        let file = try open(path)
        defer { VSIFCloseL(file) }
        return piece(of: file, bytes: count)
    }

    private static func open(_ path: String) throws -> UnsafeMutablePointer<VSILFILE> {
        let opened = GDALRuntime.capturing { VSIFOpenL(path, "rb") }
        guard let file = opened.value else {
            throw RasterError(
                "cannot read \(path.onOneLine): \((opened.message ?? "no such file").asReason); check the "
                    + "path")
        }
        return file
    }

    private static func piece(of file: UnsafeMutablePointer<VSILFILE>, bytes: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: bytes) { buffer, count in
            count = VSIFReadL(buffer.baseAddress, 1, bytes, file)
        }
    }

    /// Lets GDAL ask a server anew for a file: it remembers for the life of the process that one was missing
    /// or could not be had.
    public static func forget(_ address: String) {
        GDALRuntime.start()
        VSICurlPartialClearCache(address)
    }

    /// The `ETag` that a web server gave for a `/vsicurl/` path; nil for other file systems and silent
    /// servers.
    static func etag(_ path: String) -> String? {
        guard path.hasPrefix("/vsicurl/") else { return nil }
        let headers = GDALRuntime.capturing { VSIGetFileMetadata(path, "HEADERS", nil) }.value
        defer { CSLDestroy(headers) }
        let found = StringList.dictionary(headers).first { $0.key.lowercased() == "etag" }
        return found.map { $0.value.trimmed }
    }
}
