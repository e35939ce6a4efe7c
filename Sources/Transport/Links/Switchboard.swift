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
        table = LinkTable(me: me, crossing: limits.crossing)
    }

    // MARK: Connections report, each on its own loop

    func asks(_ connection: Connection, _ session: LinkSession) {
        home.execute { self.isKnown(connection, session) }
    }

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

    private func isKnown(_ connection: Connection, _ session: LinkSession) {
        connections[connection.number] = (connection, session)
        guard !isClosing else { return decide(connection.number, .giveWay) }
        let entry = LinkTable.Entry(connection: connection.number, peer: session.peer, at: seconds())
        for action in session.isCaller ? table.met(entry) : table.called(entry) { run(action) }
    }

    private func stands(_ connection: Connection, _ session: LinkSession) {
        connections[connection.number] = (connection, session)
        guard !isClosing else { return leave(connection, .done, .closedHere) }
        if session.purpose == .bulk { return bulkStands(connection, session) }
        for action in table.confirmed(connection.number, by: session.peer.id, at: seconds()) { run(action) }
    }

    private func bulkStands(_ connection: Connection, _ session: LinkSession) {
        bulkLinks[session.peer.id, default: 0] += 1
        _ = settle(connection, session)
        guard bulkLinks[session.peer.id, default: 0] > limits.bulkLinksPerPeer, !session.isCaller else {
            return
        }
        report(
            .refused(connection.remote, "node \(session.peer.id) has \(limits.bulkLinksPerPeer) bulk links"))
        leave(connection, .unwelcome, .closedHere)
    }

    private func run(_ action: LinkTable.Action) {
        switch action {
        case .prove(let number), .confirm(let number): decide(number, .goOn)
        case .reject(let number): decide(number, .giveWay)
        case .merge(let number, let link):
            if let (connection, _) = connections[number] { announce(link, to: connection) }
            decide(number, .giveWay)
        case .crossed(let number):
            if let dial = connections[number]?.connection.dial { dialFailed(dial, .crossed) }
            decide(number, .giveWay)
        case .up(let number):
            if let (connection, _) = connections[number] { announce(number, to: connection) }
        case .retire(let number):
            if let (connection, _) = connections[number] { leave(connection, .duplicate, .replaced) }
        case .lost(let peer, let loss): report(.linkLost(peer, loss))
        }
    }

    private func decide(_ number: UInt64, _ decision: Connection.Decision) {
        guard let (connection, _) = connections[number] else { return }
        connection.loop.execute { connection.decide(decision) }
    }

    /// The link stands, and `connection` led to it or to finding it.
    private func announce(_ link: UInt64, to connection: Connection) {
        guard let (_, session) = connections[link] else { return }
        report(
            .linkUp(
                LinkUp(
                    peer: session.peer, seenAt: connection.remote, dial: settle(connection, session),
                    key: session.key, version: session.version, features: session.features)))
    }

    /// The dial that this connection answers. If it meant another node, it has failed although a link stands.
    private func settle(_ connection: Connection, _ session: LinkSession) -> UInt64? {
        guard let dial = connection.dial, dials.remove(dial) != nil else { return nil }
        guard let expected = connection.expected, expected != session.peer.id else { return dial }
        report(.dialFailed(dial, .otherNode(session.peer.id)))
        return nil
    }

    private func isGone(_ connection: Connection, _ session: LinkSession?, _ end: Connection.End) {
        if case .link(let loss) = end, let session {
            if session.purpose == .bulk { forgetBulk(session.peer.id) }
            if case .broken(let reason) = loss, reason.hasPrefix("cut: ") {
                report(.refused(connection.remote, String(reason.dropFirst(5))))
            }
            for action in table.ended(connection.number, of: session.peer.id, loss) { run(action) }
        } else {
            if let session {
                // Told to the owner as a link already, it may be cut before it knows that it is one.
                let loss = end == .cut ? LinkLoss.broken("cut off without a goodbye") : .closedHere
                for action in table.ended(connection.number, of: session.peer.id, loss) { run(action) }
            }
            didNotStand(connection, session, end)
        }
        connections[connection.number] = nil
        tellWhenEmpty()
    }

    private func didNotStand(_ connection: Connection, _ session: LinkSession?, _ end: Connection.End) {
        if end == .gaveWay, let peer = session?.peer.id, let entry = table.entries[peer] {
            if let dial = connection.dial, dials.contains(dial) { announce(entry.connection, to: connection) }
            return
        }
        if end != .gaveWay { counts.handshakesFailed += 1 }
        if let dial = connection.dial {
            dialFailed(dial, Switchboard.failure(end))
        } else {
            sayWhy(connection, end)
        }
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
        case .cut, .gaveWay, .unwelcome, .link: break
        }
    }

    private static func failure(_ end: Connection.End) -> FailedDial {
        switch end {
        case .handshakeFailed(let failure): .handshake(failure)
        case .handshakeTimedOut: .timedOut
        case .cut: .cut
        case .gaveWay: .crossed
        case .unwelcome: .unwelcome
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
    func dialFailed(_ dial: UInt64, _ failure: FailedDial) {
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
        guard let entry = table.close(peer) else { return }
        // The owner is told, for this may be a newer link than it knows: when it hears of that, it would wait
        // for answers on a link that is gone.
        report(.linkLost(entry.peer, .closedHere))
        guard let (connection, _) = connections.removeValue(forKey: entry.connection) else { return }
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
