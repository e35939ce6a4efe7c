import Catalog
import Cluster
import Engine
import Foundation
import Logging
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
        public var logger: Logger

        public init(
            data: String, listen: Address, seeds: [Address], secret: [UInt8], limits: MachineLimits,
            outputs: String, logger: Logger
        ) {
            (self.data, self.listen, self.seeds, self.secret) = (data, listen, seeds, secret)
            (self.limits, self.outputs, self.logger) = (limits, outputs, logger)
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
    private let serving = TransferQueue(atOnce: 8)
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
    private let setup: Setup
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
        diary = NodeDiary(setup.logger)
        guard SealingKeys.secretSizes.contains(setup.secret.count) else {
            throw RuntimeError(
                "the cluster key has \(setup.secret.count) bytes; make one with arbutus key new")
        }
        folder = try DataFolder(setup.data)
        let (identity, origin) = try NodeKeyFile(
            path: folder.path("node.key"), machine: NodeKeyFile.machineName()
        ).load()
        logger.info("\(origin)", metadata: ["id": "\(identity.id)"])
        id = identity.id
        let journal = try Journal(path: folder.path("journal.sqlite"))
        if let recovery = journal.recovery { logger.warning("\(recovery)") }
        self.journal = NodeJournal(journal: journal, logger: logger)
        let store = try TileStore(folder: folder.path("store"), limit: setup.storeLimit)
        outputs = try OutputStore(folder: setup.outputs)
        let fingerprint = try EngineFingerprint().text
        let keys = KeyTable(first: SealingKeys.name(of: setup.secret), secret: setup.secret)
        let persisted = try self.journal.persisted(firstKey: keys)
        keyAtStart = diary.keyFile(keys, beside: persisted.keys)
        let start = StartID(bits: RandomBytes.number())
        let ties = Ties()
        parts = ties
        madeLog = MadeLog(journal: journal, logger: logger)
        let bulk = BulkClient(tally: tally) { peer in ties.dialBulk(peer) }
        ties.bulk = bulk
        shell = JobShell(
            JobShell.Parts(
                own: identity.id, journal: journal, store: store, outputs: outputs, peers: bulk,
                limits: setup.limits, fingerprint: fingerprint, reach: { path, _ in path },
                encode: { WireHeader.encode($0) }, logger: logger)
        ) { [tally, madeLog] event in
            tally.note(event)
            madeLog.note(event)
            ties.loop?.post(.job(event))
        }
        recomputations = Recomputations(shell, folder: folder.path("verify"))
        answers = ties.makeAnswers(own: identity.id, shell: shell, setup.limits)
        let items = LocalItems(journal: journal, store: store, outputs: outputs) { [answers] in
            try answers.answer($0)
        }
        let transport = Transport(
            Transport.Options(
                identity: identity, start: start, keys: SealingKeys(persisted.keys), listen: setup.listen),
            bulk: { [serving, instructions, tally, logger] link in
                guard let dial = link.dial else {
                    return BulkServer(
                        link, items: items, instructions: instructions, tally: tally, threads: serving,
                        logger: logger)
                }
                ties.wires?.bulkStands(dial)
                return bulk.linkStands(link)
            }, report: { ties.heard($0) })
        ties.transport = transport
        ties.wires = NodeWires(
            identity: identity, transport: transport, tally: tally, diary: diary, logger: logger)
        makeNode = { setup.node(identity.id, start, at: $0, engine: fingerprint, persisted) }
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
        madeLog.flush()
        serving.shutDown()
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
        case .sendFrame(let frame, let peer): parts.wires?.send(frame, to: peer)
        case .dial(let target): parts.wires?.dial(target)
        case .closeLink(let peer): parts.transport?.close(peer)
        case .sign(let claim): if let record = parts.wires?.sign(claim) { loop.post(.signed(record)) }
        case .persist(let fact, let ticket): disk.async { self.write(fact, ticket, loop) }
        case .publish(let change):
            published(change, loop)
            answers.memberChanged(change)
        case .useKeys(let keys): parts.transport?.use(SealingKeys(keys))
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
    ///
    /// - Parameter engine: the fingerprint.
    fileprivate func node(
        _ id: NodeID, _ start: StartID, at address: Address, engine: String, _ persisted: Persisted
    ) -> Node {
        let engine = ClusterEngine(
            fingerprint: Digest(of: Array(engine.utf8)), slots: limits.threads, memory: limits.memory)
        return Node(
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
