// What the simulator's checks and a user interface may ask of the job machines. Nothing here changes
// anything.

/// A count and the bound that it keeps (PROTOCOL section 7, S11).
public struct JobBound: Equatable, Sendable {
    /// What is counted.
    public let what: String
    public let count: Int
    public let limit: Int
}

extension Coordinator {
    /// Its term is on its disk: it may speak.
    public var isStored: Bool { state != .storing }

    /// It took over and waits for reports, at most three seconds.
    public var isGathering: Bool {
        if case .gathering = state { true } else { false }
    }

    /// It grants tasks.
    public var isRunning: Bool { state == .running }

    /// What it holds against its bounds.
    public func bounds(_ view: PeerView) -> [JobBound] {
        [
            JobBound(what: "blobs under way", count: pulling.count, limit: Self.pullLimit),
            JobBound(what: "blobs offered to keepers", count: pushed.count, limit: Self.holdLimit),
            JobBound(what: "keepers", count: header.reign.keepers.count, limit: Keepers.wanted),
            JobBound(what: "bytes of header", count: header.encodedSize, limit: JobHeader.sizeLimit),
            JobBound(what: "nodes with claims", count: claims?.nodes.count ?? 0, limit: view.peers.count),
            JobBound(
                what: "tasks with failures", count: failures.count, limit: max(plan?.count ?? 0, 1)),
        ]
    }
}

extension NodeJobs {
    /// The question that this node would ask about a job now.
    public func question(about job: JobID, now: Instant) -> AskForWork {
        AskForWork(
            request: .max, start: start, idleSlots: worker.idleSlots, memory: view.own.memory,
            secondsPerCost: worker.secondsPerCost(of: job),
            holdsInputs: records[job]?.plan?.inputHolders.contains(me) ?? false,
            bytesPerSecond: measured.map { $0.link.aged(now - $0.at).bytesPerSecond } ?? 0)
    }

    /// What this node would give `thief` in answer to `ask` (PROTOCOL section 4).
    public func wouldGive(
        _ ask: AskForWork, of job: JobID, to thief: NodeID, over link: LinkMeasure, now: Instant
    ) -> TaskSet {
        var worker = worker
        return worker.asked(ask, of: job, by: thief, over: link, now: now).given
    }

    /// What this node holds against its bounds.
    public var bounds: [JobBound] {
        var bounds = [
            JobBound(what: "live jobs", count: book.live, limit: JobBook.liveLimit),
            JobBound(what: "finished jobs", count: book.count - book.live, limit: JobBook.finishedLimit),
            JobBound(what: "jobs watched", count: watches.count, limit: book.live),
            JobBound(
                what: "records", count: records.keys.count { book[$0] == nil && coordinators[$0] == nil },
                limit: 0),
            JobBound(what: "users' requests", count: requests.count, limit: Self.requestLimit),
            JobBound(what: "answers kept", count: answers.count, limit: Self.answerLimit),
            JobBound(what: "questions for work", count: thief.openCount, limit: Thief.openLimit),
            JobBound(
                what: "shares without a job", count: worker.shares.keys.count { book[$0] == nil }, limit: 0),
        ]
        for id in coordinators.keys.sorted() { bounds += coordinators[id]?.bounds(view) ?? [] }
        return bounds
    }
}

extension Node {
    /// What this node holds for jobs against its bounds.
    public var jobBounds: [JobBound] {
        let waiting = port.waiting.values.map(\.count).max() ?? 0
        return (port.jobs?.bounds ?? []) + [
            JobBound(what: "frames that wait for one link", count: waiting, limit: JobsPort.mostWaiting),
            JobBound(
                what: "nodes for which frames wait", count: port.waiting.count,
                limit: membership.table.count),
            JobBound(what: "rumours", count: port.rumours.count, limit: port.jobs?.book.count ?? 0),
        ]
    }
}
