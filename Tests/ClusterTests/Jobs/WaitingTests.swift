import Testing

@testable import Cluster

/// Nothing waits for ever: each test is something that the simulator once found waiting.
@Suite struct WaitingTests {
    let plan = testPlan(4)

    func grant(_ tasks: Range<Int>) -> Grant { Grant(plan: plan.digest, request: nil, tasks: set(tasks)) }

    func worker(_ tasks: Range<Int>) -> Worker {
        var worker = Worker(of: node(1), slots: 1, memory: .max)
        _ = worker.granted(grant(tasks), of: job(1), run: .first, plan: plan, held: nil, now: at(0))
        return worker
    }

    @Test func aResultWhoseBlobIsLostIsToldNoMore() {
        var worker = worker(0..<2)
        _ = worker.finished(result(0), of: job(1), now: at(1))
        let before = worker.heartbeat(of: job(1), start: 1, holdSequence: 1, now: at(1))
        #expect(before?.unconfirmed == [result(0)])
        worker.lostBlob(TaskID(0), of: job(1), plan: plan.digest)
        let after = worker.heartbeat(of: job(1), start: 1, holdSequence: 2, now: at(2))
        #expect(after?.unconfirmed == [])
        #expect(after?.owned == set(1..<2))
    }

    @Test func aTaskThatHangsIsStoppedAndCountsAsFailed() {
        var worker = worker(0..<2)
        worker.progressed(TaskID(0), of: job(1), to: 1, now: at(30))
        #expect(!worker.advance(now: at(149)).contains { if case .failed = $0 { true } else { false } })
        let reason = "it did not get on for 120 s and more"
        #expect(
            worker.advance(now: at(150)) == [
                .stop(job(1), TaskID(0)),
                .failed(job(1), TaskID(0), plan: plan.digest, reason: reason),
                .start(job(1), TaskID(1), plan: plan.digest, isolated: false),
                .beat(job(1)),
            ])
    }

    /// 120 s of which the process itself slept 100 say nothing about the task.
    @Test func aStallIsNoHanging() {
        var worker = worker(0..<1)
        worker.stalled(.seconds(100))
        #expect(!worker.advance(now: at(125)).contains { if case .stop = $0 { true } else { false } })
    }

    @Test func aTaskThatTwoProcessesDiedOfRunsInAChildProcess() {
        var machine = NodeJobs(view: view(1), slots: 1)
        machine.died(job(1), plan: plan.digest, [TaskID(0): 2, TaskID(1): 1])
        let actions = machine.worker.granted(
            grant(0..<2), of: job(1), run: .first, plan: plan, held: nil, now: at(0))
        #expect(actions.first == .start(job(1), TaskID(0), plan: plan.digest, isolated: true))
        let (_, next) = machine.worker.finished(result(0), of: job(1), now: at(1))
        #expect(next == [.start(job(1), TaskID(1), plan: plan.digest, isolated: false)])
    }

    /// The coordinator is silent for half a minute: the user hears so.
    @Test func aRequestIsAnsweredWhoeverIsSilent() {
        var (machine, dice) = (NodeJobs(view: view(2), slots: 1), TestGenerator(1))
        let term = Term(counter: 1, node: node(2), start: 1)
        let header = JobHeader(id: job(1), title: "t", request: digest(1), term: term)
        _ = machine.received(
            .headers([AgedHeader(header: header, finishedFor: .zero)]), from: node(2), now: at(0))
        _ = machine.request(.cancel, job(1), run: .first, number: 7, now: at(1))
        func isAnswer(_ action: JobAction) -> Bool {
            if case .answered(job(1), number: 7, .refused) = action { true } else { false }
        }
        #expect(!machine.advance(now: at(30.9), using: &dice).contains(where: isAnswer))
        #expect(machine.advance(now: at(32), using: &dice).contains(where: isAnswer))
        #expect(!machine.advance(now: at(40), using: &dice).contains(where: isAnswer))
    }

    @Test func aHeaderThatTheFullDiskDidNotTakeIsWrittenAgain() throws {
        var (machine, dice) = (NodeJobs(view: view(1), slots: 1), TestGenerator(1))
        _ = machine.submit(job(1), title: "t", request: digest(1), now: at(0))
        let header = try #require(machine.coordinators[job(1)]?.header)
        #expect(machine.persistFailed(header, reason: "the disk is full", now: at(0.1)) == [])
        #expect(machine.nextDeadline == at(1.1))
        #expect(machine.advance(now: at(1.1), using: &dice) == [.persist(header, contentFrom: nil)])
        #expect(machine.persisted(header, plan: nil, now: at(1.2)).contains(.acknowledged(job(1), copies: 1)))
    }

    /// A coordinator that restarts on a full disk ends nothing under its new term before the disk has it.
    @Test func aCancelWaitsForTheTermOnDisk() throws {
        var (machine, dice) = (NodeJobs(view: view(1), slots: 1), TestGenerator(1))
        let old = Reign(term: Term(counter: 1, node: node(1), start: 9))
        let state = RunState(run: .first, manifest: .running, author: old.term)
        let known = JobHeader(id: job(1), title: "t", request: digest(1), reign: old, state: state)
        _ = machine.restore(known, plan: nil, done: [], blobs: [], finishedFor: .zero, now: at(0))
        for tenth in 1...20 { _ = machine.advance(now: at(Double(tenth) / 10), using: &dice) }
        let mine = try #require(machine.coordinators[job(1)]?.header)
        #expect(mine.term.counter == 2)
        #expect(machine.persistFailed(mine, reason: "the disk is full", now: at(2.1)) == [])
        #expect(machine.request(.cancel, job(1), run: .first, number: 7, now: at(2.2)) == [])
        #expect(machine.coordinators[job(1)]?.isStored == false)
        _ = machine.persisted(mine, plan: nil, now: at(3))
        let answer = JobAction.answered(job(1), number: 7, .accepted)
        #expect(machine.advance(now: at(3.2), using: &dice).contains(answer))
        #expect(machine.book[job(1)]?.state.manifest == .cancelled)
    }

    /// Both disks with the plan are gone: the last node takes over, looks for a quarter of an hour, and says
    /// why the run failed.
    @Test func aRunWithoutItsPlanFailsInTheEnd() throws {
        var (machine, dice) = (NodeJobs(view: view(1), slots: 1), TestGenerator(1))
        var reign = Reign(term: Term(counter: 1, node: node(8), start: 1))
        (reign.keepers, reign.plan, reign.fingerprint) = ([node(9)], plan.digest, engine)
        let state = RunState(run: .first, manifest: .running, author: reign.term)
        let known = JobHeader(id: job(1), title: "t", request: digest(1), reign: reign, state: state)
        _ = machine.restore(known, plan: nil, done: [], blobs: [], finishedFor: .zero, now: at(0))
        _ = machine.advance(now: at(0), using: &dice)
        let mine = try #require(machine.coordinators[job(1)]?.header)
        #expect(mine.term.counter == 2)
        let stored = machine.persisted(mine, plan: nil, now: at(1))
        #expect(stored.contains { if case .fetchPlan(job(1), plan.digest, _) = $0 { true } else { false } })
        for second in 2...899 { _ = machine.advance(now: at(Double(second)), using: &dice) }
        #expect(machine.book[job(1)]?.reign.phase == .waitingForPlan)
        #expect(machine.book[job(1)]?.isLive == true)
        for second in 900...902 { _ = machine.advance(now: at(Double(second)), using: &dice) }
        let ended = try #require(machine.book[job(1)])
        #expect(!ended.isLive)
        #expect(ended.state.manifest == .partial(done: 0, outputs: nil))
        #expect(ended.note == "no live node has the plan; start one that kept the job and resume it")
    }

    /// The disk answers a coordinator that has stepped down and never had the plan: it keeps no whole record.
    @Test func aHeaderWithoutItsPlanIsNoRecord() throws {
        var (machine, dice) = (NodeJobs(view: view(2), slots: 1), TestGenerator(1))
        var reign = Reign(term: Term(counter: 1, node: node(8), start: 1))
        (reign.keepers, reign.plan, reign.fingerprint) = ([node(1)], plan.digest, engine)
        let state = RunState(run: .first, manifest: .running, author: reign.term)
        let known = JobHeader(id: job(1), title: "t", request: digest(1), reign: reign, state: state)
        _ = machine.received(
            .headers([AgedHeader(header: known, finishedFor: .zero)]), from: node(2), now: at(0))
        for second in 0...5 { _ = machine.advance(now: at(Double(second)), using: &dice) }
        let mine = try #require(machine.coordinators[job(1)]?.header)
        var higher = known
        higher.reign = Reign(term: Term(counter: 9, node: node(2), start: 1))
        (higher.reign.plan, higher.reign.fingerprint) = (plan.digest, engine)
        _ = machine.received(
            .headers([AgedHeader(header: higher, finishedFor: .zero)]), from: node(2), now: at(6))
        #expect(machine.coordinators[job(1)] == nil)
        #expect(machine.persisted(mine, plan: nil, now: at(7)) == [])
        #expect(machine.standing(job(1)) == .notKept(reason: "no record here"))
    }

    /// A coordinator that lies grants a million million tasks of a plan that is not here yet.
    @Test func aGrantBeyondAnyPlanIsRefused() {
        var machine = NodeJobs(view: view(2), slots: 1)
        let term = Term(counter: 1, node: node(2), start: 1)
        let header = JobHeader(id: job(1), title: "t", request: digest(1), term: term)
        _ = machine.received(
            .headers([AgedHeader(header: header, finishedFor: .zero)]), from: node(2), now: at(0))
        let grant = Grant(plan: plan.digest, request: nil, tasks: TaskSet(0, 1 << 40))
        let message = JobMessage(job: job(1), run: .first, term: term, body: .grant(grant))
        #expect(
            machine.received(message, from: node(2), now: at(1))
                == [.drop(node(2), reason: "grants task 1099511627775, beyond any plan")])
        #expect(machine.worker.owned(of: job(1)).isEmpty)
    }

    /// The only node with enough memory is gone: the task waits, by name, and not silently.
    @Test func aTaskTooLargeForEveryLiveNodeWaitsByName() throws {
        let large = JobPlan(
            digest: digest(3), fingerprint: engine,
            tasks: [PlannedTask(key: digest(4), cost: 1, memory: 1 << 33)])
        let own = Peer(id: node(1), start: 1, fingerprint: engine, memory: 1 << 30)
        var machine = NodeJobs(view: PeerView(me: node(1), peers: [own]), slots: 1)
        var dice = TestGenerator(1)
        _ = machine.submit(job(1), title: "t", request: digest(1), now: at(0))
        let header = try #require(machine.coordinators[job(1)]?.header)
        _ = machine.persisted(header, plan: nil, now: at(0.1))
        _ = machine.planned(job(1), run: .first, large, now: at(0.2))
        _ = machine.advance(now: at(0.3), using: &dice)
        let coordinator = try #require(machine.coordinators[job(1)])
        #expect(coordinator.failures.waiting == set(0..<1))
        #expect(
            coordinator.failures.reason(TaskID(0))
                == "it needs 8589934592 bytes of memory, live nodes have 1073741824")
        #expect(machine.book[job(1)]?.reign.phase == .waitingForInput)
    }
}
