import CGDAL
import Foundation
import Synchronization

// GDAL's side of /vsipeer: callbacks that turn its paths and positions into questions to the source. GDAL
// keeps a handler for the life of the process, so the handler is installed once and the source behind it can
// change.

/// The GDAL file system `/vsipeer/<node>/<path>`, read-only: `/vsipeer/5f1c…/data/sentinel/B04.jp2` is
/// `/data/sentinel/B04.jp2` on that node.
public enum PeerFileSystem {
    /// How the paths begin.
    public static let prefix = "/vsipeer/"

    /// What answers at the moment.
    struct Service: Sendable {
        let source: any PeerFileSource
        let cache: PeerBlockCache
    }

    private struct Services {
        var last: UInt64 = 0
        /// Those that know all nodes, by their number; the newest answers.
        var forAll: [(number: UInt64, service: Service)] = []
        var forOne: [String: Service] = [:]
    }

    private static let services = Mutex(Services())

    /// `5f1c…@3` asks the source with that number, `5f1c…` the newest.
    private static func service(for node: String) -> Service? {
        services.withLock { services in
            if let one = services.forOne[node] { return one }
            guard let mark = node.lastIndex(of: "@") else { return services.forAll.last?.service }
            let number = UInt64(node[node.index(after: mark)...])
            return services.forAll.first { $0.number == number }?.service
        }
    }

    /// Lets GDAL read peers' files from a source that knows all nodes, until `end`.
    ///
    /// - Parameter cacheBytes: what the cache of fetched blocks may hold.
    /// - Returns: the source's number: several nodes of one process each read through their own, by paths
    ///   such as `/vsipeer/5f1c…@3/data/B04.jp2`.
    public static func begin(_ source: any PeerFileSource, cacheBytes: Int = 256 << 20) -> UInt64 {
        GDALRuntime.start()
        _ = installed
        let service = Service(source: source, cache: PeerBlockCache(limit: cacheBytes))
        return services.withLock { services in
            services.last += 1
            services.forAll.append((services.last, service))
            return services.last
        }
    }

    /// The source that got this number from `begin` is asked no more.
    public static func end(_ number: UInt64) {
        services.withLock { $0.forAll.removeAll { $0.number == number } }
    }

    /// Lets GDAL read the files of one node from this source; nil ends it.
    ///
    /// - Parameters:
    ///   - node: the only node that the source knows.
    ///   - cacheBytes: what the cache of fetched blocks may hold.
    public static func use(
        _ source: (any PeerFileSource)?, onlyFor node: String, cacheBytes: Int = 256 << 20
    ) {
        GDALRuntime.start()
        _ = installed
        let fresh = source.map { Service(source: $0, cache: PeerBlockCache(limit: cacheBytes)) }
        services.withLock { $0.forOne[node] = fresh }
    }

    /// The path under which GDAL finds a peer's file.
    ///
    /// - Parameters:
    ///   - node: the owner's id.
    ///   - path: absolute, on the owner.
    public static func address(node: String, path: String) -> String { prefix + node + path }

    /// Node and path of an address, which GDAL hands over without its prefix; nil if it names neither.
    static func parts(_ name: UnsafePointer<CChar>?) -> (node: String, path: String)? {
        guard let name else { return nil }
        let rest = String(cString: name)
        guard let slash = rest.firstIndex(of: "/"), slash > rest.startIndex else { return nil }
        var path = rest[slash...]
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        return (String(rest[..<slash]), String(path))
    }

    /// The node in a path's first part, without the number of the source that is to be asked.
    static func node(_ name: some StringProtocol) -> String { String(name.prefix { $0 != "@" }) }

    private static let installed: Void = {
        guard let callbacks = VSIAllocFilesystemPluginCallbacksStruct() else {
            preconditionFailure("GDAL has no memory for a file system's callbacks")
        }
        callbacks.pointee.stat = { _, name, buffer, _ in PeerFileSystem.stat(name, buffer) }
        callbacks.pointee.read_dir = { _, name, _ in PeerFileSystem.list(name) }
        callbacks.pointee.open = { _, name, access in PeerFileSystem.open(name, access) }
        callbacks.pointee.tell = { PeerFile.of($0).position }
        callbacks.pointee.seek = { PeerFile.of($0).seek($1, whence: $2) }
        callbacks.pointee.read = { PeerFile.of($0).read($1, size: $2, count: $3) }
        callbacks.pointee.eof = { PeerFile.of($0).isAtEnd ? 1 : 0 }
        callbacks.pointee.close = {
            if let handle = $0 { Unmanaged<PeerFile>.fromOpaque(handle).release() }
            return 0
        }
        // GDAL copies the callbacks but keeps the pointer to the prefix: it has to stay where it is.
        let code = VSIInstallPluginHandler(strdup(prefix), callbacks)
        VSIFreeFilesystemPluginCallbacksStruct(callbacks)
        precondition(code == 0, "GDAL does not take the file system \(prefix)")
    }()

    // MARK: GDAL calls

    private static func stat(_ name: UnsafePointer<CChar>?, _ buffer: OpaquePointer?) -> Int32 {
        guard let buffer, let status = found(name) else { return -1 }
        let target = UnsafeMutablePointer<Glibc.stat>(buffer)
        target.pointee = Glibc.stat()
        target.pointee.st_mode = status.isFolder ? S_IFDIR | 0o555 : S_IFREG | 0o444
        target.pointee.st_size = status.size
        target.pointee.st_mtim.tv_sec = status.modified
        return 0
    }

    private static func list(_ name: UnsafePointer<CChar>?) -> UnsafeMutablePointer<
        UnsafeMutablePointer<CChar>?
    >? {
        guard let (node, path) = parts(name), let service = service(for: node) else { return nil }
        do {
            var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
            for entry in try service.source.list(node: Self.node(node), path: path) {
                names = CSLAddString(names, entry)
            }
            return names
        } catch {
            say(error)
            return nil
        }
    }

    private static func open(_ name: UnsafePointer<CChar>?, _ access: UnsafePointer<CChar>?)
        -> UnsafeMutableRawPointer?
    {
        guard let access, let (node, path) = parts(name), let service = service(for: node) else { return nil }
        guard !String(cString: access).contains(where: { "wa+".contains($0) }) else {
            say(
                RasterError(
                    "cannot write \(path.onOneLine) on node \(node): files of other nodes are read only"))
            return nil
        }
        guard let status = found(name), !status.isFolder else { return nil }
        let file = PeerFile(
            PeerBlockCache.File(node: Self.node(node), path: path, version: status.version),
            size: status.size, service)
        return Unmanaged.passRetained(file).toOpaque()
    }

    private static func found(_ name: UnsafePointer<CChar>?) -> PeerFileStatus? {
        guard let (node, path) = parts(name), let service = service(for: node) else { return nil }
        do {
            return try service.source.status(node: Self.node(node), path: path)
        } catch {
            say(error)
            return nil
        }
    }

    /// Leaves the error with GDAL, on this thread.
    static func say(_ error: any Error) {
        String(describing: error).withCString { text in
            withVaList([text]) { CPLErrorV(CE_Failure, CPLErrorNum(CPLE_FileIO), "%s", $0) }
        }
    }
}

/// An open file of a peer, as GDAL holds it. One thread at a time.
final class PeerFile {
    private let file: PeerBlockCache.File
    private let size: Int
    private let service: PeerFileSystem.Service
    private(set) var position: vsi_l_offset = 0
    private(set) var isAtEnd = false

    init(_ file: PeerBlockCache.File, size: Int, _ service: PeerFileSystem.Service) {
        self.file = file
        self.size = size
        self.service = service
    }

    static func of(_ handle: UnsafeMutableRawPointer?) -> PeerFile {
        guard let handle else { preconditionFailure("GDAL uses a peer's file that it did not open") }
        return Unmanaged<PeerFile>.fromOpaque(handle).takeUnretainedValue()
    }

    func seek(_ offset: vsi_l_offset, whence: Int32) -> Int32 {
        isAtEnd = false
        switch whence {
        case SEEK_SET: position = offset
        case SEEK_CUR: position = position &+ offset
        case SEEK_END: position = vsi_l_offset(size) &+ offset
        default: return -1
        }
        return 0
    }

    /// Whole items of `size` bytes that were read.
    func read(_ buffer: UnsafeMutableRawPointer?, size itemSize: Int, count: Int) -> Int {
        let (wanted, overflows) = itemSize.multipliedReportingOverflow(by: count)
        guard let buffer, itemSize > 0, wanted > 0, !overflows, let offset = Int(exactly: position) else {
            return 0
        }
        do {
            let read = try service.cache.read(
                file, size: size, offset: min(offset, size),
                into: UnsafeMutableRawBufferPointer(start: buffer, count: wanted)
            ) { start, count in
                try service.source.read(
                    node: file.node, path: file.path, version: file.version, offset: start, count: count)
            }
            if read < wanted { isAtEnd = true }
            position += vsi_l_offset(read)
            return read / itemSize
        } catch {
            PeerFileSystem.say(error)
            return 0
        }
    }
}
