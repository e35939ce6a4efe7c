// The one entry of the core. A shell, real or simulated, feeds a node with what happened and carries out what
// it asks for; nothing else goes in or out, so what the simulator proves about this type holds for the real
// node.

/// One node of the cluster as a value.
///
/// The contract with the shell:
/// - `step(_:at:)` is called for every event, in the order in which events happened, and `now` never goes
///   back.
/// - Effects are carried out in order. `.sign` and `.persist` are answered by a later `step`.
/// - One timer: `.timer` is due at `nextDeadline`, which may move at every step. **All inputs that wait are
///   handed in before `.timer`**, so that a node that stalled hears its messages before it judges others for
///   their silence.
/// - Datagrams and frames were opened with a cluster key, their records verified, before they come here.
/// - After `.exit` the node wants no more input.
public struct Node: Sendable {
    public internal(set) var membership: Membership
    var port: JobsPort
    private var lastStep: Instant?

    /// - Parameters:
    ///   - persisted: what the disk holds; this start uses the epoch after it.
    ///   - seeds: addresses that are dialled for ever.
    ///   - generator: this start's source of chance.
    public init(
        _ identity: Membership.Identity, persisted: Persisted, seeds: [Address],
        configuration: Configuration = Configuration(), generator: SeededGenerator
    ) {
        var generator = generator
        port = JobsPort(generator: SeededGenerator(seed: generator.next()))
        membership = Membership(
            identity, persisted: persisted, seeds: seeds, configuration: configuration, generator: generator)
    }

    /// When `.timer` is due; nil when the node waits for nothing. Kept, not computed: a shell reads it after
    /// every step.
    public private(set) var nextDeadline: Instant?
    /// What this start counted about work.
    public private(set) var workTally = WorkTally()

    /// One event in, effects out.
    public mutating func step(_ input: Input, at now: Instant) -> [Effect] {
        var effects: [Effect] = []
        step(input, at: now, into: &effects)
        return effects
    }

    /// The same, into a buffer of the caller.
    public mutating func step(_ input: Input, at now: Instant, into effects: inout [Effect]) {
        guard !membership.hasEnded else { return }
        noticeStall(now)
        membership.now = now
        switch input {
        case .start: membership.begin()
        case .datagram(let datagram, let address): membership.received(datagram, from: address)
        case .frame(let frame, let peer, let start): membership.received(frame, from: peer, start: start)
        case .linkUp(let peer, let start, let address, let target):
            membership.linkUp(peer, start, seenAt: address, target: target)
        case .linkLost(let peer, let end): membership.linkLost(peer, end)
        case .dialFailed(let target, let failure): membership.dialFailed(target, failure)
        case .signed(let record): membership.signed(record)
        case .persisted(let ticket): membership.persisted(ticket)
        case .persistFailed(let ticket): membership.persistFailed(ticket)
        case .keys(let request): membership.decide(request)
        case .shutDown(let farewell): membership.shutDown(farewell)
        case .timer: membership.timer()
        case .job: break
        }
        if case .job(let event) = input {
            stepJobs(event, isTimer: false, at: now)
        } else if port.jobs != nil || !membership.notes.isEmpty {
            stepJobs(nil, isTimer: input == .timer, at: now)
        }
        if let tally = port.jobs?.thief.tally { workTally = tally }
        membership.drain(into: &effects)
        let next = membership.hasEnded ? .never : min(membership.nextDeadline, port.nextDeadline)
        nextDeadline = next == .never ? nil : next
    }

    /// A step over 250 ms after what was due means that this process did not run (PROTOCOL section 2, stall
    /// guard).
    private mutating func noticeStall(_ now: Instant) {
        defer { lastStep = now }
        guard let lastStep else { return }
        let due = max(nextDeadline ?? .never, lastStep)
        guard due < now, now - due > membership.configuration.stallThreshold else { return }
        membership.now = now
        membership.stalled(now - due)
        port.jobs?.stalled(now - due)
        port.refreshDue()
    }
}
