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

    /// The only keeper has another engine than the job: the plan is on our disk alone, and others could keep
    /// it (seed 601427).
    @Test func aPlanThatNobodyElseHasIsNotShared() {
        var keepers = Keepers(job: job(1), now: at(0))
        _ = keepers.storedHere(view(3), needing: nil, now: at(0))
        _ = keepers.confirmed(node(2), view(2), now: at(0.1))
        let other = PeerView(
            me: node(1),
            peers: view(3).peers.map { peer in
                var peer = peer
                if peer.id == node(2) { peer.fingerprint = digest(7) }
                return peer
            })
        #expect(!keepers.allHave(plan: plan.digest, other, needing: engine, now: at(0.2)))
        let alone = PeerView(me: node(1), peers: other.peers.filter { $0.id != node(3) })
        #expect(keepers.allHave(plan: plan.digest, alone, needing: engine, now: at(0.2)))
        _ = keepers.confirmed(
            by: node(3), isNewest: true, plan: plan.digest, done: nil, other, needing: engine, now: at(0.3))
        #expect(keepers.allHave(plan: plan.digest, other, needing: engine, now: at(0.3)))
    }

    /// The coordinator died before a keeper had its plan: who takes over without it plans anew (seed 601427).
    @Test func aPlanThatWasNotSharedIsMadeAnew() {
        var reign = Reign(term: Term(counter: 1, node: node(2), start: 1))
        (reign.phase, reign.plan, reign.fingerprint) = (.planning, plan.digest, engine)
        func taken(knowing plan: JobPlan?) -> Reign {
            let state = RunState(run: .first, manifest: .running, author: reign.term)
            let old = JobHeader(id: job(1), title: "t", request: digest(1), reign: reign, state: state)
            let new = Coordinator(
                takingOver: old, plan: plan, done: nil, me: node(1), start: 1, hasObjectStore: false,
                now: at(1))
            return new.header.reign
        }
        #expect(taken(knowing: nil).plan == nil)
        #expect(taken(knowing: nil).fingerprint == engine)
        #expect(taken(knowing: plan).plan == plan.digest)
        reign.phase = .running
        #expect(taken(knowing: nil).plan == plan.digest)
    }

    /// A worker that became the coordinator has no request to copy; the next keeper takes it from the first
    /// (seed 601041).
    @Test func aCandidateTriesTheKeepersToo() throws {
        var machine = NodeJobs(view: view(3), slots: 1)
        var reign = Reign(term: Term(counter: 2, node: node(2), start: 1))
        (reign.keepers, reign.phase, reign.plan, reign.fingerprint) =
            ([node(3)], .running, plan.digest, engine)
        let state = RunState(run: .first, manifest: .running, author: reign.term)
        let header = JobHeader(id: job(1), title: "t", request: digest(1), reign: reign, state: state)
        let keep = JobMessage(job: job(1), run: .first, term: reign.term, body: .keep(header))
        #expect(
            machine.received(keep, from: node(2), now: at(0)).contains(.persist(header, contentFrom: node(2)))
        )
        #expect(
            machine.persistFailed(header, reason: "not there", now: at(1)) == [
                .persist(header, contentFrom: node(3))
            ])
        let refusal = JobMessage(
            job: job(1), run: .first, term: reign.term, body: .notKept(reason: "not there"))
        #expect(
            machine.persistFailed(header, reason: "not there", now: at(2)) == [.send(refusal, to: node(2))])
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

    /// Where frames are lost for longer than a claim lasts, the copy goes on: it is charged for what is
    /// known, and when its node is heard again it is a copy as before, to be stopped.
    @Test func aCopyIsACopyAfterASilence() {
        var copies = Copies()
        var claims = Claims(open: plan.all, count: 8)
        func original(_ number: UInt64, _ second: Double) {
            _ = claims.heard(
                beat(number, set(1..<2), running: [1]), from: node(1), of: plan, now: at(second))
        }
        original(1, 0)
        copies.measured(.seconds(100))
        copies.speculated(TaskID(0), on: node(2), predicted: 1, now: at(0))
        copies.finished(TaskID(0), on: node(2), took: .seconds(1))
        copies.speculated(TaskID(1), on: node(3), predicted: 1, now: at(0))
        let first = beat(1, set(1..<2), running: [1])
        _ = claims.heard(first, from: node(3), of: plan, now: at(1))
        #expect(copies.heard(first, from: node(3), claims, now: at(1)).isEmpty)
        original(2, 3)
        claims.advance(now: at(4))
        copies.advance(claims, now: at(4))
        #expect(copies.spent(now: at(60)) == 5, "one second and four, whatever the silence")
        original(3, 5)
        let again = beat(2, set(1..<2), running: [1])
        _ = claims.heard(again, from: node(3), of: plan, now: at(7))
        #expect(copies.heard(again, from: node(3), claims, now: at(7)) == set(1..<2))
        #expect(copies.spent(now: at(7)) == 8)
    }

    /// A copy that failed took what it took; the same task granted to its node again is no copy.
    @Test func aCopyThatFailedIsOver() {
        var copies = Copies()
        copies.measured(.seconds(100))
        copies.speculated(TaskID(1), on: node(3), predicted: 1, now: at(0))
        copies.ended(set(0..<8), on: node(2), now: at(2))
        #expect(copies.racers(of: TaskID(1)) == [node(3)])
        copies.ended(set(0..<8), on: node(3), now: at(3))
        #expect(copies.racers(of: TaskID(1)) == [])
        #expect(copies.spent(now: at(60)) == 3)
    }

    /// Copies of task 1, and the claims of those that run it.
    private struct Race {
        let plan: JobPlan
        var copies = Copies()
        var claims: Claims

        init(_ plan: JobPlan) { (self.plan, claims) = (plan, Claims(open: plan.all, count: plan.count)) }

        /// A node lists the task; what it has to stop.
        mutating func heard(_ number: UInt64, _ from: UInt64, _ second: Double) -> TaskSet {
            let beat = beat(number, set(1..<2), running: [1])
            _ = claims.heard(beat, from: node(from), of: plan, now: at(second))
            return copies.heard(beat, from: node(from), claims, now: at(second))
        }
    }

    /// Speculation has used up its share, and the original is not heard: the first copy that is heard stops,
    /// and the other, which now does the task alone, goes on.
    @Test func ofTwoCopiesOneGoesOn() {
        var race = Race(plan)
        race.copies.speculated(TaskID(0), on: node(2), predicted: 1, now: at(0))
        for copy: UInt64 in 3...4 {
            race.copies.speculated(TaskID(1), on: node(copy), predicted: 1, now: at(0))
        }
        race.copies.measured(.seconds(1000))
        #expect([3, 4].allSatisfy { race.heard(1, $0, 1).isEmpty })
        race.copies.finished(TaskID(0), on: node(2), took: .seconds(60))
        #expect(race.heard(2, 3, 2) == set(1..<2))
        #expect(race.heard(2, 4, 2.5) == TaskSet())
        #expect(race.copies.racers(of: TaskID(1)) == [node(4)])
        // The word to stop may be lost: it is said again.
        #expect(race.heard(3, 3, 3) == set(1..<2))
    }

    /// While a copy was not heard another took its place; now there are three, and one is too many.
    @Test func aThirdCopyStops() {
        var race = Race(plan)
        race.copies.measured(.seconds(1_000_000))
        race.copies.speculated(TaskID(1), on: node(3), predicted: 1, now: at(0))
        _ = race.heard(1, 3, 1)
        race.claims.advance(now: at(5))
        race.copies.advance(race.claims, now: at(5))
        #expect(race.copies.racers(of: TaskID(1)) == [])
        for copy: UInt64 in 4...5 {
            race.copies.speculated(TaskID(1), on: node(copy), predicted: 1, now: at(5))
        }
        #expect([4, 5].allSatisfy { race.heard(1, $0, 6).isEmpty })
        #expect(race.heard(2, 3, 7) == set(1..<2))
        #expect(race.copies.racers(of: TaskID(1)) == [node(4), node(5)])
    }
}
