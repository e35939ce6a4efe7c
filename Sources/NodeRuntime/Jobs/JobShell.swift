import Catalog
import Cluster
import Engine
import Foundation
import Logging
import Mosaic
import Synchronization
import TileStore

/// Does what the protocol asks for its jobs: plans, renders, copies, assembles, and writes down. Each request
/// goes to a queue of its kind and is answered by an event, so that the protocol's thread never waits.
final class JobShell: @unchecked Sendable {
    /// What the shell works with.
    struct Parts {
        let own: NodeID
        let journal: Journal
        let store: TileStore
        let outputs: OutputStore
        let peers: any PeerFiles
        let limits: MachineLimits
        /// This node's engine, as text.
        let fingerprint: String
        /// Scene files on nodes' disks.
        let scenes: SceneFinder
        /// Renders tasks that processes died of.
        let isolation: TaskIsolation
        /// What is at work, on disk.
        let ledger: TaskLedger
        let room: RoomWatch
        /// A header as the journal keeps it.
        let encode: @Sendable (JobHeader) -> [UInt8]
        let logger: Logger
    }

    /// What the shell knows of one job in work.
    struct Work {
        var request: Digest?
        /// The plan whose tasks run here.
        var open: (plan: Digest, job: OpenJob)?
        var pins: Set<Digest> = []
        let stop = StopSignal()
    }

    let parts: Parts
    let contents: JobContents
    let pool: TaskPool
    private let post: @Sendable (JobEvent) -> Void
    let state = Mutex<[JobID: Work]>([:])
    private let disk = DispatchQueue(label: "arbutus journal")
    private let planning = DispatchQueue(label: "arbutus planning")
    private let assembling = DispatchQueue(label: "arbutus assembly")
    let transfers: TransferQueue

    /// - Parameter post: takes events to the protocol; from any thread.
    init(_ parts: Parts, post: @escaping @Sendable (JobEvent) -> Void) {
        self.parts = parts
        self.post = post
        contents = JobContents(journal: parts.journal, peers: parts.peers)
        pool = TaskPool(threads: parts.limits.threads, store: parts.store)
        transfers = TransferQueue(atOnce: 4)
    }

    /// Carries out an action without waiting.
    func perform(_ action: JobAction) {
        switch action {
        case .persist(let header, let source):
            note(header)
            disk.async { self.persist(header, from: source) }
        case .persistResults(let job, let plan, let results):
            disk.async { self.persist(results, plan, job) }
        case .plan(let job, let run, let fingerprint):
            planning.async { self.plan(job, run, fingerprint) }
        case .fetchPlan(let job, let digest, let nodes): fetchPlan(digest, job, nodes, attempt: 0)
        case .start(let job, let task, let plan, let isolated): start(task, job, plan, isolated: isolated)
        case .stop(let job, let task): stop(task, job)
        case .pull(let job, let plan, let result, let nodes):
            transfers.add { self.pull(result, job, plan, nodes) }
        case .discard(let job, let plan, let task):
            if let key = key(of: task, plan, job) { parts.store.remove(key) }
        case .assemble(let job, let run, let plan, let missing):
            assembling.async { self.assemble(job, run, plan, missing) }
        case .copyOutputs(let job, let digest, let node):
            transfers.add { self.copyOutputs(digest, job, from: node) }
        case .pin(let job, let plan, let isPinned): disk.async { self.pin(job, plan, isPinned) }
        case .forget(let job): disk.async { self.forget(job) }
        case .changed(let header): note(header)
        case .send, .exchange, .rumour, .acknowledged, .answered, .conflict, .drop: break
        }
    }

    /// Stops all work and returns when nothing runs any more.
    func shutDown() {
        for work in state.withLock({ Array($0.values) }) { work.stop.set() }
        parts.room.shutDown()
        pool.shutDown()
        transfers.shutDown()
        planning.sync {}
        assembling.sync {}
        disk.sync {}
    }

    // MARK: The journal

    private func persist(_ header: JobHeader, from source: NodeID?) {
        do {
            var plan: ClusterPlan?
            if let source {
                _ = try contents.bytes(header.request, of: header.id, from: [source])
                if let digest = header.reign.plan {
                    plan = try contents.plan(digest, of: header.id, from: [source]).plan
                }
            } else if let digest = header.reign.plan, try contents.bytes(digest) != nil {
                plan = try contents.plan(digest, of: header.id).plan
            }
            let finished = header.isLive ? nil : Date().timeIntervalSince1970
            try parts.journal.setJob(
                Journal.Job(id: header.id.bytes, header: parts.encode(header), finished: finished))
            post(.persisted(header, plan: plan))
        } catch {
            noteFull(error)
            post(.persistFailed(header, reason: "\(error)"))
        }
    }

    private func persist(_ results: [TaskResult], _ plan: Digest, _ job: JobID) {
        do {
            try parts.journal.addResults(
                results.map { Journal.Result(task: $0.task.index, digest: $0.digest.bytes) },
                plan: plan.bytes, of: job.bytes)
        } catch {
            noteFull(error)
            log("cannot write results of job \(job): \(error)")
        }
    }

    /// A journal without room is the node's state.
    private func noteFull(_ error: any Error) {
        if let error = error as? JournalError, error.isFull { parts.room.lost("\(error)") }
    }

    private func forget(_ job: JobID) {
        ended(job)
        parts.ledger.forget(job)
        do { try parts.journal.forgetJob(job.bytes) } catch { log("cannot forget job \(job): \(error)") }
    }

    // MARK: Plans

    private func plan(_ job: JobID, _ run: RunID, _ fingerprint: Digest) {
        do {
            guard fingerprint == Digest(of: Array(parts.fingerprint.utf8)) else {
                throw RuntimeError("the job is pinned to another engine than this node's")
            }
            guard let digest = state.withLock({ $0[job]?.request }) else {
                throw RuntimeError("the request of job \(job) is not known here; submit it again")
            }
            let bytes = try contents.bytes(digest, of: job, from: [])
            let request = try JSONDecoder().decode(MosaicRequest.self, from: Data(bytes))
            let found = try JobPlanner(request, owners: parts.scenes.owners(of: request)).plan()
            let (plan, owners) = try found.plain(own: "\(parts.own)")
            parts.scenes.warnOfUnshared(owners, logger: parts.logger)
            let content = JobContent(
                request: request, plan: plan, fingerprint: parts.fingerprint,
                owners: owners.compactMapValues { NodeID($0)?.short })
            let known = try contents.keep(content, of: job)
            post(.planned(job, run, known.plan))
        } catch {
            post(.planFailed(job, run, reason: parts.scenes.plain("\(error)")))
        }
    }

    private func fetchPlan(_ digest: Digest, _ job: JobID, _ nodes: [NodeID], attempt: Int) {
        transfers.add {
            do {
                let known = try self.contents.plan(digest, of: job, from: nodes)
                self.post(.planKnown(job, known.plan, blobs: self.blobs(of: known)))
            } catch {
                guard !self.stopSignal(of: job).isSet else { return }
                let pause = min(5, 0.25 * Double(1 << min(attempt, 5)))
                DispatchQueue.global().asyncAfter(deadline: .now() + pause) {
                    self.fetchPlan(digest, job, nodes, attempt: attempt + 1)
                }
            }
        }
    }

    /// The plan's blobs that lie in our store.
    func blobs(of known: JobContents.Known) -> [TaskResult] {
        known.engine.keys.enumerated().compactMap { number, key in
            parts.store.find(key, verify: false).map {
                TaskResult(task: TaskID(number), digest: Digest($0.digest))
            }
        }
    }

    /// A kept job's plan after a start, and its blobs, which a live job keeps; nil when the plan is not here.
    func restored(_ plan: Digest, of header: JobHeader) -> (plan: ClusterPlan, blobs: [TaskResult])? {
        guard case .success(let known) = Result(catching: { try contents.plan(plan, of: header.id) }) else {
            return nil
        }
        if header.isLive {
            note(header)
            pin(header.id, plan, true)
        }
        return (known.plan, blobs(of: known))
    }

    func key(of task: TaskID, _ plan: Digest, _ job: JobID) -> ContentHash? {
        guard let keys = contents.plan(inMemory: plan)?.engine.keys, keys.indices.contains(task.index) else {
            return nil
        }
        return keys[task.index]
    }

    // MARK: Bookkeeping

    /// Remembers what a header says of the job's contents; an ended job needs nothing more.
    private func note(_ header: JobHeader) {
        guard header.isLive else { return ended(header.id) }
        state.withLock { $0[header.id, default: Work()].request = header.request }
    }

    func stopSignal(of job: JobID) -> StopSignal { state.withLock { $0[job, default: Work()].stop } }

    /// The job needs nothing of this node any more.
    private func ended(_ job: JobID) {
        guard let work = state.withLock({ $0.removeValue(forKey: job) }) else { return }
        work.stop.set()
        disk.async {
            for plan in work.pins.sorted() { self.setPins(plan, job, false) }
            self.parts.ledger.forget(job)
        }
    }

    private func pin(_ job: JobID, _ plan: Digest, _ isPinned: Bool) {
        let isChange = state.withLock { state in
            isPinned
                ? state[job, default: Work()].pins.insert(plan).inserted
                : state[job]?.pins.remove(plan) != nil
        }
        if isChange { setPins(plan, job, isPinned) }
    }

    /// The same, from a worker that has a new blob: unless the job is over, its blobs stay from now on.
    func pinAtWork(_ job: JobID, _ plan: Digest) {
        let isNew = state.withLock { $0[job]?.pins.insert(plan).inserted ?? false }
        if isNew { setPins(plan, job, true) }
    }

    private func setPins(_ plan: Digest, _ job: JobID, _ isPinned: Bool) {
        guard case .success(let known) = Result(catching: { try contents.plan(plan, of: job) }) else {
            return
        }
        for key in known.engine.keys {
            if isPinned { parts.store.pin(key) } else { parts.store.unpin(key) }
        }
        if !isPinned { parts.store.collect() }
    }

    func answer(_ event: JobEvent) { post(event) }

    func log(_ sentence: String) { parts.logger.error("\(sentence)") }
}
