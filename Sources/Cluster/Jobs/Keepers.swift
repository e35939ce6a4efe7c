// Two other nodes keep the whole record of a job on their disks. They are whoever confirms first, in the
// order of the rendezvous hash; joins do not move them, and silence or a refusal does (PROTOCOL 3).

/// Finds and replaces the keepers of one job, at its coordinator, and says when the job counts as
/// acknowledged.
public struct Keepers: Equatable, Sendable {
    /// How many nodes keep the record, besides the coordinator.
    public static let wanted = 2
    static let patience = Span.milliseconds(500)
    static let repetition = Span.seconds(1)
    static let silence = Span.seconds(3)
    static let refusalRest = Span.seconds(2)
    static let askedLimit = 8

    /// What the coordinator has to do.
    public enum Action: Equatable, Sendable {
        /// Send the whole record to this candidate.
        case ask(NodeID)
        /// The header has to name these.
        case changed([NodeID])
        /// The job is safe on this many disks; said at most once for each number.
        case acknowledged(copies: Int)
    }

    /// A keeper that confirmed.
    struct Keeper: Equatable, Sendable {
        let id: NodeID
        var heard: Instant
        /// It said so itself; a header of an earlier term that names it may be older than its disk.
        var isSure = true
        /// It has the newest header on disk.
        var isNewest = false
        /// The plan that it has on disk.
        var plan: Digest?
        /// The results that it has.
        var done = TaskSet()
    }

    /// Candidates asked so far: since when, and when last.
    private struct Asked: Equatable, Sendable {
        let since: Instant
        var last: Instant
    }

    private let job: JobID
    private(set) var confirmed: [Keeper] = []
    private var asked: [NodeID: Asked] = [:]
    private var refused: [NodeID: Instant] = [:]
    private var onOwnDisk = false
    /// How many disks the job was said to be on; 0 before it was acknowledged.
    public private(set) var copies = 0
    private var deadline: Instant?
    /// The protocol fault that is switched on: for tests only.
    var fault: DeliberateFault?

    /// No keepers yet; `known` are those whom an inherited header names, to be heard within 3 s.
    init(job: JobID, known: [NodeID] = [], acknowledged: Int = 0, now: Instant) {
        self.job = job
        confirmed = known.prefix(Self.wanted).map { Keeper(id: $0, heard: now, isSure: false) }
        copies = acknowledged
    }

    /// The keepers in the order in which they confirmed.
    public var ids: [NodeID] { confirmed.map(\.id) }

    /// When `advance` has something to do.
    public var nextDeadline: Instant? { deadline }

    /// Our own disk holds the record.
    mutating func storedHere(_ view: PeerView, needing print: Digest?, now: Instant) -> [Action] {
        onOwnDisk = true
        return advance(view, needing: print, now: now)
    }

    /// A candidate has the whole record on disk, or a keeper shows that it is still there.
    mutating func confirmed(
        by peer: NodeID, isNewest: Bool, plan: Digest?, done: TaskSet?, _ view: PeerView,
        needing print: Digest?,
        now: Instant
    ) -> [Action] {
        asked[peer] = nil
        refused[peer] = nil
        if let at = confirmed.firstIndex(where: { $0.id == peer }) {
            confirmed[at].heard = max(confirmed[at].heard, now)
            confirmed[at].isSure = true
            confirmed[at].isNewest = isNewest
            confirmed[at].plan = plan ?? confirmed[at].plan
            if let done { confirmed[at].done = done }
            return advance(view, needing: print, now: now)
        }
        let new = Keeper(id: peer, heard: now, isNewest: isNewest, plan: plan, done: done ?? TaskSet())
        if confirmed.count < Self.wanted {
            confirmed.append(new)
        } else if let lost = confirmed.firstIndex(where: { !isFit($0, view, print, now) }) {
            confirmed[lost] = new
        } else {
            return advance(view, needing: print, now: now)
        }
        return [.changed(ids)] + advance(view, needing: print, now: now)
    }

    /// A candidate or keeper does not take the record: no room, or it shuts down.
    mutating func refused(by peer: NodeID, _ view: PeerView, needing print: Digest?, now: Instant) -> [Action]
    {
        asked[peer] = nil
        refused[peer] = now + Self.refusalRest
        if let at = confirmed.firstIndex(where: { $0.id == peer }) {
            confirmed.remove(at: at)
            return [.changed(ids)] + advance(view, needing: print, now: now)
        }
        return advance(view, needing: print, now: now)
    }

    /// Asks as many candidates as keepers are missing, and one more for each that has not answered within 0.5
    /// s.
    mutating func advance(_ view: PeerView, needing print: Digest?, now: Instant) -> [Action] {
        refused = refused.filter { $0.value > now }
        let fit = confirmed.filter { isFit($0, view, print, now) }
        let candidates = candidates(view, print)
        var actions: [Action] = []
        if fit.count >= Self.wanted {
            asked = [:]
        } else {
            let ids = Set(candidates.map(\.id))
            asked = asked.filter { ids.contains($0.key) }
            var expected = asked.values.filter { now - $0.since < Self.patience }.count
            for peer in candidates {
                if let before = asked[peer.id] {
                    guard now - before.last >= Self.repetition else { continue }
                    asked[peer.id]?.last = now
                    actions.append(.ask(peer.id))
                } else if expected < Self.wanted - fit.count, asked.count < Self.askedLimit {
                    asked[peer.id] = Asked(since: now, last: now)
                    expected += 1
                    actions.append(.ask(peer.id))
                }
            }
        }
        // A disk whose node is gone is not counted.
        let sure = fit.count { $0.isSure }
        let others = fault == .acknowledgedOnOneDisk ? max(1, sure) : sure
        let isAlone = fit.isEmpty && candidates.isEmpty
        let reached = !onOwnDisk ? 0 : others > 0 ? 1 + others : isAlone ? 1 : 0
        if reached > copies {
            copies = reached
            actions.append(.acknowledged(copies: reached))
        }
        setDeadline(candidates: candidates, fit: fit, now)
        return actions
    }

    /// Every keeper has `plan` on disk, and there is one; true also when nobody can keep it.
    func allHave(plan: Digest, _ view: PeerView, needing print: Digest?, now: Instant) -> Bool {
        let fit = confirmed.filter { isFit($0, view, print, now) }
        return fit.isEmpty ? candidates(view, print).isEmpty : fit.allSatisfy { $0.plan == plan }
    }

    /// The header changed: nobody has the newest one yet.
    mutating func headerChanged() {
        for at in confirmed.indices { confirmed[at].isNewest = false }
    }

    /// Our own stall is nobody else's silence.
    mutating func stalled(_ length: Span) {
        for at in confirmed.indices { confirmed[at].heard = confirmed[at].heard + length }
        asked = asked.mapValues { Asked(since: $0.since + length, last: $0.last + length) }
    }

    /// Those that could keep the record, are not keepers and have not just refused it.
    private func candidates(_ view: PeerView, _ print: Digest?) -> [Peer] {
        view.ranked(for: job).filter { peer in
            !confirmed.contains { $0.id == peer.id } && refused[peer.id] == nil && peer.hasRoom
                && (print == nil || peer.fingerprint == print)
        }
    }

    private func isFit(_ keeper: Keeper, _ view: PeerView, _ print: Digest?, _ now: Instant) -> Bool {
        if fault == .keepersNeverReplaced { return true }
        guard view.mayAnswer(keeper.id), let peer = view[keeper.id], peer.hasRoom else { return false }
        return now - keeper.heard < Self.silence && (print == nil || peer.fingerprint == print)
    }

    private mutating func setDeadline(candidates: [Peer], fit: [Keeper], _ now: Instant) {
        var times = confirmed.map { $0.heard + Self.silence }.filter { $0 > now }
        for peer in candidates {
            guard let before = asked[peer.id] else { continue }
            if now - before.since < Self.patience { times.append(before.since + Self.patience) }
            times.append(before.last + Self.repetition)
        }
        if fit.count < Self.wanted { times += refused.values }
        deadline = times.min()
    }
}
