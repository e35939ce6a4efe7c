// What happens when a coordinator falls silent. Its keepers watch it, and they alone; they do not wait until
// membership calls it dead, because a wrong take-over costs only bookkeeping. Everyone else acts as a last
// resort, when coordinator and keepers are all dead (PROTOCOL 3).

/// Watches the coordinator of one job, at any node that does not coordinate it.
public struct TakeOver: Equatable, Sendable {
    static let silence = Span.seconds(3)
    static let rankDelay = Span.milliseconds(300)
    static let vetoTime = Span.milliseconds(300)
    static let longestDelay = Span.seconds(30)
    static let retry = Span.seconds(3)

    /// What the node has to do.
    public enum Action: Equatable, Sendable {
        /// Ask this node to probe the coordinator for us; the coordinator itself is asked directly.
        case probe(through: NodeID)
        /// Become the coordinator: the term's counter + 1.
        case takeOver
    }

    enum State: Equatable, Sendable {
        /// The coordinator was heard at this moment.
        case watching(since: Instant)
        /// It is silent; another keeper of a lower rank goes first.
        case waiting(until: Instant)
        /// Others are probing it for us; one answer vetoes.
        case probing(until: Instant)
        /// Coordinator and keepers are dead in our view.
        case lastResort(until: Instant)
    }

    private(set) var state: State
    private var linkRefused = false
    private(set) var term: Term

    /// Watches from `now`. A coordinator that restarts watches for its own successor and is `impatient`: 1 s.
    init(term: Term, impatient: Bool = false, now: Instant) {
        self.term = term
        state = .watching(since: impatient ? now - .seconds(2) : now)
    }

    /// When `advance` has something to do; only keepers and the last resort have deadlines.
    func nextDeadline(isKeeper: Bool) -> Instant? {
        switch state {
        case .watching(let since): isKeeper ? since + Self.silence : nil
        case .waiting(let until), .probing(let until), .lastResort(let until): until
        }
    }

    /// The coordinator of `term` was heard, or vetoed through another node.
    mutating func heard(_ term: Term, now: Instant) {
        guard term >= self.term else { return }
        self.term = term
        linkRefused = false
        state = .watching(since: now)
    }

    /// The link to the coordinator ended and a redial was refused: its process is gone.
    mutating func linkRefused(_ header: JobHeader, _ view: PeerView, now: Instant) -> [Action] {
        linkRefused = true
        return advance(header, view, now: now)
    }

    /// Moves on with time, or after the view or the header changed.
    mutating func advance(_ header: JobHeader, _ view: PeerView, now: Instant) -> [Action] {
        if header.term > term { heard(header.term, now: now) }
        let coordinator = header.term.node
        let isRestarted = coordinator == view.me
        let rank = isRestarted ? 0 : header.reign.keepers.firstIndex(of: view.me)
        guard let rank else { return advanceAsLastResort(header, view, now: now) }
        if case .watching(let since) = state {
            guard linkRefused || now - since >= Self.silence else { return [] }
            state = .waiting(until: now + Self.rankDelay * rank)
        }
        if case .lastResort = state { state = .waiting(until: now + Self.rankDelay * rank) }
        if case .waiting(let until) = state {
            guard until <= now else { return [] }
            state = .probing(until: now + Self.vetoTime)
            return probes(header, view)
        }
        guard case .probing(let until) = state, until <= now else { return [] }
        return take(now)
    }

    private mutating func advanceAsLastResort(
        _ header: JobHeader, _ view: PeerView, now: Instant
    ) -> [Action] {
        let bearers = [header.term.node] + header.reign.keepers
        guard bearers.allSatisfy({ !view.mayAnswer($0) }) else {
            state = .watching(since: now)
            return []
        }
        guard case .lastResort(let until) = state else {
            let rank = view.rank(for: header.id)
            let delay = min(Self.rankDelay * rank, Self.longestDelay)
            state = .lastResort(until: now + delay)
            return delay == .zero ? take(now) : []
        }
        return until <= now ? take(now) : []
    }

    /// If the node does not become coordinator after all, it tries again in a while.
    private mutating func take(_ now: Instant) -> [Action] {
        linkRefused = false
        state = .watching(since: now + Self.retry - Self.silence)
        return [.takeOver]
    }

    /// The coordinator itself, the other keeper, and two more nodes.
    private func probes(_ header: JobHeader, _ view: PeerView) -> [Action] {
        let coordinator = header.term.node
        let keepers = header.reign.keepers.filter { $0 != view.me && view.isAlive($0) }
        let relays = view.ranked(for: header.id).map(\.id).filter {
            $0 != coordinator && !keepers.contains($0)
        }
        let direct = coordinator == view.me ? [] : [coordinator]
        return (direct + keepers + relays.prefix(2)).map { .probe(through: $0) }
    }

    /// Our own stall is not the coordinator's silence.
    mutating func stalled(_ length: Span) {
        switch state {
        case .watching(let since): state = .watching(since: since + length)
        case .waiting(let until): state = .waiting(until: until + length)
        case .probing(let until): state = .probing(until: until + length)
        case .lastResort(let until): state = .lastResort(until: until + length)
        }
    }
}

extension PeerView {
    /// Our own place in the order of the rendezvous hash among all that are alive.
    func rank(for job: JobID) -> Int {
        func score(_ id: NodeID) -> UInt64 { scrambled(job.high ^ scrambled(job.low ^ scrambled(id.short))) }
        let mine = (score(me), me.short)
        return others.filter { (score($0.id), $0.id.short) < mine }.count
    }
}
