// How the blobs become outputs that nobody can spoil: assemble, copy to a second node, and only then say so
// in the manifest. A late writer of an old term writes files that no manifest names (PROTOCOL 5).

/// Takes one run from its last blob to its manifest, at the coordinator.
public struct Publication: Equatable, Sendable {
    static let shortestCopyTime = Span.seconds(10)
    /// No link is taken to be slower. A copier that dies is noticed by membership, not by this.
    static let slowestLink = 10e6

    /// What the coordinator has to do.
    public enum Action: Equatable, Sendable {
        /// Lay the blobs into temporary outputs; digest, fsync, rename.
        case assemble
        /// Have this node copy the outputs and the manifest to its disk.
        case copy(outputs: Digest, to: NodeID)
        /// Outputs and manifest are safe on `holders`: replace the manifest.
        case publish(outputs: Digest, holders: [NodeID])
        /// The outputs of a published run got to another disk.
        case held(by: NodeID)
        /// The outputs cannot be made; the reason is the last error.
        case giveUp(reason: String)
    }

    enum State: Equatable, Sendable {
        /// Blobs are still missing.
        case idle
        /// The shell lays them out.
        case assembling
        /// The shell still lays them out, but a blob is missing now: whatever comes of it does not count.
        case abandoned
        /// It failed; again after a pause.
        case resting(BackOff, reason: String)
        /// The outputs are here; `asked` are the nodes that should copy them, and when they were asked.
        case copying(Digest, asked: [NodeID: Instant])
        /// Published; without a second copy (`isAlone`) the first peer that appears gets one.
        case published(Digest, isAlone: Bool, asked: [NodeID: Instant])
        /// Nothing more to do.
        case over
    }

    private(set) var state = State.idle
    private var wait: BackOff?
    private let hasObjectStore: Bool
    /// How long one node may take for the copy before another is asked too.
    private var copyTime = Publication.shortestCopyTime

    /// With an object store the outputs are safe there at once.
    init(hasObjectStore: Bool) { self.hasObjectStore = hasObjectStore }

    /// When `advance` has something to do.
    public var nextDeadline: Instant? {
        switch state {
        case .idle, .assembling, .abandoned, .over: nil
        case .resting(let wait, _): wait.until
        case .copying(_, let asked), .published(_, _, let asked):
            asked.values.max().map { $0 + copyTime }
        }
    }

    /// True from the first assembly until the outputs are safe: the blobs stay pinned.
    public var isAtWork: Bool {
        switch state {
        case .idle, .over, .published: false
        case .assembling, .abandoned, .resting, .copying: true
        }
    }

    /// Every blob that the run can have is here: so many bytes.
    mutating func begin(bytes: Int, now: Instant) -> [Action] {
        guard state == .idle else { return [] }
        copyTime = Self.shortestCopyTime + .seconds(Double(max(0, bytes)) / Self.slowestLink)
        state = .assembling
        return [.assemble]
    }

    /// A blob turned out to be missing before the outputs were made: start again with `begin`.
    mutating func interrupt() {
        switch state {
        case .assembling: state = .abandoned
        case .resting: state = .idle
        case .idle, .abandoned, .copying, .published, .over: break
        }
    }

    /// The outputs are on our disk.
    mutating func assembled(_ outputs: Digest, _ view: PeerView, keepers: [NodeID], now: Instant) -> [Action]
    {
        if state == .abandoned { state = .idle }
        guard state == .assembling else { return [] }
        if hasObjectStore {
            state = .over
            return [.publish(outputs: outputs, holders: [view.me])]
        }
        state = .copying(outputs, asked: [:])
        return advance(view, keepers: keepers, now: now)
    }

    /// The shell could not assemble: a full disk, a blob that vanished.
    mutating func failed(reason: String, now: Instant) -> [Action] {
        if state == .abandoned { state = .idle }
        guard state == .assembling else { return [] }
        guard var again = wait else {
            let first = BackOff(now: now)
            wait = first
            state = .resting(first, reason: reason)
            return []
        }
        guard again.failedAgain(now: now) else {
            state = .over
            return [.giveUp(reason: reason)]
        }
        wait = again
        state = .resting(again, reason: reason)
        return []
    }

    /// `peer` has the outputs and the manifest on disk.
    mutating func copied(_ outputs: Digest, by peer: NodeID, me: NodeID) -> [Action] {
        switch state {
        case .copying(outputs, _):
            state = .over
            return [.publish(outputs: outputs, holders: [me, peer].sorted())]
        case .published(outputs, isAlone: true, _):
            state = .over
            return [.held(by: peer)]
        default: return []
        }
    }

    /// Asks the next node when the first does not copy in time; publishes alone when there is nobody.
    mutating func advance(_ view: PeerView, keepers: [NodeID], now: Instant) -> [Action] {
        switch state {
        case .idle, .assembling, .abandoned, .over: return []
        case .resting(let wait, _):
            guard wait.until <= now else { return [] }
            state = .assembling
            return [.assemble]
        case .copying(let outputs, let asked):
            let candidates = Self.candidates(view, keepers)
            if candidates.isEmpty {
                state = .published(outputs, isAlone: true, asked: [:])
                return [.publish(outputs: outputs, holders: [view.me])]
            }
            let (next, actions) = ask(candidates, asked, outputs, now)
            state = .copying(outputs, asked: next)
            return actions
        case .published(let outputs, let isAlone, let asked):
            guard isAlone else { return [] }
            let (next, actions) = ask(Self.candidates(view, keepers), asked, outputs, now)
            state = .published(outputs, isAlone: true, asked: next)
            return actions
        }
    }

    /// The keepers first, then the others; only nodes with room.
    private static func candidates(_ view: PeerView, _ keepers: [NodeID]) -> [NodeID] {
        let able = view.others.filter(\.hasRoom).map(\.id)
        return keepers.filter(able.contains) + able.filter { !keepers.contains($0) }
    }

    /// One node at a time; the one asked longest ago is asked again when all were.
    private func ask(
        _ candidates: [NodeID], _ asked: [NodeID: Instant], _ outputs: Digest, _ now: Instant
    ) -> ([NodeID: Instant], [Action]) {
        var asked = asked.filter { candidates.contains($0.key) }
        if asked.values.contains(where: { now - $0 < copyTime }) { return (asked, []) }
        let next =
            candidates.first { asked[$0] == nil }
            ?? candidates.min { (asked[$0] ?? .zero, $0) < (asked[$1] ?? .zero, $1) }
        guard let next else { return (asked, []) }
        asked[next] = now
        return (asked, [.copy(outputs: outputs, to: next)])
    }

    /// Our own stall is no delay of the copy.
    mutating func stalled(_ length: Span) {
        switch state {
        case .copying(let outputs, let asked):
            state = .copying(outputs, asked: asked.mapValues { $0 + length })
        case .published(let outputs, let isAlone, let asked):
            state = .published(outputs, isAlone: isAlone, asked: asked.mapValues { $0 + length })
        case .idle, .assembling, .abandoned, .resting, .over: break
        }
    }
}
