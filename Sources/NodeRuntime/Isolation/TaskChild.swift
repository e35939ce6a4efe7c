import Engine
import Foundation
import Raster
import TileStore

/// The child process that renders one task: `arbutus render-task`, which only a node starts.
public enum TaskChild {
    /// Takes the order from the socket that is standard input, renders, and reports.
    ///
    /// - Throws: `RuntimeError` when no node has started this process.
    public static func run() throws {
        let channel = ChildChannel(socket: 0)
        do {
            guard let (order, content) = try channel.next(ChildChannel.Order.self),
                case .render(let work) = order
            else { throw ChildChannel.Ended() }
            let files = PeerFileSystem.begin(ParentFiles(channel), cacheBytes: work.cacheBytes)
            defer { PeerFileSystem.end(files) }
            try channel.send(report(work, content, channel))
        } catch is ChildChannel.Ended {
            throw RuntimeError("render-task is a part of arbutus node; start a node instead")
        }
    }

    private static func report(_ work: ChildChannel.Work, _ content: [UInt8], _ channel: ChildChannel)
        -> ChildChannel.Report
    {
        do {
            let job = try JobContent(reading: content).job
            let store = try TileStore(folder: work.store, limit: .max)
            let open = OpenJob(job, cacheBytes: work.cacheBytes) { file in
                let address = work.addresses[file.address] ?? file.address
                // The number of the node's own source of files means nothing here.
                return PeerAddress.split(address).flatMap { PeerAddress.reaching($0.plain, on: $0.node) }
                    ?? address
            }
            guard job.plan.tasks.indices.contains(work.task) else {
                return .failed("the plan has no task \(work.task)")
            }
            let outcome = try TaskPool.renderOnce(work.task, of: open, into: store) { blocks in
                // A node that is gone needs no blob.
                do { try channel.send(ChildChannel.Report.progress(blocks)) } catch { exit(1) }
            }
            return switch outcome {
            case .finished(_, _, let bytesRead): .finished(bytesRead: bytesRead)
            case .unreadable(let sentences): .unreadable(sentences)
            case .failed(let reason): .failed(reason)
            case .noRoom(let reason): .noRoom(reason)
            case .stopped: .failed("stopped")
            }
        } catch {
            return .failed("\(error)")
        }
    }
}

/// Peers' files, by way of the node that started this process.
private final class ParentFiles: PeerFileSource, @unchecked Sendable {
    private let channel: ChildChannel
    private let lock = NSLock()

    init(_ channel: ChildChannel) { self.channel = channel }

    func status(node: String, path: String) throws -> PeerFileStatus? {
        guard case .status(let status) = try ask(.status(node: node, path: path)).0 else { throw mixedUp }
        return status?.known
    }

    func read(node: String, path: String, version: UInt64, offset: Int, count: Int) throws -> [UInt8] {
        let question = ChildChannel.Report.read(
            node: node, path: path, version: version, offset: offset, count: count)
        let (order, bytes) = try ask(question)
        guard case .bytes = order else { throw mixedUp }
        return bytes
    }

    func list(node: String, path: String) throws -> [String] {
        guard case .names(let names) = try ask(.list(node: node, path: path)).0 else { throw mixedUp }
        return names
    }

    private var mixedUp: RuntimeError { RuntimeError("the node answers another question than the one asked") }

    private func ask(_ question: ChildChannel.Report) throws -> (ChildChannel.Order, [UInt8]) {
        try lock.withLock {
            try channel.send(question)
            guard let answer = try channel.next(ChildChannel.Order.self) else { throw ChildChannel.Ended() }
            if case .refused(let reason) = answer.0 { throw RuntimeError(reason) }
            return answer
        }
    }
}
