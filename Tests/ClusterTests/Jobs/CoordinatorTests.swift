import Testing

@testable import Cluster

/// Node 1 of three coordinates a job of eight tasks; the transcript shows what it says and asks for.
@Suite struct CoordinatorTests {
    let plan = testPlan(8)
    let three = view(3)
    let first = Term(counter: 1, node: node(1), start: 1)

    func message(_ body: JobMessage.Body, term: Term? = nil, run: UInt32 = 1) -> JobMessage {
        JobMessage(job: job(1), run: RunID(run), term: term ?? first, body: body)
    }

    func kept(_ machine: NodeJobs, plan: Digest? = nil, done: TaskSet = TaskSet(), checksum: UInt64 = 0)
        -> JobMessage
    {
        let revision = machine.coordinators[job(1)]?.header.reign.revision ?? 0
        return message(.kept(first, revision: revision, plan: plan, done: done, checksum: checksum))
    }

    /// What was sent, and to whom.
    func sent(_ actions: [JobAction], to peer: NodeID) -> [JobMessage.Body] {
        actions.compactMap { action in
            guard case .send(let message, to: peer) = action else { return nil }
            return message.body
        }
    }

    /// Up to the first grants.
    func running() -> NodeJobs {
        var (machine, dice) = (NodeJobs(view: three, slots: 1), TestGenerator(1))
        _ = machine.submit(job(1), title: "t", request: digest(1), now: at(0))
        guard let header = machine.coordinators[job(1)]?.header else { return machine }
        _ = machine.persisted(header, plan: nil, now: at(0.1))
        _ = machine.received(kept(machine), from: node(2), now: at(0.2))
        _ = machine.received(kept(machine), from: node(3), now: at(0.2))
        _ = machine.planned(job(1), run: .first, plan, now: at(0.3))
        _ = machine.received(kept(machine, plan: plan.digest), from: node(2), now: at(0.4))
        _ = machine.received(kept(machine, plan: plan.digest), from: node(3), now: at(0.4))
        _ = machine.advance(now: at(0.4), using: &dice)
        return machine
    }

    @Test func aJobIsOnTwoDisksBeforeItIsPlannedAndItsPlanBeforeItStarts() throws {
        var machine = NodeJobs(view: three, slots: 1)
        let (refusal, asked) = machine.submit(job(1), title: "t", request: digest(1), now: at(0))
        #expect(refusal == nil)
        let header = try #require(machine.coordinators[job(1)]?.header)
        #expect(asked == [.persist(header, contentFrom: nil)])
        // Nothing is said before the term is on our disk; then the two best candidates are asked.
        let stored = machine.persisted(header, plan: nil, now: at(0.1))
        #expect(stored.first == .changed(header))
        #expect(sent(stored, to: node(2)) == [.keep(header)])
        #expect(sent(stored, to: node(3)) == [.keep(header)])
        let confirmed = machine.received(kept(machine), from: node(2), now: at(0.2))
        #expect(confirmed.contains(.acknowledged(job(1), copies: 2)))
        #expect(confirmed.last == .plan(job(1), .first, fingerprint: engine))
        // The plan is there, a keeper lacks it: no grant yet.
        let planned = machine.planned(job(1), run: .first, plan, now: at(0.3))
        #expect(!planned.contains { if case .start = $0 { true } else { false } })
        let shared = machine.received(kept(machine, plan: plan.digest), from: node(2), now: at(0.4))
        #expect(shared.contains(.start(job(1), TaskID(0), plan: plan.digest, isolated: false)))
        #expect(
            sent(shared, to: node(2)).contains {
                if case .grant(let grant) = $0 { grant.tasks == set(4..<8) } else { false }
            })
    }

    /// A member that says to keep what never was is no second disk (seeds 200151 and 200274).
    @Test func whoKeepsWhatNeverWasIsNoKeeper() throws {
        var machine = NodeJobs(view: three, slots: 1)
        _ = machine.submit(job(1), title: "t", request: digest(1), now: at(0))
        let header = try #require(machine.coordinators[job(1)]?.header)
        _ = machine.persisted(header, plan: nil, now: at(0.1))
        let revision = header.reign.revision
        func told(_ revision: UInt32, _ done: TaskSet) -> [JobAction] {
            let body = JobMessage.Body.kept(
                first, revision: revision, plan: digest(9), done: done, checksum: 0)
            return machine.received(message(body), from: node(2), now: at(0.2))
        }
        let tooNew = "says that it keeps revision \(revision + 1) of \(first), which is at \(revision)"
        #expect(told(revision + 1, TaskSet()) == [.drop(node(2), reason: tooNew)])
        let beyond = TaskSet(JobPlan.mostTasks, JobPlan.mostTasks + 1)
        #expect(
            told(revision, beyond) == [
                .drop(node(2), reason: "a log of task \(JobPlan.mostTasks), beyond any plan")
            ])
        #expect(machine.coordinators[job(1)]?.keepers.copies == 0)
    }

    /// A restarted coordinator whose disk is full has a term that nobody may hear of (seed 350008).
    @Test func nothingIsSaidUnderATermThatTheDiskHasNotTaken() throws {
        var (machine, dice) = (NodeJobs(view: three, slots: 1), TestGenerator(1))
        let past = Term(counter: 1, node: node(1), start: 9)
        let header = JobHeader(id: job(1), title: "t", request: digest(1), term: past)
        _ = machine.restore(header, plan: nil, done: [], blobs: [], finishedFor: .zero, now: at(0))
        for step in 1...20 { _ = machine.advance(now: at(Double(step) * 0.25), using: &dice) }
        let term = try #require(machine.coordinators[job(1)]?.header.term)
        #expect(term == past.next(for: node(1), start: 1))
        let ask = AskForWork(request: 1, start: 1, idleSlots: 1, secondsPerCost: 1)
        let question = message(.ask(ask, asVictim: false), term: past)
        let answer = machine.received(question, from: node(2), now: at(6))
        #expect(sent(answer, to: node(2)).isEmpty)
    }

    /// Who takes a job over without its plan, and makes the same plan again, still knows the results that it
    /// was told under the old one (seed 200137).
    @Test func aPlanThatIsMadeAgainFindsItsResults() throws {
        var (machine, dice) = (NodeJobs(view: three, slots: 1), TestGenerator(1))
        let gone = Term(counter: 1, node: node(2), start: 1)
        let early = JobHeader(id: job(1), title: "t", request: digest(1), term: gone)
        _ = machine.restore(early, plan: nil, done: [], blobs: [], finishedFor: .zero, now: at(0))
        var planned = early
        planned.reign.plan = plan.digest
        planned.reign.revision = 1
        _ = machine.received(
            JobMessage(job: job(1), run: .first, term: gone, body: .header(planned)), from: node(2),
            now: at(0))
        _ = machine.planKnown(job(1), plan, now: at(0.1))
        _ = machine.received(
            JobMessage(
                job: job(1), run: .first, term: gone, body: .results(plan: plan.digest, [result(6)])),
            from: node(2), now: at(0.2))
        #expect(machine.done(of: job(1))?.done == set(6..<7))
        // The successor's header has lost the plan, and then the successor: we are the last resort.
        let lost = JobHeader(
            id: job(1), title: "t", request: digest(1), term: gone.next(for: node(3), start: 1))
        _ = machine.received(
            JobMessage(job: job(1), run: .first, term: lost.term, body: .header(lost)), from: node(3),
            now: at(0.3))
        _ = machine.viewChanged(view(3, dead: [2, 3]), now: at(4))
        for step in 0..<10 { _ = machine.advance(now: at(5 + Double(step)), using: &dice) }
        let mine = try #require(machine.coordinators[job(1)]?.header)
        #expect(mine.reign.plan == nil)
        _ = machine.persisted(mine, plan: nil, now: at(20))
        _ = machine.planned(job(1), run: .first, plan, now: at(20.1))
        #expect(machine.done(of: job(1))?[TaskID(6)] == result(6).digest)
        #expect(machine.coordinators[job(1)]?.done?.done == set(6..<7))
    }

    @Test func aResultGoesToTheDiskTheKeepersAndIsPulledOnce() {
        var machine = running()
        let finished = message(
            .finished(plan: plan.digest, result(6), took: .seconds(1), start: 1, holdSequence: 1))
        let actions = machine.received(finished, from: node(2), now: at(2))
        #expect(actions.contains(.persistResults(job(1), plan: plan.digest, [result(6)])))
        #expect(actions.contains(.pull(job(1), plan: plan.digest, result(6), from: [node(2)])))
        #expect(sent(actions, to: node(3)) == [.results(plan: plan.digest, [result(6)])])
        #expect(machine.received(finished, from: node(2), now: at(2.1)) == [])
        let held = machine.pulled(job(1), plan: plan.digest, result(6), from: node(2), .held, now: at(2.2))
        #expect(!held.contains { if case .pull = $0 { true } else { false } })
        #expect(machine.coordinators[job(1)]?.holders?.holders(of: TaskID(6)) == [node(1), node(2)])
    }

    @Test func twoDigestsOfATaskFailTheJobLoudly() {
        var machine = running()
        func finish(_ digest: Digest, _ peer: UInt64) -> [JobAction] {
            let result = TaskResult(task: TaskID(6), digest: digest)
            let body = JobMessage.Body.finished(
                plan: plan.digest, result, took: .seconds(1), start: 1, holdSequence: 1)
            return machine.received(message(body), from: node(peer), now: at(2))
        }
        _ = finish(digest(1), 2)
        #expect(finish(digest(2), 3).contains(.conflict(job(1), TaskID(6), digest(1), digest(2))))
        #expect(machine.book[job(1)]?.state.manifest == .partial(done: 1, outputs: nil))
        #expect(machine.done(of: job(1))?[TaskID(6)] ?? digest(1) == digest(1))
    }

    @Test func aKeepersLogThatDiffersIsComparedAndConflictsAreFound() {
        var machine = running()
        let body = JobMessage.Body.finished(
            plan: plan.digest, result(6), took: .seconds(1), start: 1, holdSequence: 1)
        _ = machine.received(message(body), from: node(2), now: at(2))
        let other = TaskResult(task: TaskID(6), digest: digest(5))
        var log = DoneLog(plan: plan.digest, count: 8)
        _ = log.add(other)
        let answer = machine.received(
            kept(machine, plan: plan.digest, done: log.done, checksum: log.checksum(of: log.done)),
            from: node(3),
            now: at(3))
        #expect(sent(answer, to: node(3)).contains(.wantResults(plan: plan.digest, set(6..<7))))
        let told = machine.received(
            message(.results(plan: plan.digest, [other])), from: node(3), now: at(3.1))
        #expect(told.contains(.conflict(job(1), TaskID(6), result(6).digest, digest(5))))
    }

    @Test func aLowerTermIsToldTheHigherOneAndNotObeyed() throws {
        var machine = running()
        let header = try #require(machine.book[job(1)])
        var reign = Reign(term: first.next(for: node(2), start: 1))
        (reign.phase, reign.plan, reign.fingerprint) = (.running, plan.digest, engine)
        let higher = JobHeader(
            id: job(1), title: "t", request: digest(1), reign: reign, state: header.state)
        let down = machine.received(message(.header(higher), term: higher.term), from: node(2), now: at(3))
        #expect(machine.coordinators[job(1)] == nil)
        // Our own share is told to the winner at once.
        #expect(sent(down, to: node(2)).contains { if case .heartbeat = $0 { true } else { false } })
        let grant = Grant(plan: plan.digest, request: nil, tasks: set(7..<8))
        #expect(
            machine.received(message(.grant(grant)), from: node(3), now: at(3.1))
                == [.send(message(.header(higher), term: higher.term), to: node(3))])
        #expect(!machine.worker.owned(of: job(1)).contains(TaskID(7)))
        // And whatever comes late for the coordinator that we were says nothing.
        let late = message(.heartbeat(plan: plan.digest, beat(9, set(4..<8))))
        #expect(
            machine.received(late, from: node(3), now: at(3.2))
                == [.send(message(.header(higher), term: higher.term), to: node(3))])
    }

    @Test func impossibleMessagesDropThePeerAndChangeNothing() {
        var machine = running()
        let bad: [JobMessage.Body] = [
            .heartbeat(plan: plan.digest, beat(9, set(0..<9))),
            .holdings(plan: plan.digest, set(0..<9), start: 1, sequence: 1),
            .knows(plan: plan.digest, set(0..<9), checksum: 0),
            .failed(plan: plan.digest, TaskID(8), .error(reason: "x")),
            .finished(plan: plan.digest, result(8), took: nil, start: 1, holdSequence: 1),
            .results(plan: plan.digest, (0..<501).map { _ in result(1) }),
        ]
        for body in bad {
            let actions = machine.received(message(body), from: node(2), now: at(2))
            guard case .drop(node(2), _)? = actions.first, actions.count == 1 else {
                Issue.record("\(body) gave \(actions)")
                continue
            }
        }
        #expect(machine.coordinators[job(1)]?.done?.done == TaskSet())
    }

    /// A node without room tries nothing, so nothing waits for its verdict.
    @Test func aNodeWithoutRoomHasNoVoiceInPoison() {
        var machine = running()
        _ = machine.viewChanged(view(3, noRoom: [2, 3]), now: at(1))
        _ = machine.failed(job(1), plan: plan.digest, TaskID(0), .error(reason: "bad"), now: at(2))
        #expect(machine.coordinators[job(1)]?.failures.poison == set(0..<1))
    }

    @Test func everyMessageDoubledChangesNothingMore() {
        var machine = running()
        let messages: [JobMessage.Body] = [
            .heartbeat(plan: plan.digest, beat(1, set(4..<8), running: [4])),
            .finished(plan: plan.digest, result(4), took: .seconds(1), start: 1, holdSequence: 1),
            .failed(plan: plan.digest, TaskID(5), .error(reason: "x")),
            .failed(plan: plan.digest, TaskID(7), .input(reason: "x")),
            .holdings(plan: plan.digest, set(4..<5), start: 1, sequence: 1),
        ]
        for body in messages {
            _ = machine.received(message(body), from: node(2), now: at(2))
            let once = machine.coordinators[job(1)]
            _ = machine.received(message(body), from: node(2), now: at(2))
            let twice = machine.coordinators[job(1)]
            #expect(once?.claims?.open == twice?.claims?.open)
            #expect(once?.free == twice?.free)
            #expect(once?.done == twice?.done)
            #expect(once?.failures == twice?.failures)
            #expect(once?.holders == twice?.holders)
            #expect(once?.header == twice?.header)
        }
    }
}

@Suite struct FailuresTests {
    @Test func inputsAreTriedAgainAfterOneToSixtySeconds() {
        var failures = Failures()
        var now = 0.0
        for pause in [1.0, 2, 4, 8, 16, 32, 60, 60] {
            let outcome = failures.failed(
                TaskID(1), on: node(1), .input(reason: "503"), live: [node(1)], now: at(now))
            #expect(outcome == .wait)
            #expect(failures.nextDeadline == at(now + pause))
            // Doubled: nothing changes.
            _ = failures.failed(TaskID(1), on: node(1), .input(reason: "503"), live: [node(1)], now: at(now))
            #expect(failures.nextDeadline == at(now + pause))
            now += pause
            #expect(failures.advance(live: [node(1)], now: at(now)).retry == TaskSet([TaskID(1)]))
        }
        failures.succeeded(TaskID(1))
        #expect(failures == Failures())
    }

    @Test func errorsArePoisonWhenEveryLiveNodeFailed() {
        var failures = Failures()
        let live = [node(1), node(2), node(3), node(4)]
        func fail(_ n: UInt64) -> Failures.Outcome {
            failures.failed(TaskID(1), on: node(n), .error(reason: "bad"), live: live, now: at(0))
        }
        #expect(fail(1) == .elsewhere)
        #expect(fail(1) == .elsewhere)
        #expect(fail(2) == .elsewhere)
        #expect(failures.avoided(by: node(1)) == TaskSet([TaskID(1)]))
        // The others die: nobody is left to try it.
        #expect(failures.advance(live: [node(1), node(2)], now: at(1)).poisoned == TaskSet([TaskID(1)]))
        #expect(failures.reason(TaskID(1)) == "bad")
    }

    @Test func aTaskWhoseProcessDiedTwiceRunsInAChildProcess() {
        var failures = Failures()
        failures.crashed(TaskID(1), on: node(1), start: 5)
        failures.crashed(TaskID(1), on: node(1), start: 5)
        #expect(!failures.needsIsolation(TaskID(1)))
        failures.crashed(TaskID(1), on: node(1), start: 6)
        #expect(failures.needsIsolation(TaskID(1)))
    }
}

@Suite struct PublicationTests {
    @Test func theManifestComesAfterTheSecondCopy() {
        var publication = Publication(hasObjectStore: false)
        #expect(publication.begin(bytes: 0, now: at(0)) == [.assemble])
        #expect(publication.begin(bytes: 0, now: at(0)) == [])
        let asked = publication.assembled(digest(1), view(3), keepers: [node(3)], now: at(1))
        #expect(asked == [.copy(outputs: digest(1), to: node(3))])
        #expect(publication.nextDeadline == at(11))
        #expect(
            publication.advance(view(3), keepers: [node(3)], now: at(11)) == [
                .copy(outputs: digest(1), to: node(2))
            ])
        #expect(publication.copied(digest(2), by: node(2), me: node(1)) == [])
        let done = publication.copied(digest(1), by: node(3), me: node(1))
        #expect(done == [.publish(outputs: digest(1), holders: [node(1), node(3)])])
        #expect(publication.copied(digest(1), by: node(2), me: node(1)) == [])
    }

    @Test func aloneItPublishesAndCopiesToTheFirstPeer() {
        var publication = Publication(hasObjectStore: false)
        _ = publication.begin(bytes: 0, now: at(0))
        let alone = publication.assembled(digest(1), view(1), keepers: [], now: at(1))
        #expect(alone == [.publish(outputs: digest(1), holders: [node(1)])])
        #expect(
            publication.advance(view(2), keepers: [], now: at(50)) == [.copy(outputs: digest(1), to: node(2))]
        )
        #expect(publication.copied(digest(1), by: node(2), me: node(1)) == [.held(by: node(2))])
    }

    @Test func anInterruptedAssemblyDoesNotCount() {
        var publication = Publication(hasObjectStore: true)
        _ = publication.begin(bytes: 0, now: at(0))
        publication.interrupt()
        #expect(publication.assembled(digest(1), view(1), keepers: [], now: at(1)) == [])
        #expect(publication.begin(bytes: 0, now: at(2)) == [.assemble])
        let done = publication.assembled(digest(2), view(1), keepers: [], now: at(3))
        #expect(done == [.publish(outputs: digest(2), holders: [node(1)])])
    }

    @Test func aFailedAssemblyIsTriedAgain() {
        var publication = Publication(hasObjectStore: true)
        _ = publication.begin(bytes: 0, now: at(0))
        #expect(publication.failed(reason: "disk full", now: at(0)) == [])
        #expect(publication.nextDeadline == at(1))
        #expect(publication.advance(view(1), keepers: [], now: at(1)) == [.assemble])
        #expect(publication.failed(reason: "disk full", now: at(2)) == [])
        #expect(publication.nextDeadline == at(4))
    }
}
