import Cluster

/// What a node asks another for on a bulk connection; the bytes follow the reply, raw (PROTOCOL section 6).
public enum BulkRequest: Hashable, Sendable {
    /// A request or a plan, by its digest.
    case content(Digest)
    /// A task's blob, by the task's key.
    case blob(key: Digest)
    /// A run's manifest, by the digest that names its outputs.
    case manifest(Digest)
    /// An output file, by its digest.
    case output(Digest)
    /// What this file or folder below the owner's scene roots is.
    case sceneStatus(path: String)
    /// Bytes of a scene file, if it is still of that version; 0: of any.
    case sceneRange(path: String, version: UInt64, offset: Int, count: Int)
    /// What is in a folder below the scene roots.
    case sceneFolder(path: String)
    /// What a user of another node wants of this one.
    case instruction(PeerInstruction)
    /// What the node knows of something; JSON, or a picture.
    case question(PeerQuestion)

    /// Bytes of a path at most.
    public static let pathLimit = 4096
    /// Bytes of one range at most.
    public static let rangeLimit = 64 << 20
}

/// The answer to a `BulkRequest`.
public enum BulkReply: Hashable, Sendable {
    /// So many bytes follow; fewer than a range asked for when the file ends.
    case follows(length: Int)
    /// It is not here.
    case absent
    /// Why not, in a sentence.
    case refused(reason: String)
    /// The answer to `sceneStatus`.
    case status(SceneStatus)
    /// The answer to `sceneFolder`, sorted by name; `isWhole` is false when there are more entries.
    case folder([SceneEntry], isWhole: Bool)

    /// Entries of a folder in one reply at most.
    public static let entryLimit = 10_000
}

/// What a scene file or folder is. Size and modification tell whether it is still the same (ARCHITECTURE).
public struct SceneStatus: Hashable, Sendable {
    /// A folder has no bytes.
    public let isFolder: Bool
    /// Bytes.
    public let size: Int
    /// When it was modified: nanoseconds since 1970.
    public let modified: Int64
    /// Changes whenever the file does, as far as the owner's file system can tell.
    public let version: UInt64

    /// The status of a file or folder.
    public init(isFolder: Bool, size: Int, modified: Int64, version: UInt64) {
        (self.isFolder, self.size, self.modified, self.version) = (isFolder, size, modified, version)
    }
}

/// One entry of a folder.
public struct SceneEntry: Hashable, Sendable {
    /// One component of a path.
    public let name: String
    /// It is a folder and not a file.
    public let isFolder: Bool

    /// An entry with this name.
    public init(name: String, isFolder: Bool) { (self.name, self.isFolder) = (name, isFolder) }
}
