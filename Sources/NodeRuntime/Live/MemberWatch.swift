import Cluster
import Engine
import Foundation
import Mosaic
import Synchronization

/// Changes of members' states, for whoever listens on this node.
final class MemberWatch: Sendable {
    private struct State {
        var listeners: [UInt64: AsyncStream<MemberNews>.Continuation] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    /// The changes from now on, until the task that reads them ends. Who is slow misses the oldest.
    func changes() -> AsyncStream<MemberNews> {
        AsyncStream(bufferingPolicy: .bufferingNewest(256)) { continuation in
            let number = state.withLock { state in
                state.next += 1
                state.listeners[state.next] = continuation
                return state.next
            }
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { $0.listeners[number] = nil }
            }
        }
    }

    func tell(_ news: MemberNews) {
        for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield(news) }
    }

    /// Ends all streams.
    func finish() {
        for listener in state.withLock({ Array($0.listeners.values) }) { listener.finish() }
    }
}

extension NodeAnswers {
    /// Tells a change to the jobs' streams and to whoever watches the members.
    func memberChanged(_ change: MemberChange) {
        let news = MemberNews(
            node: "\(change.id)", state: "\(change.standing)", epoch: change.version.epoch)
        live.memberChanged(news)
        members.tell(news)
    }
}

extension ClusterNode.Ties {
    /// Ties the answers to the node's parts.
    func makeAnswers(own: NodeID, name: String, shell: JobShell, _ limits: MachineLimits) -> NodeAnswers {
        let live = LiveJobs(contents: shell.contents) { [weak self] question in self?.loop?.ask(question) }
        let pictures = MosaicPictures(
            own: own, contents: shell.contents, store: shell.parts.store, outputs: shell.parts.outputs
        ) { [weak self] job in self?.lookNow { $0.jobs?.book[job] } ?? nil }
        let begin = MonotonicClock().now
        return NodeAnswers(live: live, pictures: pictures) { [weak self] in
            guard let work = self?.lookNow({ node in WorkNow(node) }) else { return nil }
            return NodeFacts(
                node: "\(own)", name: name.isEmpty ? nil : name, version: ArbutusVersion.string,
                load: NodeFacts.machineLoad,
                cores: ProcessInfo.processInfo.activeProcessorCount, memory: NodeFacts.residentBytes,
                memoryLimit: limits.memory, slots: limits.threads, running: work.running,
                queued: work.queued, coordinates: work.coordinates,
                uptime: (MonotonicClock().now - begin).seconds.rounded(),
                web: self?.web.withLock { $0 },
                steals: live.steals.sorted { $0.key < $1.key }.flatMap { victim, thieves in
                    thieves.sorted { $0.key < $1.key }.map {
                        NodeFacts.Steals(victim: "\(victim)", thief: "\($0.key)", count: $0.value)
                    }
                })
        }
    }

    /// Looks at the node between two of its steps; blocks, at most a second. Nil when it does not answer.
    private func lookNow<T: Sendable>(_ question: @escaping @Sendable (Node) -> T) -> T? {
        let answer = Awaited<T>()
        loop?.ask { answer.give(.success(question($0))) }
        guard case .success(let value) = Result(catching: { try answer.wait(seconds: 1) }) else { return nil }
        return value
    }
}

/// A node's work at a moment.
private struct WorkNow: Sendable {
    var running = 0
    var queued = 0
    var coordinates = 0

    init(_ node: Node) {
        guard let jobs = node.jobs else { return }
        coordinates = jobs.coordinators.values.count { $0.header.isLive }
        (running, queued) = jobs.worker.load
    }
}

/// A member as the asked node sees it.
public struct MemberView: Sendable {
    public let id: NodeID
    public let standing: Standing
    public let version: Version
    public let address: Address
    public let engine: Engine?
    /// How long it has been in its state, in seconds.
    public let seconds: Double
    /// It is the node that was asked.
    public let isSelf: Bool
}

extension ClusterNode {
    /// All members as this node sees them, itself among them.
    public func memberViews() async -> [MemberView] {
        let now = MonotonicClock().now
        return await look { node in
            let others = node.membership.table.rows.map { member in
                MemberView(
                    id: member.id, standing: member.standing, version: member.version,
                    address: member.record.claim.address, engine: member.record.claim.engine,
                    seconds: max(0, (now - member.since).seconds), isSelf: false)
            }
            let own = node.membership.record.map { record in
                MemberView(
                    id: record.id, standing: .alive, version: record.version, address: record.claim.address,
                    engine: record.claim.engine, seconds: 0, isSelf: true)
            }
            return (others + (own.map { [$0] } ?? [])).sorted { $0.id < $1.id }
        }
    }

    /// Changes of members' states from now on.
    public func memberChanges() -> AsyncStream<MemberNews> { answers.members.changes() }

    /// Tells the others where this node's web API is.
    ///
    /// - Parameter host: where it listens; for every address of the machine, the one that members use is
    ///   told.
    public func serveWeb(at host: String, port: Int) {
        let isAny = ["0.0.0.0", "::", "[::]", ""].contains(host)
        guard isAny else { return setWeb("\(host):\(port)") }
        Task {
            let own = await look { $0.membership.record?.claim.address.text }
            let name = own.flatMap { text in text.lastIndex(of: ":").map { String(text[..<$0]) } }
            setWeb("\(name ?? host):\(port)")
        }
    }
}
