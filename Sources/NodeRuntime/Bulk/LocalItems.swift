import Catalog
import Foundation
import TileStore
import Transport
import Wire

/// What this node can give others: contents of the journal, blobs of the store, outputs, and scene files
/// below its roots.
struct LocalItems: Sendable {
    let journal: Journal
    let store: TileStore
    let outputs: OutputStore
    let roots: SceneRoots
    /// Answers questions; nil: it does not know.
    let answer: @Sendable (PeerQuestion) throws -> [UInt8]?

    /// An item's bytes, in memory or as a part of a file that the caller closes.
    enum Source {
        case bytes([UInt8])
        case file(descriptor: Int32, offset: Int, length: Int)

        var length: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .file(_, _, let length): length
            }
        }
    }

    /// Finds an item; nil when it is not here.
    ///
    /// - Throws: `JournalError` when the journal cannot be read; `SceneRefusal`.
    func open(_ request: BulkRequest) throws -> Source? {
        switch request {
        case .content(let digest): return try journal.content(digest.bytes).map(Source.bytes)
        case .manifest(let digest):
            return outputs.manifestBytes(digest.hash).map { Source.bytes(Array($0)) }
        case .blob(let key):
            guard let entry = store.find(key.hash, verify: false),
                case .success(let file) = Result(catching: { try store.open(entry) })
            else { return nil }
            return .file(descriptor: file, offset: TileStore.Entry.headBytes, length: entry.length)
        case .output(let digest):
            let file = Foundation.open(outputs.path(of: digest.hash), O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return nil }
            var facts = stat()
            guard fstat(file, &facts) == 0 else {
                close(file)
                return nil
            }
            return .file(descriptor: file, offset: 0, length: Int(facts.st_size))
        case .sceneRange(let path, let version, let offset, let count):
            return .bytes(
                try roots.read(
                    path, version: version, offset: offset, count: min(count, SceneRoots.mostBytes)))
        case .question(let question): return try answer(question).map(Source.bytes)
        case .sceneStatus, .sceneFolder, .instruction: return nil
        }
    }

    /// Answers a question about a scene file or folder; other questions have bytes as their answer.
    ///
    /// - Throws: `SceneRefusal`, of which the asker is told no more than `LocalItems.reply` says.
    static func answer(_ request: BulkRequest, _ roots: SceneRoots) throws(SceneRefusal) -> BulkReply {
        switch request {
        case .sceneStatus(let path):
            let found = try roots.status(path)
            return .status(
                SceneStatus(
                    isFolder: found.isFolder, size: found.size,
                    modified: Int64(
                        found.modified.multipliedReportingOverflow(by: 1_000_000_000).partialValue),
                    version: found.version))
        case .sceneFolder(let path):
            let names = try roots.list(path)
            // Whether an entry is a folder, the reader asks when it matters.
            return .folder(
                names.prefix(BulkReply.entryLimit).map { SceneEntry(name: $0, isFolder: false) },
                isWhole: names.count <= BulkReply.entryLimit)
        default: return .absent
        }
    }

    /// What the asker is told of a refusal: of what it may not read, only that there is nothing.
    static func reply(_ refusal: SceneRefusal) -> BulkReply {
        switch refusal {
        case .outside, .detour, .absent, .wrongKind: .absent
        case .changed, .unreadable: .refused(reason: "\(refusal)")
        }
    }

    /// Hands an item's bytes to `take` in pieces of at most `pieceBytes`; closes its file.
    ///
    /// - Returns: false when the file ended or failed before its length.
    static func read(_ source: Source, pieceBytes: Int, take: ([UInt8]) throws -> Void) rethrows -> Bool {
        switch source {
        case .bytes(let bytes):
            for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
                try take(Array(bytes[start..<min(start + pieceBytes, bytes.count)]))
            }
            return true
        case .file(let descriptor, let offset, let length):
            defer { close(descriptor) }
            var place = 0
            while place < length {
                let wanted = min(pieceBytes, length - place)
                let start = off_t(offset + place)
                let piece = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
                    var found = 0
                    repeat {
                        found = pread(descriptor, buffer.baseAddress!, wanted, start)
                    } while found < 0 && errno == EINTR
                    count = max(0, found)
                }
                guard !piece.isEmpty else { return false }
                try take(piece)
                place += piece.count
            }
            return true
        }
    }
}
