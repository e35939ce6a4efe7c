import Testing

@testable import Cluster

@Suite struct TaskSetTests {
    @Test func behavesLikeASetOfIntegers() {
        var dice = TestGenerator(3)
        func random() -> (TaskSet, Set<Int>) {
            var (ranges, model) = (TaskSet(), Set<Int>())
            for _ in 0..<Int(dice.next() % 6) {
                let lower = Int(dice.next() % 30)
                let upper = lower + Int(dice.next() % 8)
                if dice.happens(0.7) {
                    ranges.insert(TaskRange(lower, upper))
                    model.formUnion(lower..<upper)
                } else {
                    ranges.remove(TaskRange(lower, upper))
                    model.subtract(lower..<upper)
                }
            }
            return (ranges, model)
        }
        func list(_ model: Set<Int>) -> [TaskID] { model.sorted().map(TaskID.init) }
        for _ in 0..<1000 {
            let ((a, x), (b, y)) = (random(), random())
            #expect(a.tasks == list(x))
            #expect(a.count == x.count)
            #expect(a.union(b).tasks == list(x.union(y)))
            #expect(a.intersection(b).tasks == list(x.intersection(y)))
            #expect(a.subtracting(b).tasks == list(x.subtracting(y)))
            #expect(a == TaskSet(list(x).reversed()))
            #expect((0..<40).allSatisfy { a.contains(TaskID($0)) == x.contains($0) })
            #expect(TaskSet(decoding: a.encoded, count: 40) == a)
            #expect(TaskSet(checking: a.ranges, count: 40) == a)
        }
    }

    @Test func hostileRangesAreRefused() {
        #expect(TaskSet(checking: [TaskRange(4, 8), TaskRange(6, 9)], count: 10) == nil)
        #expect(TaskSet(checking: [TaskRange(4, 11)], count: 10) == nil)
        #expect(TaskSet(checking: [TaskRange(4, 4)], count: 10) == nil)
        #expect(TaskSet(checking: [TaskRange(-4, 2)], count: 10) == nil)
        #expect(TaskSet(decoding: [0, 11], count: 10) == nil)
        #expect(TaskSet(decoding: [0, 0], count: 10) == nil)
        #expect(TaskSet(decoding: [255, 255, 255, 255, 255, 255, 255, 255, 255, 1], count: 10) == nil)
        #expect(TaskSet(decoding: [3], count: 10) == nil)
        #expect(set(0..<100_000).encoded.count == 4)
    }
}

@Suite struct SplittingTests {
    @Test func theTailIsHalfOfTheCostNotOfTheTasks() {
        let plan = testPlan(8) { $0 < 6 ? 1 : 3 }
        #expect(plan.tail(of: plan.all, cost: 6) == set(6..<8))
        #expect(plan.tail(of: set(0..<6), cost: 3) == set(3..<6))
        #expect(plan.tail(of: set(7..<8), cost: 0.3) == set(7..<8))
        #expect(plan.tail(of: TaskSet(), cost: 1) == TaskSet())
        #expect(plan.tail(of: set(0..<2, 4..<6), cost: 2) == set(4..<6))
    }

    @Test func offersAreRangesOfEqualCost() {
        let even = Offers.split(testPlan(12).all, of: testPlan(12), among: [node(1), node(2)])
        #expect(even == [.init(node: node(1), tasks: set(0..<6)), .init(node: node(2), tasks: set(6..<12))])
        let dear = testPlan(12) { $0 < 3 ? 3 : 1 }
        #expect(
            Offers.split(dear.all, of: dear, among: [node(1), node(2)]).map(\.tasks) == [
                set(0..<3), set(3..<12),
            ])
        // Not more than a range for four tasks, and at least one.
        #expect(Offers.split(testPlan(9).all, of: testPlan(9), among: (1...5).map { node($0) }).count == 2)
        #expect(
            Offers.split(testPlan(2).all, of: testPlan(2), among: (1...5).map { node($0) }).map(\.tasks) == [
                set(0..<2)
            ])
        #expect(
            Offers.preference([node(1), node(2), node(3)], holdingInputs: [node(2)]) == [
                node(2), node(1), node(3),
            ])
    }

    @Test func offersCoverEverythingOnce() {
        var dice = TestGenerator(9)
        for _ in 0..<300 {
            let count = 1 + Int(dice.next() % 200)
            let costs = (0..<count).map { _ in Double(1 + dice.next() % 100) }
            let plan = testPlan(count) { costs[$0] }
            let nodes = (1...(1 + dice.next() % 20)).map { node($0) }
            let offers = Offers.split(plan.all, of: plan, among: nodes)
            #expect(offers.reduce(TaskSet()) { $0.union($1.tasks) } == plan.all)
            #expect(offers.reduce(0) { $0 + $1.tasks.count } == count)
        }
    }

    @Test func theModelLearnsAndForgetsItsGuess() {
        var model = CostModel(secondsPerCost: 100)
        model.learn(predicted: 2, took: .seconds(4))
        #expect(model.secondsPerCost == 2)
        model.learn(predicted: 2, took: .seconds(8))
        #expect(model.secondsPerCost > 2.9 && model.secondsPerCost < 3.2)
        model.learn(predicted: .nan, took: .seconds(1))
        model.adopt(secondsPerCost: 50)
        #expect(model.measured == 2)
    }
}

@Suite struct ThiefTests {
    let target = Thief.Target(job: job(1), coordinator: node(1), workers: [node(2), node(3)])
    let orphan = Thief.Target(job: job(1), coordinator: nil, workers: [node(3)])

    @Test func anIdleNodeAsksTheCoordinatorAndThenTheVictim() {
        var (thief, dice) = (Thief(), TestGenerator(1))
        #expect(
            thief.ranDry([target], now: at(0), using: &dice)
                == [.ask(job(1), node(1), request: 1, asVictim: false)])
        #expect(thief.nextDeadline == at(1))
        #expect(thief.ranDry([target], now: at(0.5), using: &dice) == [])
        #expect(
            thief.pointed(at: node(2), request: 1, now: at(0.6))
                == [.ask(job(1), node(2), request: 2, asVictim: true)])
        // Doubled: the question is another one by now.
        #expect(thief.pointed(at: node(3), request: 1, now: at(0.7)) == [])
        #expect(thief.granted(2, now: at(0.8)) == true)
        #expect(thief.granted(2, now: at(0.8)) == false)
        #expect(thief.nextDeadline == nil)
    }

    @Test func aGrantOverTwoSecondsAfterItsRequestIsVoid() {
        var (thief, dice) = (Thief(), TestGenerator(1))
        _ = thief.ranDry([target], now: at(0), using: &dice)
        _ = thief.ranDry([target], now: at(1), using: &dice)
        #expect(thief.granted(1, now: at(2)) == true)
        #expect(thief.granted(2, now: at(3.1)) == false)
        #expect(thief.granted(99, now: at(3.1)) == false)
    }

    @Test func aRefusedThiefRests() {
        var (thief, dice) = (Thief(), TestGenerator(1))
        _ = thief.ranDry([target], now: at(0), using: &dice)
        thief.refused(1, byVictim: false, now: at(0.1))
        #expect(thief.nextDeadline == at(0.6))
        #expect(thief.ranDry([target], now: at(0.5), using: &dice) == [])
        #expect(thief.ranDry([target], now: at(0.6), using: &dice).count == 1)
        thief.refused(1, byVictim: true, now: at(0.7))
        #expect(thief.nextDeadline == at(1.6))
        thief.refused(2, byVictim: true, now: at(0.7))
        #expect(thief.nextDeadline == at(0.705))
    }

    @Test func withoutACoordinatorARandomWorkerIsAsked() {
        var (thief, dice) = (Thief(), TestGenerator(1))
        #expect(
            thief.ranDry([orphan], now: at(0), using: &dice)
                == [.ask(job(1), node(3), request: 1, asVictim: true)])
        var other = Thief()
        _ = other.ranDry([target], now: at(0), using: &dice)
        // The coordinator did not answer within a second.
        let second = other.ranDry([target], now: at(1), using: &dice)
        guard case .ask(_, let worker, request: 2, asVictim: true)? = second.first else {
            Issue.record("\(second)")
            return
        }
        #expect(target.workers.contains(worker))
    }

    @Test func jobsTakeTurns() {
        var (thief, dice) = (Thief(), TestGenerator(1))
        let two = [target, Thief.Target(job: job(2), coordinator: node(2), workers: [])]
        _ = thief.ranDry(two, now: at(0), using: &dice)
        thief.refused(1, byVictim: false, now: at(0))
        #expect(
            thief.ranDry(two, now: at(1), using: &dice)
                == [.ask(job(2), node(2), request: 2, asVictim: false)])
        #expect(thief.ranDry([], now: at(3), using: &dice) == [])
        #expect(thief.nextDeadline == nil)
    }
}

@Suite struct VictimTests {
    let plan = testPlan(10)
    let lan = LinkMeasure(roundTrip: .milliseconds(1), bytesPerSecond: 1e8)

    func load(_ queue: TaskSet, running: Double = 0, saturated: Bool = false) -> Victim.Load {
        Victim.Load(
            queue: queue, runningCost: running, slots: 1, model: CostModel(secondsPerCost: 1),
            isSaturated: saturated)
    }

    let ask = AskForWork(request: 1, start: 1, idleSlots: 1)

    @Test func givesHalfFromTheTail() {
        #expect(Victim.give(ask, from: load(plan.all), of: plan, over: lan) == set(5..<10))
        #expect(Victim.give(ask, from: load(set(3..<4), running: 1), of: plan, over: lan) == set(3..<4))
        // What runs counts, and cannot move.
        #expect(Victim.give(ask, from: load(set(1..<3), running: 2), of: plan, over: lan) == set(1..<3))
    }

    /// A task of 8 s at each end of six of 1 s, all of as many bytes. Who has to fetch them gets a dear one,
    /// and who has them takes cheap ones off those that would have to.
    @Test func bytesMoveForWhatComputesLongest() {
        let tasks = (0..<8).map { PlannedTask(key: digest(1), cost: $0 % 7 == 0 ? 8 : 1, inputBytes: 1000) }
        let plan = JobPlan(digest: digest(2), fingerprint: engine, tasks: tasks, inputHolders: [node(1)])
        var (queue, near) = (load(set(1..<8)), ask)
        near.holdsInputs = true
        #expect(plan.weights == [set(1..<7), set(0..<1, 7..<8)])
        #expect(Victim.give(ask, from: load(set(0..<7)), of: plan, over: lan) == set(0..<1))
        // Not dear enough: the tail of the others with it.
        #expect(
            Victim.give(ask, from: load(set(0..<7), running: 6), of: plan, over: lan) == set(0..<1, 5..<7))
        // Both have them: the tail, as ever.
        #expect(Victim.give(near, from: load(plan.all), of: plan, over: lan) == set(4..<8))
        queue.holdsInputs = false
        #expect(Victim.give(near, from: queue, of: plan, over: lan) == set(1..<7))
        #expect(Victim.give(ask, from: queue, of: plan, over: lan) == set(7..<8))
    }

    /// A task with a third of the bytes is like a whole one when it computes about a third: the range stays
    /// in one piece.
    @Test func tasksThatComputeAlikeForTheirBytesKeepTheCurve() {
        let tasks = (0..<8).map { number in
            PlannedTask(
                key: digest(1), cost: number % 2 == 0 ? 1 : 0.4, inputBytes: number % 2 == 0 ? 3000 : 1000)
        }
        let plan = JobPlan(digest: digest(2), fingerprint: engine, tasks: tasks, inputHolders: [node(1)])
        #expect(plan.weights == [plan.all])
        #expect(plan.heaviest(of: set(2..<8), cost: 2) == plan.tail(of: set(2..<8), cost: 2))
    }

    @Test func aSaturatedVictimGivesNothing() {
        #expect(Victim.give(ask, from: load(plan.all, saturated: true), of: plan, over: lan) == TaskSet())
    }

    @Test func theGainHasToExceedTwiceTheTransfer() {
        let tasks = (0..<4).map { _ in
            PlannedTask(key: digest(1), cost: 1, inputBytes: 80_000_000, resultBytes: 0)
        }
        let heavy = JobPlan(digest: digest(2), fingerprint: engine, tasks: tasks)
        // Two of four tasks: 2 s gained; 1.6 s of transfer.
        #expect(Victim.give(ask, from: load(heavy.all), of: heavy, over: lan) == TaskSet())
        let fast = LinkMeasure(roundTrip: .milliseconds(1), bytesPerSecond: 2e8)
        #expect(Victim.give(ask, from: load(heavy.all), of: heavy, over: fast) == set(2..<4))
        var near = ask
        near.holdsInputs = true
        #expect(Victim.give(near, from: load(heavy.all), of: heavy, over: lan) == set(2..<4))
    }

    @Test func aSlowThiefGetsLessAndAnEvenSlowerOneNothing() {
        var slow = ask
        slow.secondsPerCost = 4
        #expect(Victim.give(slow, from: load(plan.all), of: plan, over: lan) == set(8..<10))
        slow.secondsPerCost = 40
        #expect(Victim.give(slow, from: load(set(0..<2)), of: plan, over: lan) == TaskSet())
    }

    @Test func tasksThatNeedMoreMemoryStay() {
        let tasks = (0..<4).map { PlannedTask(key: digest(1), cost: 1, memory: $0 == 3 ? 100 : 1) }
        let plan = JobPlan(digest: digest(2), fingerprint: engine, tasks: tasks)
        var small = ask
        small.memory = 10
        #expect(Victim.give(small, from: load(plan.all), of: plan, over: lan) == set(2..<3))
    }
}

@Suite struct WorkerTests {
    let plan = testPlan(8) { [1, 5, 2, 1, 1, 1, 1, 1][$0] }

    func grant(_ tasks: TaskSet, request: UInt64? = nil, copies: Bool = false) -> Grant {
        Grant(plan: plan.digest, request: request, tasks: tasks, areCopies: copies)
    }

    func start(_ n: Int) -> Worker.Action { .start(job(1), TaskID(n), plan: plan.digest, isolated: false) }

    @Test func dearTasksOfARangeComeFirst() {
        var worker = Worker(of: node(1), slots: 2, memory: .max)
        #expect(
            worker.granted(grant(set(0..<4)), of: job(1), run: .first, plan: plan, held: nil, now: at(0))
                == [start(1), start(2), .beat(job(1))])
        #expect(worker.finished(result(1), of: job(1), now: at(5)).actions == [start(0)])
        // Until the coordinator confirms it, the result is still listed.
        #expect(worker.owned(of: job(1)) == set(0..<4))
        let reply = HeartbeatReply(sequence: 1, over: set(1..<2), elsewhere: TaskSet(), wantsHoldings: false)
        #expect(worker.replied(reply, of: job(1), now: at(5)) == [])
        #expect(worker.owned(of: job(1)) == set(0..<1, 2..<4))
    }

    /// Costs 5 and 4 are alike, and so are 2 and 1.5: of those the first comes first, for its neighbours'
    /// blocks are at hand.
    @Test func tasksOfAboutOneCostRunAlongTheCurve() {
        let plan = testPlan(5) { [1.5, 2, 4, 5, 1][$0] }
        var worker = Worker(of: node(1), slots: 1, memory: .max)
        let grant = Grant(plan: plan.digest, request: nil, tasks: plan.all, areCopies: false)
        var order: [TaskID] = []
        var actions = worker.granted(grant, of: job(1), run: .first, plan: plan, held: nil, now: at(0))
        while case .start(_, let task, _, _)? = actions.first, order.count < 5 {
            order.append(task)
            actions = worker.finished(result(task.index), of: job(1), now: at(Double(order.count))).actions
        }
        #expect(order == [2, 3, 0, 1, 4].map { TaskID($0) })
    }

    /// While two dear tasks compute, the third slot reads the inputs of a cheap one.
    @Test func theLastOfThreeSlotsTakesTheCheapest() {
        var worker = Worker(of: node(1), slots: 3, memory: .max)
        #expect(
            worker.granted(grant(set(0..<4)), of: job(1), run: .first, plan: plan, held: nil, now: at(0))
                == [start(1), start(2), start(3), .beat(job(1))])
    }

    /// The link is full with inputs from here: what is computed here need not go over it, so as many as
    /// possible; one slot stays for dear ones, which must not come last.
    @Test func whoHasTheInputsAndAFullLinkTakesCheapOnes() {
        let tasks = [1, 5, 2, 1, 1, 1, 1, 1.0].map { PlannedTask(key: digest(1), cost: $0) }
        let plan = JobPlan(
            digest: digest(2), fingerprint: engine, tasks: tasks, inputHolders: [node(1)])
        func started(_ me: NodeID, isFull: Bool) -> [Int] {
            var worker = Worker(of: me, slots: 3, memory: .max)
            worker.saturated(isFull)
            let grant = Grant(plan: plan.digest, request: nil, tasks: set(0..<4))
            let actions = worker.granted(grant, of: job(1), run: .first, plan: plan, held: nil, now: at(0))
            return actions.compactMap { if case .start(_, let task, _, _) = $0 { task.index } else { nil } }
        }
        #expect(started(node(1), isFull: true) == [1, 3, 0])
        #expect(started(node(1), isFull: false) == [1, 2, 3])
        #expect(started(node(2), isFull: true) == [1, 2, 3])
    }

    @Test func aDoubledGrantChangesNothing() {
        var worker = Worker(of: node(1), slots: 1, memory: .max)
        _ = worker.granted(grant(set(0..<4)), of: job(1), run: .first, plan: plan, held: nil, now: at(0))
        let again = worker.granted(
            grant(set(0..<4)), of: job(1), run: .first, plan: plan, held: nil, now: at(0.1))
        #expect(again == [.beat(job(1))])
        #expect(worker.owned(of: job(1)) == set(0..<4))
    }

    @Test func whatIsHeldAlreadyIsToldAndNotComputed() {
        var worker = Worker(of: node(1), slots: 1, memory: .max)
        var held = Holdings(plan: plan.digest)
        held.add(result(1))
        let actions = worker.granted(
            grant(set(1..<3)), of: job(1), run: .first, plan: plan, held: held, now: at(0))
        #expect(actions == [start(2), .beat(job(1))])
        let beat = worker.heartbeat(of: job(1), start: 1, holdSequence: 1, now: at(0))
        #expect(beat?.unconfirmed == [result(1)])
        #expect(beat?.owned == set(1..<3))
    }

    @Test func nothingStartsBeforeThePlanIsKnown() {
        var worker = Worker(of: node(1), slots: 1, memory: .max)
        #expect(
            worker.granted(grant(set(0..<4)), of: job(1), run: .first, plan: nil, held: nil, now: at(0))
                == [.fetchPlan(job(1), plan.digest), .beat(job(1))])
        #expect(!worker.isDry)
        #expect(worker.planKnown(plan, now: at(1)) == [start(1)])
    }

    @Test func theCoordinatorTakesBackWhatHasNotStartedAndStopsWhatIsDone() {
        var worker = Worker(of: node(1), slots: 1, memory: .max)
        _ = worker.granted(grant(set(0..<4)), of: job(1), run: .first, plan: plan, held: nil, now: at(0))
        let reply = HeartbeatReply(sequence: 1, over: set(1..<2), elsewhere: set(2..<3), wantsHoldings: false)
        #expect(worker.replied(reply, of: job(1), now: at(1)) == [.stop(job(1), TaskID(1)), start(0)])
        #expect(worker.owned(of: job(1)) == set(0..<1, 3..<4))
        // The stopped task may finish all the same: a fact is a fact.
        #expect(worker.finished(result(1), of: job(1), now: at(1)).took == nil)
        #expect(worker.owned(of: job(1)) == set(0..<2, 3..<4))
    }

    /// A copy that was taken back before it started, and comes again as a task like any other, starts
    /// (L3, seed 1400003669).
    @Test func aTaskThatWasACopyOnceStarts() {
        var worker = Worker(of: node(1), slots: 1, memory: .max)
        _ = worker.granted(grant(set(1..<2)), of: job(1), run: .first, plan: plan, held: nil, now: at(0))
        _ = worker.resized(slots: 2, memory: .max, hasRoom: true, now: at(0))
        let copy = grant(set(3..<5), copies: true)
        let racing = worker.granted(copy, of: job(1), run: .first, plan: plan, held: nil, now: at(0))
        #expect(racing == [start(3), .beat(job(1))])
        let reply = HeartbeatReply(sequence: 1, over: TaskSet(), elsewhere: set(4..<5), wantsHoldings: false)
        #expect(worker.replied(reply, of: job(1), now: at(1)) == [])
        #expect(worker.finished(result(3), of: job(1), now: at(2)).actions == [])
        #expect(
            worker.granted(grant(set(4..<5)), of: job(1), run: .first, plan: plan, held: nil, now: at(3))
                == [start(4), .beat(job(1))])
        #expect(
            worker.heartbeat(of: job(1), start: 1, holdSequence: 0, now: at(3))?.running.last
                == RunningTask(task: TaskID(4), progress: 0, isCopy: false))
    }

    @Test func aThiefGetsTheTailOnceAndTheHeartbeatSaysSo() {
        var worker = Worker(of: node(1), slots: 1, memory: .max)
        _ = worker.granted(grant(set(0..<8)), of: job(1), run: .first, plan: plan, held: nil, now: at(0))
        let ask = AskForWork(request: 7, start: 1, idleSlots: 1)
        let link = LinkMeasure(roundTrip: .milliseconds(1), bytesPerSecond: 0)
        let (given, actions) = worker.asked(ask, of: job(1), by: node(2), over: link, now: at(1))
        #expect(given == set(3..<8))
        #expect(actions == [.beat(job(1))])
        #expect(worker.asked(ask, of: job(1), by: node(2), over: link, now: at(1)).given == TaskSet())
        let beat = worker.heartbeat(of: job(1), start: 1, holdSequence: 0, now: at(1))
        #expect(beat?.gave == [Transfer(request: 7, thief: node(2), tasks: given)])
        #expect(worker.heartbeat(of: job(1), start: 1, holdSequence: 0, now: at(3.1))?.gave == [])
    }

    @Test func memoryAdmitsTasksAndADearOneRunsAlone() {
        let tasks = (0..<3).map {
            PlannedTask(key: digest(1), cost: Double(3 - $0), memory: $0 == 0 ? 60 : 50)
        }
        let plan = JobPlan(digest: digest(2), fingerprint: engine, tasks: tasks)
        var worker = Worker(of: node(1), slots: 4, memory: 100)
        let grant = Grant(plan: plan.digest, request: nil, tasks: plan.all)
        let actions = worker.granted(grant, of: job(1), run: .first, plan: plan, held: nil, now: at(0))
        #expect(actions == [.start(job(1), TaskID(0), plan: plan.digest, isolated: false), .beat(job(1))])
        #expect(worker.finished(result(0), of: job(1), now: at(1)).actions.count == 2)
    }

    @Test func withoutRoomNothingIsClaimed() {
        var worker = Worker(of: node(1), slots: 1, memory: .max)
        _ = worker.granted(grant(set(0..<4)), of: job(1), run: .first, plan: plan, held: nil, now: at(0))
        #expect(worker.resized(slots: 1, memory: .max, hasRoom: false, now: at(1)) == [.beat(job(1))])
        #expect(worker.owned(of: job(1)) == set(1..<2))
        #expect(
            worker.granted(grant(set(4..<5)), of: job(1), run: .first, plan: plan, held: nil, now: at(1))
                == [])
        #expect(!worker.isDry)
    }

    @Test func aLaterRunReplacesTheShareAndAnEarlierOneIsNotObeyed() {
        var worker = Worker(of: node(1), slots: 1, memory: .max)
        _ = worker.granted(grant(set(0..<4)), of: job(1), run: RunID(2), plan: plan, held: nil, now: at(0))
        #expect(
            worker.granted(grant(set(4..<6)), of: job(1), run: RunID(1), plan: plan, held: nil, now: at(1))
                == [])
        #expect(
            worker.granted(grant(set(4..<6)), of: job(1), run: RunID(3), plan: plan, held: nil, now: at(1))
                == [.stop(job(1), TaskID(1)), start(4), .beat(job(1))])
    }

    @Test func aCopyStartsAtOnceOrNotAtAll() {
        var worker = Worker(of: node(1), slots: 1, memory: .max)
        _ = worker.granted(grant(set(0..<2)), of: job(1), run: .first, plan: plan, held: nil, now: at(0))
        let copy = grant(set(6..<7), request: 1, copies: true)
        #expect(worker.granted(copy, of: job(1), run: .first, plan: plan, held: nil, now: at(1)) == [])
        #expect(worker.owned(of: job(1)) == set(0..<2))
    }
}
