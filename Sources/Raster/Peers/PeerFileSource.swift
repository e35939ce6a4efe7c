// Scene files of one node are readable by all: a GDAL path /vsipeer/<node>/<path> names a file on another
// node's disk (PROTOCOL section 6). Here is what GDAL needs; how the bytes come is the source's affair.

/// What a node tells about a path on its disk.
public struct PeerFileStatus: Hashable, Sendable {
    /// Bytes; 0 for a folder.
    public let size: Int
    /// Seconds since 1970.
    public let modified: Int
    public let isFolder: Bool
    /// Changes whenever the file does, as far as the owner's file system can tell. Bytes of two versions are
    /// never mixed.
    public let version: UInt64

    public init(size: Int, modified: Int, isFolder: Bool, version: UInt64) {
        (self.size, self.modified, self.isFolder, self.version) = (size, modified, isFolder, version)
    }
}

/// Fetches from other nodes. Called on threads that may block, from several at once.
///
/// Whatever is thrown becomes GDAL's error with the error's description as its text, so it should be a
/// sentence: which node, which file, why, what to do.
public protocol PeerFileSource: Sendable {
    /// What is at the path; nil if there is nothing, or nothing that may be read.
    func status(node: String, path: String) throws -> PeerFileStatus?

    /// The bytes from `offset`: `count`, or as many as the file has.
    ///
    /// - Throws: also when the file is not of that version any more.
    func read(node: String, path: String, version: UInt64, offset: Int, count: Int) throws -> [UInt8]

    /// The names in a folder, without `.` and `..`.
    func list(node: String, path: String) throws -> [String]
}
