import Engine
import Foundation
import Raster
import TileStore

/// Renders a task in a child process, because processes died of it: a crash there costs the task and not the
/// node (PROTOCOL.md, section 4).
struct TaskIsolation: Sendable {
    /// The program and its arguments; in a node it is itself with a hidden command.
    let command: [String]
    let store: TileStore
    /// Answers the child's questions about peers' files; the child has no link of its own.
    let files: any PeerFileSource

    /// This program with the command that renders one task.
    static let ownCommand = ["/proc/self/exe", "render-task"]

    /// Renders, on the calling thread's time.
    ///
    /// - Parameters:
    ///   - content: the job's, as it goes between nodes.
    ///   - isStopped: asked a few times a second; true kills the child.
    /// - Throws: `RuntimeError` when the child cannot be started.
    func render(
        _ number: Int, of job: OpenJob, content: [UInt8], cacheBytes: Int, progress: (Int) -> Void,
        isStopped: () -> Bool
    ) throws -> TaskPool.Outcome {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw RuntimeError(
                "cannot make a socket for a child process: \(String(cString: strerror(errno)))")
        }
        let channel = ChildChannel(socket: ends[0])
        defer { channel.close() }
        let key = job.job.keys[number]
        // The child's own pin ends with it.
        store.pin(key)
        let started = ContinuousClock.now
        let child: ChildProcess
        do {
            defer { close(ends[1]) }
            child = try ChildProcess(command, input: ends[1])
        } catch {
            store.unpin(key)
            throw error
        }
        let work = ChildChannel.Work(
            task: number, store: store.folder, cacheBytes: cacheBytes, addresses: job.reachedElsewhere)
        let said = Result {
            try channel.send(ChildChannel.Order.render(work), content)
            return try converse(channel, progress, isStopped)
        }
        // Stopped, or talking nonsense; one that died is beyond it.
        switch said {
        case .success(nil), .failure: child.kill()
        case .success: break
        }
        let ending = child.wait()
        let outcome = outcome(said, ending, key, started)
        if case .finished = outcome {} else { store.unpin(key) }
        return outcome
    }

    /// Answers the child until it says how the task ended; nil when it is to be stopped.
    private func converse(_ channel: ChildChannel, _ progress: (Int) -> Void, _ isStopped: () -> Bool) throws
        -> ChildChannel.Report?
    {
        while !isStopped() {
            guard let (report, _) = try channel.next(ChildChannel.Report.self, within: 200) else { continue }
            switch report {
            case .progress(let blocks): progress(blocks)
            case .status(let node, let path):
                try answer(channel) {
                    let status = try files.status(node: node, path: path)
                    return (.status(status.map(ChildChannel.Status.init)), [])
                }
            case .list(let node, let path):
                try answer(channel) { (.names(try files.list(node: node, path: path)), []) }
            case .read(let node, let path, let version, let offset, let count):
                try answer(channel) {
                    let bytes = try files.read(
                        node: node, path: path, version: version, offset: offset, count: count)
                    return (.bytes, bytes)
                }
            case .finished, .unreadable, .failed, .noRoom: return report
            }
        }
        return nil
    }

    private func answer(_ channel: ChildChannel, _ body: () throws -> (ChildChannel.Order, [UInt8])) throws {
        switch Result(catching: body) {
        case .success(let (order, bytes)): try channel.send(order, bytes)
        case .failure(let error): try channel.send(ChildChannel.Order.refused("\(error)"))
        }
    }

    private func outcome(
        _ said: Result<ChildChannel.Report?, any Error>, _ ending: ChildProcess.Ending, _ key: ContentHash,
        _ started: ContinuousClock.Instant
    ) -> TaskPool.Outcome {
        switch said {
        case .success(.finished(let bytesRead)?):
            guard let entry = store.find(key) else {
                return .failed("the child process that rendered the task left no sound blob; \(ending)")
            }
            return .finished(
                entry, seconds: (ContinuousClock.now - started).inSeconds, bytesRead: bytesRead)
        case .success(.unreadable(let sentences)?): return .unreadable(sentences)
        case .success(.failed(let reason)?): return .failed(reason)
        case .success(.noRoom(let reason)?): return .noRoom(reason)
        case .success: return .stopped
        case .failure:
            return .failed(
                "the process that rendered the task died (\(ending)), as others had before; look for a "
                    + "damaged file among its scenes")
        }
    }
}

extension ChildChannel.Status {
    init(_ status: PeerFileStatus) {
        self.init(
            size: status.size, modified: status.modified, isFolder: status.isFolder, version: status.version)
    }

    var known: PeerFileStatus {
        PeerFileStatus(size: size, modified: modified, isFolder: isFolder, version: version)
    }
}
