import Foundation

/// What goes between a node and the child process that renders one task for it: messages with raw bytes
/// behind them, over a socket that only the two have.
final class ChildChannel: @unchecked Sendable {
    /// What a node tells the child.
    enum Order: Codable {
        /// Render this; the job's content follows raw.
        case render(Work)
        /// The answers to the child's questions; bytes of a range follow raw.
        case status(Status?)
        case names([String])
        case bytes
        case refused(String)
    }

    /// What the child tells the node.
    enum Report: Codable {
        case progress(Int)
        case status(node: String, path: String)
        case list(node: String, path: String)
        case read(node: String, path: String, version: UInt64, offset: Int, count: Int)
        /// The blob is in the store.
        case finished(bytesRead: Int)
        case unreadable([String])
        case failed(String)
        case noRoom(String)
    }

    /// One task, and where its blob goes.
    struct Work: Codable {
        var task: Int
        /// The folder of the tile store.
        var store: String
        var cacheBytes: Int
        /// Files that the node reads elsewhere than at their plain address.
        var addresses: [String: String]
    }

    /// A peer's file, as `PeerFileStatus` has it.
    struct Status: Codable {
        var size: Int
        var modified: Int
        var isFolder: Bool
        var version: UInt64
    }

    /// The other process is gone.
    struct Ended: Error {}

    /// Bytes of a message at most: more than the largest plan.
    private static let mostBytes = 96 << 20

    private let socket: Int32

    init(socket: Int32) { self.socket = socket }

    func close() { Foundation.close(socket) }

    /// - Throws: `Ended` when nobody listens any more.
    func send<M: Encodable>(_ message: M, _ bytes: [UInt8] = []) throws {
        let text = Array(try JSONEncoder().encode(message))
        try write(Self.size(text.count) + Self.size(bytes.count) + text)
        try write(bytes)
    }

    /// The next message; nil when none came in time.
    ///
    /// - Throws: `Ended` when the other process is gone or talks nonsense.
    func next<M: Decodable>(_ type: M.Type, within milliseconds: Int32 = -1) throws -> (M, [UInt8])? {
        var waited = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard poll(&waited, 1, milliseconds) != 0 else { return nil }
        let head = try read(8)
        let sizes = [head[..<4], head[4...]].map { $0.reversed().reduce(0) { $0 << 8 | Int($1) } }
        guard sizes.allSatisfy({ $0 <= Self.mostBytes }) else { throw Ended() }
        let text = try read(sizes[0])
        let bytes = try read(sizes[1])
        guard
            case .success(let message) = Result(catching: {
                try JSONDecoder().decode(M.self, from: Data(text))
            })
        else { throw Ended() }
        return (message, bytes)
    }

    private static func size(_ count: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(count).littleEndian) { Array($0) }
    }

    private func write(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let sent = bytes.withUnsafeBytes {
                Foundation.send(socket, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            if sent < 0, errno == EINTR { continue }
            guard sent > 0 else { throw Ended() }
            done += sent
        }
    }

    private func read(_ count: Int) throws -> [UInt8] {
        var isWhole = true
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { memory, filled in
            while filled < count {
                let got = recv(socket, memory.baseAddress! + filled, count - filled, 0)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else {
                    isWhole = false
                    return
                }
                filled += got
            }
        }
        guard isWhole else { throw Ended() }
        return bytes
    }
}
