import Cluster

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Bulk requests and the replies before the bytes.
public enum WireBulk {
    /// A request's bytes.
    public static func encode(_ request: BulkRequest) -> [UInt8] {
        var proto = ProtoBulkRequest()
        proto.asks =
            switch request {
            case .content(let digest): .content(Data(digest))
            case .blob(let key): .blob(Data(key))
            case .manifest(let digest): .manifest(Data(digest))
            case .output(let digest): .output(Data(digest))
            case .sceneStatus(let path): .sceneStatus(path)
            case .sceneRange(let path, let version, let offset, let count):
                .sceneRange(
                    .with {
                        $0.path = path
                        $0.version = version
                        $0.offset = UInt64(clamping: offset)
                        $0.count = UInt32(clamping: count)
                    })
            case .sceneFolder(let path): .sceneFolder(path)
            case .instruction(let instruction): .instruction(ProtoInstruction(instruction))
            case .question(let question): .question(question.proto)
            }
        return Field.write(proto)
    }

    /// Reads a request.
    public static func request(_ bytes: [UInt8]) throws(WireError) -> BulkRequest {
        let proto = try Field.read(ProtoBulkRequest.self, bytes, "bulk request")
        switch try Field.known(proto.asks, "bulk request") {
        case .content(let digest): return .content(try Field.digest(digest, "content"))
        case .blob(let key): return .blob(key: try Field.digest(key, "blob"))
        case .manifest(let digest): return .manifest(try Field.digest(digest, "manifest"))
        case .output(let digest): return .output(try Field.digest(digest, "output"))
        case .sceneStatus(let path): return .sceneStatus(path: try self.path(path))
        case .sceneRange(let range):
            let offset = try Field.int(range.offset, "sceneRange.offset")
            let count = Int(range.count)
            guard (1...BulkRequest.rangeLimit).contains(count), offset <= Int.max - count else {
                throw .refused("sceneRange", "\(count) bytes at \(offset)")
            }
            return .sceneRange(
                path: try path(range.path), version: range.version, offset: offset, count: count)
        case .sceneFolder(let path): return .sceneFolder(path: try self.path(path))
        case .instruction(let proto): return .instruction(try proto.instruction())
        case .question(let question): return .question(try PeerQuestion(question))
        }
    }

    /// A reply's bytes. Of a folder at most `BulkReply.entryLimit` entries are told.
    public static func encode(_ reply: BulkReply) -> [UInt8] {
        var proto = ProtoBulkReply()
        proto.says =
            switch reply {
            case .follows(let length): .length(UInt64(clamping: length))
            case .absent: .absent(true)
            case .refused(let reason): .refused(reason.sentence)
            case .status(let status):
                .status(
                    .with {
                        $0.folder = status.isFolder
                        $0.size = UInt64(clamping: status.size)
                        $0.modifiedNanoseconds = status.modified
                        $0.version = status.version
                    })
            case .folder(let entries, let isWhole):
                .folder(
                    .with {
                        $0.entries = entries.prefix(BulkReply.entryLimit).map { entry in
                            .with {
                                $0.name = entry.name
                                $0.folder = entry.isFolder
                            }
                        }
                        $0.more = !isWhole || entries.count > BulkReply.entryLimit
                    })
            }
        return Field.write(proto)
    }

    /// Reads a reply.
    public static func reply(_ bytes: [UInt8]) throws(WireError) -> BulkReply {
        let proto = try Field.read(ProtoBulkReply.self, bytes, "bulk reply")
        switch try Field.known(proto.says, "bulk reply") {
        case .length(let length): return .follows(length: try Field.int(length, "length"))
        case .absent: return .absent
        case .refused(let reason):
            return .refused(reason: try Field.text(reason, most: WireLimit.sentence, "refused"))
        case .status(let status):
            return .status(
                SceneStatus(
                    isFolder: status.folder, size: try Field.int(status.size, "status.size"),
                    modified: status.modifiedNanoseconds, version: status.version))
        case .folder(let folder):
            try Field.count(folder.entries.count, most: BulkReply.entryLimit, "folder.entries")
            var entries: [SceneEntry] = []
            for entry in folder.entries {
                entries.append(SceneEntry(name: try name(entry.name), isFolder: entry.folder))
            }
            return .folder(entries, isWhole: !folder.more)
        }
    }

    /// A path that stays below where it starts. Links and roots are the owner's to check.
    private static func path(_ path: String) throws(WireError) -> String {
        if path.isEmpty { throw .missing("path") }
        let text = try Field.text(path, most: BulkRequest.pathLimit, "path")
        guard !text.utf8.contains(0) else { throw .refused("path", "it has a zero byte") }
        guard
            !text.utf8.split(separator: UInt8(ascii: "/")).contains(where: { Array($0) == Array("..".utf8) })
        else { throw .refused("path", "it leads upwards") }
        return text
    }

    /// One component of a path.
    private static func name(_ name: String) throws(WireError) -> String {
        if name.isEmpty { throw .missing("folder.name") }
        let text = try Field.text(name, most: 255, "folder.name")
        guard !text.utf8.contains(0), !text.utf8.contains(UInt8(ascii: "/")), text != ".", text != ".." else {
            throw .refused("folder.name", "it is no name of a file")
        }
        return text
    }
}
