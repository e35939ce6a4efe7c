import Cluster
import NIOCore

// What concerns all links together: who is linked by which connection, which dials are out, and what the
// owner is told. Everything runs on the home loop, which carries no TCP connection, so that gossip and events
// are never behind bulk bytes.

/// The transport's state. Confined to the home loop, but for what connections report from theirs.
final class Switchboard: ConnectionOwner, @unchecked Sendable {
    let home: any EventLoop
    private let limits: LinkLimits
    private let report: @Sendable (TransportEvent) -> Void
    private let makeReceiver: @Sendable (BulkLink) -> (any BulkReceiver)?
    private var table: LinkTable
    /// Connections that finished their handshake, by number.
    private var connections: [UInt64: (connection: Connection, session: LinkSession)] = [:]
    private var dials: Set<UInt64> = []
    private var bulkLinks: [NodeID: Int] = [:]
    private(set) var counts = TransportCounts()
    /// Told once all connections are gone.
    private var whenEmpty: (() -> Void)?
    private(set) var isClosing = false

    init(
        me: NodeID, home: any EventLoop, limits: LinkLimits,
        makeReceiver: @escaping @Sendable (BulkLink) -> (any BulkReceiver)?,
        report: @escaping @Sendable (TransportEvent) -> Void
    ) {
        self.home = home
        self.limits = limits
        self.makeReceiver = makeReceiver
        self.report = report
        table = LinkTable(me: me, simultaneous: limits.simultaneous)
    }

    // MARK: Connections report, each on its own loop

    func established(_ connection: Connection, _ session: LinkSession) {
        home.execute { self.stands(connection, session) }
    }

    func received(_ bytes: [UInt8], stream: UInt32, on connection: Connection, _ session: LinkSession) {
        home.execute {
            guard self.connections[connection.number] != nil else { return }
            self.report(.control(bytes, stream: stream, from: session.peer))
        }
    }

    func ended(_ connection: Connection, _ session: LinkSession?, _ end: Connection.End, _ sums: FrameCounts)
    {
        home.execute {
            self.counts.add(sums)
            self.isGone(connection, session, end)
        }
    }

    func bulkReceiver(_ link: BulkLink) -> (any BulkReceiver)? { makeReceiver(link) }

    // MARK: On the home loop

    private func stands(_ connection: Connection, _ session: LinkSession) {
        guard !isClosing else { return leave(connection, .done, .closedHere) }
        connections[connection.number] = (connection, session)
        if session.purpose == .bulk { return bulkStands(connection, session) }
        let entry = LinkTable.Entry(
            connection: connection.number, peer: session.peer, isCaller: session.isCaller, since: seconds())
        for action in table.established(entry) { run(action) }
        settle(connection, session)
    }

    private func bulkStands(_ connection: Connection, _ session: LinkSession) {
        bulkLinks[session.peer.id, default: 0] += 1
        settle(connection, session)
        guard bulkLinks[session.peer.id, default: 0] > limits.bulkLinksPerPeer, !session.isCaller else {
            return
        }
        report(
            .refused(connection.remote, "node \(session.peer.id) has \(limits.bulkLinksPerPeer) bulk links"))
        leave(connection, .unwelcome, .closedHere)
    }

    /// A dial that led to another node than it meant leaves its link standing, and has failed.
    private func settle(_ connection: Connection, _ session: LinkSession) {
        guard let dial = connection.dial, dials.remove(dial) != nil else { return }
        if let expected = connection.expected, expected != session.peer.id {
            report(.dialFailed(dial, .otherNode(session.peer.id)))
        }
    }

    private func run(_ action: LinkTable.Action) {
        switch action {
        case .up(let number): announce(number, dial: connections[number]?.connection.dial)
        case .merged(let number, let stays):
            if let dial = connections[number]?.connection.dial { announce(stays, dial: dial) }
        case .retire(let number):
            if let (connection, _) = connections[number] { leave(connection, .duplicate, .replaced) }
        case .lost(let peer, let loss): report(.linkLost(peer, loss))
        }
    }

    private func announce(_ number: UInt64, dial: UInt64?) {
        guard let (connection, session) = connections[number] else { return }
        let meant = connection.expected == nil || connection.expected == session.peer.id
        report(
            .linkUp(
                LinkUp(
                    peer: session.peer, seenAt: connection.remote, dial: meant ? dial : nil, key: session.key,
                    version: session.version, features: session.features)))
    }

    private func isGone(_ connection: Connection, _ session: LinkSession?, _ end: Connection.End) {
        connections[connection.number] = nil
        if case .link(let loss) = end, let session {
            if session.purpose == .bulk { forgetBulk(session.peer.id) }
            if case .broken(let reason) = loss, reason.hasPrefix("cut: ") {
                report(.refused(connection.remote, String(reason.dropFirst(5))))
            }
            for action in table.ended(connection.number, of: session.peer.id, loss) { run(action) }
        } else {
            counts.handshakesFailed += 1
            if connection.dial == nil { sayWhy(connection, end) }
        }
        if let dial = connection.dial { dialFailed(dial, Switchboard.failure(end)) }
        tellWhenEmpty()
    }

    private func forgetBulk(_ peer: NodeID) {
        let left = bulkLinks[peer, default: 1] - 1
        bulkLinks[peer] = left > 0 ? left : nil
    }

    private func sayWhy(_ connection: Connection, _ end: Connection.End) {
        switch end {
        case .handshakeFailed(let failure): report(.refused(connection.remote, failure.description))
        case .handshakeTimedOut:
            report(.refused(connection.remote, "no complete handshake within \(limits.handshake) s"))
        case .cut, .link: break
        }
    }

    private static func failure(_ end: Connection.End) -> DialFailure {
        switch end {
        case .handshakeFailed(let failure): .handshake(failure)
        case .handshakeTimedOut: .timedOut
        case .cut: .cut
        case .link(.goodbye(.unwelcome)): .handshake(.busy)
        case .link: .cut
        }
    }

    private func leave(_ connection: Connection, _ reason: Goodbye, _ loss: LinkLoss) {
        connection.loop.execute { connection.leave(reason, as: loss) }
    }

    private func seconds() -> Double { Double(NIODeadline.now().uptimeNanoseconds) * 1e-9 }

    // MARK: The owner asks, on the home loop

    func dialBegins(_ dial: UInt64) { dials.insert(dial) }

    /// The dial of that number is over without a link, unless it was settled before.
    func dialFailed(_ dial: UInt64, _ failure: DialFailure) {
        if dials.remove(dial) != nil { report(.dialFailed(dial, failure)) }
    }

    func turnedAway(_ address: Address) {
        counts.connectionsTurnedAway += 1
        report(.refused(address, "too many unfinished handshakes"))
    }

    func send(_ bytes: [UInt8], stream: UInt32, to peer: NodeID) {
        guard let entry = table.entries[peer], let (connection, _) = connections[entry.connection] else {
            return
        }
        connection.loop.execute { connection.send(.control, stream: stream, bytes) }
    }

    func close(_ peer: NodeID) {
        guard let number = table.close(peer), let (connection, _) = connections[number] else { return }
        connections[number] = nil
        leave(connection, .done, .closedHere)
    }

    /// Ends the links of nodes that these keys do not admit.
    func closeUnadmitted(_ keys: SealingKeys) {
        for (connection, session) in connections.values
        where !keys.admits(session.peer.id, under: session.key) {
            report(.refused(connection.remote, "node \(session.peer.id) is not admitted any more"))
            leave(connection, .unwelcome, .closedHere)
        }
    }

    func hear(_ datagram: SealedDatagram, from address: Address) {
        report(.datagram(datagram, from: address))
    }

    /// Says goodbye on every link; `done` is called when the last is gone, or after this time.
    func shutDown(within limit: TimeAmount, _ done: @escaping @Sendable () -> Void) {
        isClosing = true
        whenEmpty = done
        for dial in dials { dialFailed(dial, .closing) }
        for (connection, _) in connections.values { leave(connection, .done, .closedHere) }
        home.scheduleTask(in: limit) { self.tellWhenEmpty(isLate: true) }
        tellWhenEmpty()
    }

    private func tellWhenEmpty(isLate: Bool = false) {
        guard connections.isEmpty || isLate, let done = whenEmpty else { return }
        whenEmpty = nil
        done()
    }
}
