import Catalog
import Cluster
import Engine
import Foundation
import Logging
import Raster
import Sodium
import Synchronization
import TileStore
import Transport
import Wire

/// A node of the cluster: the protocol's thread, the network, the disk and the workers, tied together. It
/// decides nothing: what happened goes into the protocol, what the protocol asks for is carried out.
public final class ClusterNode: @unchecked Sendable {
    /// How a node is made.
    public struct Setup: Sendable {
        /// What people call it; the protocol does not know it.
        public var name: String
        /// Journal, key and tile store.
        public var data: String
        public var listen: Address
        /// Told to others; nil: the address that they see.
        public var advertise: Address?
        public var seeds: [Address]
        /// The cluster's secret, 16 to 64 bytes.
        public var secret: [UInt8]
        public var limits: MachineLimits
        /// The folder of finished mosaics.
        public var outputs: String
        /// Bytes of the tile store; nil: its default.
        public var storeLimit: Int?
        /// Folders from which other nodes may read scene files.
        public var sceneRoots: [String] = []
        public var logger: Logger
        /// The command that renders a task in a process of its own, with the program's path first.
        public var childCommand = TaskIsolation.ownCommand
        /// Whether this node looks for a scene file on its own disk. For tests, in which nodes share one.
        var sees: @Sendable (String) -> Bool = { _ in true }
        /// What names this node's engine. For tests, in which nodes share one.
        var fingerprint: @Sendable () throws -> String = { try EngineFingerprint().text }

        public init(
            name: String = "", data: String, listen: Address, seeds: [Address], secret: [UInt8],
            limits: MachineLimits,
            outputs: String, logger: Logger
        ) {
            (self.data, self.listen, self.seeds, self.secret) = (data, listen, seeds, secret)
            (self.name, self.limits, self.outputs, self.logger) = (name, limits, outputs, logger)
        }
    }

    /// This node's name in the protocol.
    public let id: NodeID
    let logger: Logger
    let shell: JobShell
    let outputs: OutputStore
    let waiters = Waiters()
    let answers: NodeAnswers
    let grids = Mutex<[Digest: JobGrid]>([:])
    /// Threads that wait for other nodes' answers, or for pixels.
    let asking = TransferQueue(atOnce: 8)
    private let folder: DataFolder
    private let journal: NodeJournal
    private let disk = DispatchQueue(label: "arbutus facts")
    /// Who ever was a member: a key that denying narrowed admits these, so that they can be given the next.
    private let knownMembers: Mutex<Set<NodeID>>
    private let serving = TransferQueue(atOnce: 8)
    let uplink: UplinkWatch
    let parts: Ties
    let instructions = PeerInstructions()
    let keyRequests = Turnstile()
    let tally = NodeTally()
    let madeLog: MadeLog
    let recomputations: Recomputations
    let diary: NodeDiary
    /// A key of the key file that the journal does not know: installed at the start.
    private let keyAtStart: KeyRequest?
    /// Every seed was tried.
    let readiness = Mutex(false)
    let storeCount = Mutex<(usage: TileStore.Usage, at: ContinuousClock.Instant)?>(nil)
    /// An operator drains this node.
    let isLeaving = Mutex(false)
    /// Threads that wait for what other nodes do.
    let operations = DispatchQueue(label: "arbutus operations", attributes: .concurrent)
    /// Under which GDAL knows our way to peers' files.
    private let source: UInt64
    private let setup: Setup
    /// What the disk knew of earlier starts.
    private let lastEpoch: UInt32
    private let makeNode: (Address) -> Node

    /// What is known only after everything exists: set once, before the start.
    final class Ties: @unchecked Sendable {
        var loop: NodeLoop?
        var wires: NodeWires?
        var transport: Transport?
        var bulk: BulkClient?
        /// Where the web API is.
        let web = Mutex<String?>(nil)
    }

    func setWeb(_ address: String) { parts.web.withLock { $0 = address } }

    /// Opens folder, key, journal and store; nothing is on the network yet.
    ///
    /// - Throws: a sentence: the folder is in use or cannot be written, the key file is damaged, the secret
    ///   has an impossible size.
    public init(_ setup: Setup) throws {
        self.setup = setup
        logger = setup.logger
        try setup.check()
        diary = NodeDiary(setup.logger)
        folder = try DataFolder(setup.data)
        let keyFile = NodeKeyFile(path: folder.path("node.key"), machine: NodeKeyFile.machineName())
        let (identity, origin) = try keyFile.load()
        logger.info("\(origin)", metadata: ["id": "\(identity.id)"])
        id = identity.id
        let journal = try Self.journal(folder.path("journal.sqlite"), isOldNode: origin == .kept, logger)
        self.journal = NodeJournal(journal: journal, logger: logger)
        let store = try TileStore(folder: folder.path("store"), limit: setup.storeLimit)
        outputs = try OutputStore(folder: setup.outputs)
        let fingerprint = try setup.fingerprint()
        let keys = KeyTable(first: SealingKeys.name(of: setup.secret), secret: setup.secret)
        let persisted = try self.journal.persisted(firstKey: keys)
        knownMembers = Mutex(Set(persisted.peers.map(\.id)))
        lastEpoch = persisted.epoch
        let sealing = SealingKeys(persisted.keys, members: Set(persisted.peers.map(\.id)))
        keyAtStart = diary.keyFile(keys, beside: persisted.keys)
        let start = StartID(bits: RandomBytes.number())
        let ties = Ties()
        parts = ties
        madeLog = MadeLog(journal: journal, logger: logger)
        let meter = LinkMeter { ties.loop?.post(.job(.linkMeasured($0))) }
        let bulk = BulkClient(tally: tally, meter: meter) { peer in ties.dialBulk(peer) }
        ties.bulk = bulk
        let roots = SceneRoots(setup.sceneRoots)
        let files = PeerScenes(own: identity.id, roots: roots, peers: bulk)
        source = PeerFileSystem.begin(files)
        let finder = SceneFinder(
            own: identity.id, roots: roots, sees: setup.sees, peers: bulk,
            members: { ties.liveMembers() }, files: files, source: source)
        let engine = ClusterEngine(
            fingerprint: Digest(of: Array(fingerprint.utf8)), slots: setup.limits.threads,
            memory: setup.limits.memory)
        let room = ties.room(setup, store, engine)
        shell = JobShell(
            JobShell.Parts(
                own: identity.id, journal: journal, store: store, outputs: outputs, peers: bulk,
                limits: setup.limits, fingerprint: fingerprint, scenes: finder,
                isolation: TaskIsolation(command: setup.childCommand, store: store, files: files),
                ledger: try TaskLedger(folder: setup.data), room: room,
                encode: { WireHeader.encode($0) }, logger: logger)
        ) { [tally, madeLog] event in
            tally.note(event)
            madeLog.note(event)
            ties.loop?.post(.job(event))
        }
        recomputations = Recomputations(shell, folder: folder.path("verify"))
        answers = ties.makeAnswers(own: identity.id, name: setup.name, shell: shell, setup.limits)
        let items = LocalItems(
            journal: journal, store: store, outputs: outputs, roots: roots,
            answer: { [answers] in try answers.answer($0) })
        let options = Transport.Options(
            identity: identity, start: start, keys: sealing, listen: setup.listen)
        uplink = UplinkWatch(logger: logger) { ties.loop?.post(.job(.saturated($0))) }
        let transport = ties.transport(options, bulk) {
            [serving, instructions, tally, uplink, logger] link in
            BulkServer(
                link, items: items, instructions: instructions, tally: tally, threads: serving,
                uplink: uplink, logger: logger)
        }
        ties.transport = transport
        ties.wires = NodeWires(
            identity: identity, transport: transport, tally: tally, diary: diary, logger: logger)
        makeNode = { setup.node(identity.id, start, at: $0, engine, persisted) }
        ties.loop = NodeLoop { [weak self] effect, loop in self?.perform(effect, loop) }
    }

    /// Listens and joins the cluster.
    ///
    /// - Returns: the port of TCP and UDP.
    /// - Throws: `ListenFailure` as a sentence.
    public func start() async throws -> Int {
        guard let transport = parts.transport, let loop = parts.loop else {
            preconditionFailure("a node without its parts")
        }
        let port = try await transport.open()
        parts.wires?.listens(at: port)
        let own = setup.advertise ?? setup.listen.specific(port: port) ?? Address("")
        instructions.serve(self)
        loop.start(makeNode(own))
        answers.live.start()
        if let keyAtStart { loop.post(.keys(keyAtStart)) }
        for event in try journal.restored({ [shell] in shell.restored($0, of: $1) }) {
            loop.post(.job(event))
        }
        for deaths in shell.parts.ledger.count() {
            logger.warning(
                "an earlier process of this node died with tasks of job \(deaths.job) at work",
                metadata: ["tasks": "\(deaths.tasks.keys.sorted().map { "\($0)" }.joined(separator: " "))"])
            loop.post(.job(.died(deaths.job, plan: deaths.plan, deaths.tasks)))
        }
        return port
    }

    /// Takes leave of the cluster, stops the work and closes everything.
    public func shutDown(_ farewell: Farewell = .restarting) async {
        parts.loop?.post(.shutDown(farewell))
        await waiters.ended(within: 3)
        answers.live.stop()
        parts.loop?.stop()
        parts.bulk?.shutDown()
        answers.pictures.shutDown()
        asking.shutDown()
        recomputations.shutDown()
        shell.shutDown()
        PeerFileSystem.end(source)
        madeLog.flush()
        serving.shutDown()
        await uplink.shutDown()
        await parts.transport?.shutDown()
        disk.sync {}
        do { try journal.journal.close() } catch { logger.warning("\(error)") }
        folder.release()
        waiters.depart(.shutDown)
    }

    /// Looks at the node between two of its steps.
    func look<T: Sendable>(_ question: @escaping @Sendable (Node) -> T) async -> T {
        await withCheckedContinuation { continuation in
            guard let loop = parts.loop else { preconditionFailure("a node without its loop") }
            loop.ask { continuation.resume(returning: question($0)) }
        }
    }

    func post(_ event: JobEvent) { parts.loop?.post(.job(event)) }

    func post(_ input: Input) { parts.loop?.post(input) }

    // MARK: Effects

    private func perform(_ effect: Effect, _ loop: NodeLoop) {
        switch effect {
        case .sendDatagram(let datagram, let address): parts.wires?.send(datagram, to: address)
        case .lookUp(let address): parts.transport?.forget(address)
        case .sendFrame(let frame, let peer): parts.wires?.send(frame, to: peer)
        case .dial(let target): parts.wires?.dial(target)
        case .closeLink(let peer): parts.transport?.close(peer)
        case .sign(let claim): if let record = parts.wires?.sign(claim) { loop.post(.signed(record)) }
        case .persist(let fact, let ticket): disk.async { self.write(fact, ticket, loop) }
        case .publish(let change):
            knownMembers.withLock { _ = $0.insert(change.id) }
            published(change, loop)
            parts.bulk?.memberChanged(change.id, to: change.standing)
            answers.memberChanged(change)
        case .useKeys(let keys):
            parts.transport?.use(SealingKeys(keys, members: knownMembers.withLock { $0 }))
        case .keysRefused(let refusal): keysRefused(refusal)
        case .job(let action): perform(action)
        case .jobRefused(let job, let reason): waiters.refused(job, reason)
        case .ready:
            readiness.withLock { $0 = true }
            logger.info("ready: every seed was tried")
        case .dropped(let peer, let reason): logger.debug("a message of node \(peer) was dropped: \(reason)")
        case .exit(let reason):
            if reason != .farewellSaid { logger.error("this node stops: \(reason.sentence)") }
            waiters.exited(reason)
        }
    }

    private func write(_ fact: DurableFact, _ ticket: UInt64, _ loop: NodeLoop) {
        do {
            try journal.write(fact)
            if case .epoch(let epoch) = fact, epoch > lastEpoch + 1 {
                logger.warning(
                    """
                    other nodes know of \(epoch - 1) starts of this node and its disk knows of \
                    \(lastEpoch), as after a snapshot was restored: it goes on as start \(epoch)
                    """)
            }
            if ticket != 0 { loop.post(.persisted(ticket)) }
        } catch {
            logger.error("\(error)")
            if ticket != 0 { loop.post(.persistFailed(ticket)) }
        }
    }

    private func perform(_ action: JobAction) {
        switch action {
        case .acknowledged(let job, let copies): waiters.acknowledged(job, copies)
        case .answered(_, let number, let answer): waiters.answered(number, answer)
        case .conflict(let job, let task, let one, let other):
            logger.error("job \(job): task \(task) has two digests, \(one) and \(other); the job fails")
        case .drop(let peer, let reason):
            logger.warning("the session with node \(peer) is closed: \(reason)")
            parts.transport?.close(peer)
        case .changed(let header):
            diary.job(header)
            shell.perform(action)
        case .forget(let job):
            diary.forgot(job)
            madeLog.forget(job)
            shell.perform(action)
        default: shell.perform(action)
        }
    }
}

extension ClusterNode.Setup {
    /// The protocol's value of this node.
    fileprivate func node(
        _ id: NodeID, _ start: StartID, at address: Address, _ engine: ClusterEngine, _ persisted: Persisted
    ) -> Node {
        Node(
            Membership.Identity(id: id, start: start, address: address, engine: engine),
            persisted: persisted, seeds: seeds, generator: SeededGenerator(seed: RandomBytes.number()))
    }
}

extension Address {
    /// The address with the port that was really taken; nil when it stands for every address of the machine,
    /// so that others have to say which one they see.
    func specific(port: Int) -> Address? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let host = text[..<colon]
        return ["0.0.0.0", "[::]", "::", "*", ""].contains(host) ? nil : Address("\(host):\(port)")
    }

    /// The same host with another port.
    func with(port: Int) -> Address {
        guard let colon = text.lastIndex(of: ":") else { return self }
        return Address("\(text[..<colon]):\(port)")
    }
}

extension ClusterNode.Ties {
    /// A transport's event, on its thread.
    func heard(_ event: TransportEvent) {
        guard let wires else { return }
        switch wires.meaning(of: event) {
        case .input(let input): loop?.post(input)
        case .bulkFailed(let peer): bulk?.linkFailed(peer)
        case .nothing: break
        }
    }

    /// Members that are alive; none when the protocol's thread does not answer, as at the end.
    func liveMembers() -> [NodeID] {
        let members = Awaited<[NodeID]>()
        loop?.ask { node in
            members.give(.success(node.membership.table.rows.filter { $0.standing == .alive }.map(\.id)))
        }
        guard case .success(let found?) = Result(catching: { try members.wait(seconds: 5) }) else {
            return []
        }
        return found
    }

    /// Dials a bulk link to a member at the address of its record.
    func dialBulk(_ peer: NodeID) {
        loop?.ask { [self] node in
            guard let address = node.membership.table[peer]?.record.claim.address, !address.text.isEmpty
            else {
                bulk?.linkFailed(peer)
                return
            }
            wires?.dialBulk(peer, at: address)
        }
    }
}
