import Foundation
import NIOCore
import Sodium

/// One output on its way to this machine's disk: into a hidden file beside its place, continued where it
/// ended, put in its place when it is whole.
struct FileTransfer {
    /// Attempts in a row that bring no byte before the transfer is given up.
    static let vainAttempts = 3

    private let client: ClusterClient
    private let output: OutputReport
    private let path: String
    private let part: String

    init(_ client: ClusterClient, _ output: OutputReport, to path: String) {
        (self.client, self.output, self.path) = (client, output, path)
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        // The checksum stands in the name: what is left of other content is never continued.
        let stamp = output.checksum.map { String($0.suffix(12)) } ?? "unknown"
        part = "\(path[..<slash])/.\(path[path.index(after: slash)...]).\(stamp).part"
    }

    /// - Parameter progress: called with the bytes that are here.
    /// - Returns: the file's bytes, and whether it was here before.
    func run(_ progress: (Int) -> Void) async throws -> (bytes: Int, wasHere: Bool) {
        if let size = try Self.size(path), output.checksum != nil, try matches(path, size) {
            progress(size)
            return (size, true)
        }
        var damaged: Set<NodeURL> = []
        while true {
            let node = try await fill(progress)
            let size = try Self.size(part) ?? 0
            if try matches(part, size) {
                try Self.synced(part)
                guard rename(part, path) == 0 else { throw Self.failure(path) }
                return (size, false)
            }
            // Whether the disk, an earlier node or this one is to blame is not known: all of it once more.
            unlink(part)
            guard damaged.insert(node).inserted, damaged.count <= client.nodes.count else {
                throw ClientError.file(
                    "\(path) does not match its checksum, also not when it is fetched again from \(node); "
                        + "the node's copy may be damaged: fetch from another node, or resume the job")
            }
            if damaged.count > 1 || client.nodes.count > 1 { client.skip(node) }
        }
    }

    /// Asks for what is missing until the node says that it is all.
    ///
    /// - Returns: the node that sent the end.
    private func fill(_ progress: (Int) -> Void) async throws -> NodeURL {
        var vain = 0
        while true {
            let had = try Self.size(part) ?? 0
            var call = ClusterClient.Call(output.href)
            call.isSlow = true
            if had > 0 { call.fields["Range"] = "bytes=\(had)-" }
            let answer = try await client.send(call)
            if answer.status == 416 {
                // Nothing is left to send: the checksum tells whether it is right.
                return answer.node
            }
            do {
                try await append(answer, from: answer.status == 206 ? had : 0, progress)
                return answer.node
            } catch let silent as ClusterClient.Silence {
                vain = try Self.size(part) ?? 0 > had ? 0 : vain + 1
                guard vain < Self.vainAttempts else {
                    throw ClientError.noNode(["\(answer.node): \(silent.reason)"])
                }
                client.skip(answer.node)
            }
        }
    }

    private func append(_ answer: ClusterClient.Answer, from start: Int, _ progress: (Int) -> Void)
        async throws
    {
        let file = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Self.failure(part) }
        defer { close(file) }
        guard ftruncate(file, off_t(start)) == 0, lseek(file, 0, SEEK_END) == off_t(start) else {
            throw Self.failure(part)
        }
        var place = start
        var pieces = answer.body.makeAsyncIterator()
        while true {
            let piece: ByteBuffer?
            do {
                piece = try await pieces.next()
            } catch {
                throw ClusterClient.meaning(of: error)
            }
            guard let piece else { return }
            try piece.withUnsafeReadableBytes { try Self.write($0, to: file, part) }
            place += piece.readableBytes
            progress(place)
        }
    }

    // MARK: The disk

    /// Whether the file has the size and the checksum that were promised.
    private func matches(_ path: String, _ size: Int) throws -> Bool {
        if let expected = output.size, expected != size { return false }
        guard let checksum = output.checksum else { return true }
        return try Multihash.blake2b(ofFile: path) == checksum.lowercased()
    }

    /// Bytes of a file; nil when there is none.
    private static func size(_ path: String) throws -> Int? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw ClientError.file("\(path) is no file; move it away, or give another folder with --out")
        }
        return Int(facts.st_size)
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to file: Int32, _ path: String) throws {
        var done = 0
        while done < bytes.count {
            let count = Foundation.write(file, bytes.baseAddress! + done, bytes.count - done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path) }
            done += count
        }
    }

    private static func synced(_ path: String) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> ClientError {
        .file(
            "cannot write \(path): \(String(cString: strerror(errno))); free some space or check the disk, "
                + "then fetch again: what is here is kept")
    }
}

/// Checksums as STAC writes them: a multihash in hexadecimal
/// (https://github.com/multiformats/multicodec).
enum Multihash {
    /// 0xb220 (BLAKE2b-256) as a varint, the length, the digest.
    static func blake2b(ofFile path: String) throws -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw ClientError.file("cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        let hash = Blake2b(digestSize: 32)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = read(file, buffer.baseAddress!, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw ClientError.file("cannot read \(path): \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        return "a0e40220" + hash.finish().map { String(format: "%02x", $0) }.joined()
    }
}
