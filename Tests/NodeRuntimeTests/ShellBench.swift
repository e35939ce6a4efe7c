import Catalog
import Cluster
import Engine
import Foundation
import Logging
import Mosaic
import Raster
import Synchronization
import Testing
import TileStore
import Transport
import Wire

@testable import NodeRuntime

/// One node's disk and shell, and what it told the protocol.
final class ShellBench: @unchecked Sendable {
    let id: NodeID
    let folder: String
    let items: LocalItems
    let shell: JobShell
    private let condition = NSCondition()
    private var events: [JobEvent] = []

    /// - Parameters:
    ///   - roots: what others may read here.
    ///   - sees: whether it finds scenes on its own disk, which all benches share.
    ///   - members: the others, as its protocol would know them.
    init(
        _ number: UInt64, in folder: String, peers: Peers, roots: [String]? = nil, sees: Bool = true,
        members: [UInt64] = [], child: [String] = TaskIsolation.ownCommand,
        storeLimit: Int = 1 << 30, memory: Int = 1 << 30
    ) throws {
        id = NodeID(short: number)
        self.folder = "\(folder)/\(number)"
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        let journal = try Journal(path: self.folder + "/journal.sqlite")
        let store = try TileStore(folder: self.folder + "/store", limit: storeLimit)
        let outputs = try OutputStore(folder: self.folder + "/mosaics")
        let roots = SceneRoots(roots ?? [folder])
        items = LocalItems(
            journal: journal, store: store, outputs: outputs, roots: roots, answer: { _ in nil })
        let files = PeerScenes(own: id, roots: roots, peers: peers)
        let relay = Relay()
        let room = RoomWatch(store: store, logger: Logger(label: "test"), isEnough: { false }, tell: { _ in })
        shell = JobShell(
            JobShell.Parts(
                own: id, journal: journal, store: store, outputs: outputs, peers: peers,
                limits: MachineLimits(threads: 2, memory: memory), fingerprint: "engine under test",
                scenes: SceneFinder(
                    own: id, roots: roots, sees: { _ in sees }, peers: peers,
                    members: { members.map(NodeID.init(short:)) }, files: files,
                    source: PeerFileSystem.begin(files, cacheBytes: 8 << 20)),
                isolation: TaskIsolation(command: child, store: store, files: files),
                ledger: try TaskLedger(folder: self.folder), room: room, encode: { Array($0.title.utf8) },
                logger: Logger(label: "test"))
        ) { relay.send($0) }
        relay.set { [unowned self] event in
            condition.withLock {
                events.append(event)
                condition.broadcast()
            }
        }
        peers.add(self)
    }

    /// Waits for an event for which `pick` gives a value.
    func wait<T>(_ pick: (JobEvent) -> T?) throws -> T {
        let end = Date(timeIntervalSinceNow: 30)
        return try condition.withLock {
            while true {
                for event in events { if let found = pick(event) { return found } }
                guard condition.wait(until: end) else {
                    throw RuntimeError("no such event came; there were \(events)")
                }
            }
        }
    }

    /// Takes a request as its node's protocol would have it, and plans it.
    ///
    /// - Throws: why not, when it cannot be planned.
    func plan(_ request: MosaicRequest, as job: JobID) throws -> ClusterPlan {
        let digest = try shell.contents.keep(Array(try JSONEncoder().encode(request)), of: job)
        let header = JobHeader(
            id: job, title: "trial", request: digest, term: Term(counter: 1, node: id, start: 1))
        shell.perform(.persist(header, contentFrom: nil))
        shell.perform(.plan(job, .first, fingerprint: Digest(of: Array("engine under test".utf8))))
        let result: Result<ClusterPlan, RuntimeError> = try wait { event in
            switch event {
            case .planned(job, _, let plan): .success(plan)
            case .planFailed(job, _, let reason): .failure(RuntimeError(reason))
            default: nil
            }
        }
        return try result.get()
    }

    /// Renders a task.
    ///
    /// - Returns: why it failed; nil when it did not.
    func render(_ task: TaskID, of plan: ClusterPlan, as job: JobID, isolated: Bool = false) throws
        -> FailureKind?
    {
        condition.withLock { events = [] }
        shell.perform(.start(job, task, plan: plan.digest, isolated: isolated))
        return try wait { event -> FailureKind?? in
            switch event {
            case .finished(job, _, let result) where result.task == task: .some(nil)
            case .failed(job, _, task, let kind): kind
            default: nil
            }
        }
    }

    private final class Relay: @unchecked Sendable {
        private let lock = NSLock()
        private var target: ((JobEvent) -> Void)?

        func set(_ target: @escaping (JobEvent) -> Void) { lock.withLock { self.target = target } }
        func send(_ event: JobEvent) { lock.withLock { target }?(event) }
    }

    /// Copies straight from the other node's disk; a node that was cut off cannot be reached.
    final class Peers: PeerFiles, @unchecked Sendable {
        private let lock = NSLock()
        private var items: [NodeID: LocalItems] = [:]
        private var asked = 0
        private var strike: (@Sendable () -> Void)?

        func add(_ bench: ShellBench) { lock.withLock { items[bench.id] = bench.items } }
        func cut(_ node: NodeID) { lock.withLock { items[node] = nil } }
        /// Called before each copy.
        func beforeCopy(_ strike: @escaping @Sendable () -> Void) { lock.withLock { self.strike = strike } }
        /// Questions about scenes so far.
        var questions: Int { lock.withLock { asked } }

        func copy(
            _ item: BulkRequest, from node: NodeID, limit: Int, take: (UnsafeRawBufferPointer) throws -> Void
        ) throws {
            lock.withLock { strike }?()
            guard let items = lock.withLock({ items[node] }) else { throw BulkFailure.unreachable(node) }
            let found = Result { try items.open(item) }
            if case .failure(let refusal as SceneRefusal) = found {
                guard case .refused(let reason) = LocalItems.reply(refusal) else {
                    throw BulkFailure.absent(node)
                }
                throw BulkFailure.refused(node, reason)
            }
            guard let source = try found.get() else { throw BulkFailure.absent(node) }
            guard source.length <= limit else { throw BulkFailure.tooLarge(node) }
            #expect(try LocalItems.read(source, pieceBytes: 1000) { try $0.withUnsafeBytes(take) })
        }

        func reply(_ request: BulkRequest, from node: NodeID) throws -> BulkReply {
            lock.withLock { asked += 1 }
            guard let items = lock.withLock({ items[node] }) else { throw BulkFailure.unreachable(node) }
            do throws(SceneRefusal) {
                return try LocalItems.answer(request, items.roots)
            } catch {
                return LocalItems.reply(error)
            }
        }
    }
}
