import Testing

@testable import Cluster

/// What the simulator's checks found in the record of a job, as transcripts.
@Suite struct RecordTests {
    let plan = testPlan(8)

    /// A coordinator took over without the plan's content and lost its term before its header was on disk.
    @Test func aLoserWhoseHeaderLandsWithoutItsPlanKeepsNoRecord() {
        var machine = NodeJobs(view: view(3), slots: 1)
        var reign = Reign(term: Term(counter: 1, node: node(2), start: 1))
        (reign.phase, reign.plan, reign.fingerprint) = (.running, plan.digest, engine)
        let state = RunState(run: .first, manifest: .running, author: reign.term)
        let header = JobHeader(id: job(1), title: "t", request: digest(1), reign: reign, state: state)
        _ = machine.received(
            .headers([AgedHeader(header: header, finishedFor: .zero)]), from: node(2), now: at(0))
        _ = machine.takeOver(header, at(1))
        let mine = machine.coordinators[job(1)]?.header
        var higher = reign
        higher.term = Term(counter: 9, node: node(3), start: 1)
        let winner = JobHeader(id: job(1), title: "t", request: digest(1), reign: higher, state: state)
        _ = machine.received(
            .headers([AgedHeader(header: winner, finishedFor: .zero)]), from: node(3), now: at(2))
        #expect(machine.coordinators[job(1)] == nil)
        #expect(mine.map { machine.persisted($0, plan: nil, now: at(2)) } == [])
        #expect(machine.standing(job(1)) == .notKept(reason: "no record here"))
    }

    /// The first keeper is gone when the second confirms: two disks, not three.
    @Test func aDiskWhoseNodeIsGoneIsNotCounted() {
        var keepers = Keepers(job: job(1), now: at(0))
        _ = keepers.storedHere(view(3), needing: nil, now: at(0))
        func confirm(_ n: UInt64, _ view: PeerView) -> [Keepers.Action] {
            keepers.confirmed(
                by: node(n), isNewest: true, plan: nil, done: nil, view, needing: nil, now: at(1))
        }
        #expect(confirm(2, view(3)).contains(.acknowledged(copies: 2)))
        let without = PeerView(me: node(1), peers: view(3).peers.filter { $0.id != node(2) })
        #expect(!confirm(3, without).contains { if case .acknowledged = $0 { true } else { false } })
        #expect(keepers.copies == 2)
    }

    /// Speculation is charged by the clock: a copy that takes longer than predicted uses up the share and is
    /// stopped, unless it is the one that is always allowed, or nobody else does the task.
    @Test func aCopyThatTakesTooLongIsStopped() {
        var copies = Copies()
        var claims = Claims(open: plan.all, count: 8)
        _ = claims.heard(beat(1, set(0..<2), running: [0, 1]), from: node(1), of: plan, now: at(0))
        copies.measured(.seconds(100))
        copies.speculated(TaskID(0), on: node(2), predicted: 1, now: at(0))
        copies.speculated(TaskID(1), on: node(3), predicted: 1, now: at(0))
        let free = beat(1, set(0..<1), running: [0])
        let second = beat(1, set(1..<2), running: [1])
        _ = claims.heard(free, from: node(2), of: plan, now: at(1))
        _ = claims.heard(second, from: node(3), of: plan, now: at(1))
        #expect(copies.heard(second, from: node(3), claims, now: at(2)).isEmpty)
        // Twice three seconds are above five of a hundred.
        #expect(copies.spent(now: at(3)) == 6)
        #expect(copies.heard(free, from: node(2), claims, now: at(3)).isEmpty)
        #expect(copies.heard(second, from: node(3), claims, now: at(3)) == set(1..<2))
        copies.finished(TaskID(0), on: node(2), took: .seconds(4))
        #expect(copies.racers(of: TaskID(0)) == [])
        #expect(copies.spent(now: at(5)) == 9)
    }
}
