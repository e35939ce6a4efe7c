// A suspect has time to object, and the less its suspicion is shared the more time: a node that alone
// suspects others is probably the sick one. The count that is asked for shrinks with the cluster, down to
// nobody in a cluster of two or three, where there is nobody to ask (Lifeguard section IV-B; PROTOCOL section
// 2).

/// The suspicions that this node holds, each with its clock.
public struct Suspicions: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        let subject: NodeID
        var version: Version
        var since: Instant
        var by: Suspecters
        var refused: Bool
        var extended = Span.zero
    }

    private(set) var entries: [Entry] = []
    private let floor: Span
    private let ceiling: Span
    private let refusedSpan: Span
    private let mostExtension: Span
    private let mostConfirmations: Int
    private let neverEnds: Bool
    /// Confirmations that are asked for now.
    private(set) var needed = 0
    /// The first moment at which a suspicion may end.
    public private(set) var nextDeadline = Instant.never

    public init(_ configuration: Configuration) {
        floor = configuration.suspicionFloor
        ceiling = configuration.suspicionCeiling
        refusedSpan = configuration.refusedSuspicion
        mostExtension = configuration.mostExtension
        mostConfirmations = configuration.mostConfirmations
        neverEnds = configuration.fault == .suspicionNeverEnds
    }

    /// How long a suspicion lasts with so many confirmations: logarithmic from the ceiling down to the floor.
    func span(confirmations: Int) -> Span {
        guard needed > 0, confirmations < needed else { return floor }
        return ceiling - (ceiling - floor) * Suspicions.share[needed][confirmations]
    }

    /// log(c + 1) / log(n + 1) for n = 0…3 needed and c confirmations.
    private static let share: [[Double]] = [
        [1], [0, 1], [0, 0.630_929_753_571_457_4, 1], [0, 0.5, 0.792_481_250_360_578, 1],
    ]

    /// Members that we see alive, ourselves included, decide how many confirmations can be hoped for. The one
    /// that suspects first is counted in, hence the one less.
    public mutating func liveMembers(_ alive: Int) {
        let wanted = max(0, min(mostConfirmations, 3, (alive - 1) / 2))
        guard wanted != needed else { return }
        needed = wanted
        refreshDeadline()
    }

    /// Whether a suspicion of the subject runs.
    public func isSuspected(_ subject: NodeID) -> Bool { entries.contains { $0.subject == subject } }

    subscript(subject: NodeID) -> Entry? { entries.first { $0.subject == subject } }

    /// A suspicion that began `age` ago. True if it tells us something new, so that it should be passed on.
    public mutating func suspect(
        _ subject: NodeID, _ version: Version, by: Suspecters, age: Span, refused: Bool, at now: Instant
    ) -> Bool {
        let since = now - min(max(age, .zero), ceiling)
        guard let at = entries.firstIndex(where: { $0.subject == subject }) else {
            entries.append(Entry(subject: subject, version: version, since: since, by: by, refused: refused))
            refreshDeadline()
            return true
        }
        if version > entries[at].version {
            entries[at] = Entry(subject: subject, version: version, since: since, by: by, refused: refused)
            refreshDeadline()
            return true
        }
        guard version == entries[at].version else { return false }
        var news = false
        for position in 0..<by.count where entries[at].by.add(by[position]) { news = true }
        if refused, !entries[at].refused {
            entries[at].refused = true
            news = true
        }
        if entries[at].extended == .zero { entries[at].since = min(entries[at].since, since) }
        refreshDeadline()
        return news
    }

    /// A frame of the suspect shows that its host's refusal meant nothing; the doubt goes on at its ordinary
    /// length.
    public mutating func heard(_ subject: NodeID) {
        guard let at = entries.firstIndex(where: { $0.subject == subject && $0.refused }) else { return }
        entries[at].refused = false
        refreshDeadline()
    }

    /// Ends the suspicion of the subject: it answered, or it is dead.
    public mutating func clear(_ subject: NodeID) {
        guard let at = entries.firstIndex(where: { $0.subject == subject }) else { return }
        entries.remove(at: at)
        refreshDeadline()
    }

    /// We were not there to hear objections: every suspicion gets the time back, but one at most 10 s in all.
    public mutating func stalled(_ lateness: Span) {
        for at in entries.indices {
            let grant = min(lateness, mostExtension - entries[at].extended)
            entries[at].since = entries[at].since + grant
            entries[at].extended = entries[at].extended + grant
        }
        refreshDeadline()
    }

    /// Takes out the suspicions whose time is over.
    public mutating func expired(_ now: Instant) -> [(NodeID, Version)] {
        guard now >= nextDeadline else { return [] }
        let over = entries.filter { deadline($0) <= now }
        entries = entries.filter { deadline($0) > now }
        refreshDeadline()
        return over.map { ($0.subject, $0.version) }
    }

    private func deadline(_ entry: Entry) -> Instant {
        if neverEnds { return .never }
        let ordinary = span(confirmations: entry.by.count - 1)
        return entry.since + (entry.refused ? min(refusedSpan, ordinary) : ordinary)
    }

    private mutating func refreshDeadline() {
        nextDeadline = .never
        for entry in entries { nextDeadline = min(nextDeadline, deadline(entry)) }
    }
}
