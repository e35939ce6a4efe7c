import Testing

@testable import Cluster

func set(_ ranges: Range<Int>...) -> TaskSet {
    var set = TaskSet()
    for range in ranges { set.insert(TaskRange(range.lowerBound, range.upperBound)) }
    return set
}

func beat(
    _ sequence: UInt64, _ owned: TaskSet, running: [Int] = [], gave: [Transfer] = [], start: UInt64 = 1,
    progress: UInt32 = 0
) -> Heartbeat {
    Heartbeat(
        start: start, sequence: sequence, owned: owned,
        running: running.map { RunningTask(task: TaskID($0), progress: progress, isCopy: false) }, gave: gave)
}

@Suite struct ClaimsTests {
    let plan = testPlan(10)
    let a = node(1)
    let b = node(2)

    @Test func aClaimLastsThreeSecondsFromItsHeartbeat() {
        var claims = Claims(open: plan.all, count: 10)
        _ = claims.heard(beat(1, set(0..<6)), from: a, of: plan, now: at(0))
        #expect(claims.free == set(6..<10))
        #expect(claims.nextDeadline == at(3))
        _ = claims.heard(beat(2, set(2..<6)), from: a, of: plan, now: at(1))
        #expect(claims.free == set(0..<2, 6..<10))
        claims.advance(now: at(3.9))
        #expect(claims.free == set(0..<2, 6..<10))
        claims.advance(now: at(4))
        #expect(claims.free == plan.all)
    }

    @Test func olderAndDoubledHeartbeatsSayNothing() {
        var claims = Claims(open: plan.all, count: 10)
        _ = claims.heard(beat(2, set(0..<2)), from: a, of: plan, now: at(0))
        #expect(claims.heard(beat(1, set(0..<9)), from: a, of: plan, now: at(0.1)) == nil)
        #expect(claims.heard(beat(2, set(0..<2)), from: a, of: plan, now: at(2)) == nil)
        claims.advance(now: at(3))
        #expect(claims.free == plan.all)
        // Nor when the claim is over: only a new one claims again.
        #expect(claims.heard(beat(2, set(0..<2)), from: a, of: plan, now: at(3.1)) == nil)
        #expect(claims.free == plan.all)
        #expect(claims.heard(beat(3, set(0..<2)), from: a, of: plan, now: at(3.2)) != nil)
        #expect(claims.heard(beat(1, set(4..<6), start: 2), from: a, of: plan, now: at(3.3)) != nil)
    }

    @Test func aRangeThatChangesHandsIsNoConflict() {
        var claims = Claims(open: plan.all, count: 10)
        _ = claims.heard(beat(1, set(0..<8), running: [0]), from: a, of: plan, now: at(0))
        // The thief's heartbeat overtakes the victim's.
        var answer = claims.heard(beat(1, set(4..<8)), from: b, of: plan, now: at(0.5))
        #expect(answer?.elsewhere == TaskSet())
        let gave = [Transfer(request: 1, thief: b, tasks: set(4..<8))]
        answer = claims.heard(beat(2, set(0..<4), running: [0], gave: gave), from: a, of: plan, now: at(0.6))
        #expect(answer?.elsewhere == TaskSet())
        #expect(claims.claimants(of: TaskID(5)) == [b])
    }

    @Test func aTransferIsTheThiefsForThreeSecondsAndThenTheCoordinators() {
        var claims = Claims(open: plan.all, count: 10)
        _ = claims.heard(beat(1, set(0..<8)), from: a, of: plan, now: at(0))
        let gave = [Transfer(request: 1, thief: b, tasks: set(4..<8))]
        _ = claims.heard(beat(2, set(0..<4), gave: gave), from: a, of: plan, now: at(1))
        #expect(claims.free == set(8..<10))
        // Repeating the transfer does not prolong it.
        _ = claims.heard(beat(3, set(0..<4), gave: gave), from: a, of: plan, now: at(2))
        claims.advance(now: at(4))
        #expect(claims.free == set(4..<10))
    }

    @Test func theOneThatRunsATaskKeepsItElseTheLowerNode() {
        var claims = Claims(open: plan.all, count: 10)
        _ = claims.heard(beat(1, set(0..<3), running: [0]), from: b, of: plan, now: at(0))
        _ = claims.heard(beat(1, set(0..<3), running: [1]), from: a, of: plan, now: at(0.1))
        // b runs 0; a runs 1; nobody runs 2.
        let toB = claims.heard(beat(2, set(0..<3), running: [0]), from: b, of: plan, now: at(1))
        #expect(toB?.elsewhere == set(1..<3))
        let toA = claims.heard(beat(2, set(0..<3), running: [1]), from: a, of: plan, now: at(1))
        #expect(toA?.elsewhere == set(0..<1))
    }

    /// A crowd of thieves at one victim leaves the last tasks of the others where they are (L7).
    @Test func aVictimIsPickedCleanByAsManyThievesAsItHasTasks() {
        var claims = Claims(open: plan.all, count: 10)
        _ = claims.heard(beat(1, set(0..<3), running: [0]), from: a, of: plan, now: at(0))
        #expect(claims.nodes[a]?.isPickedClean == false)
        claims.pointed(b, at: a, cost: 1, takes: true, now: at(0))
        #expect(claims.nodes[a]?.isPickedClean == false)
        claims.pointed(node(3), at: a, cost: 0.5, takes: true, now: at(0))
        #expect(claims.nodes[a]?.isPickedClean == true)
        // It may still have some, if the thieves found it too dear: the next heartbeat says.
        #expect(claims.loaded == [a])
        _ = claims.heard(beat(2, set(1..<3), running: [1]), from: a, of: plan, now: at(1))
        #expect(claims.nodes[a]?.isPickedClean == false)
    }

    /// Who is refused for its slow link is sent elsewhere (seed 400003766).
    @Test func aVictimIsNotTriedTwiceWithinTwoSecondsUnlessTheThiefGotSomething() {
        var claims = Claims(open: plan.all, count: 10)
        _ = claims.heard(beat(1, set(0..<5), running: [0]), from: a, of: plan, now: at(0))
        #expect(claims.tried(a, by: b, now: at(0)) == nil)
        claims.pointed(b, at: a, cost: 1, takes: true, now: at(0))
        #expect(claims.tried(a, by: b, now: at(1.9)) != nil)
        #expect(claims.tried(a, by: node(3), now: at(0)) == nil)
        #expect(claims.tried(a, by: b, now: at(2)) == nil)
        claims.pointed(b, at: a, cost: 1, takes: true, now: at(2))
        _ = claims.heard(beat(1, set(4..<5)), from: b, of: plan, now: at(2.1))
        #expect(claims.tried(a, by: b, now: at(2.2)) == nil)
    }

    @Test func doneTasksAreNamed() {
        var claims = Claims(open: plan.all, count: 10)
        claims.close(set(1..<2))
        #expect(claims.heard(beat(1, set(0..<3)), from: a, of: plan, now: at(0))?.over == set(1..<2))
        claims.reopen(set(1..<2))
        #expect(claims.free == set(3..<10))
    }

    @Test func anotherStartReplacesTheFirstAndNamesWhatCrashed() {
        var claims = Claims(open: plan.all, count: 10)
        _ = claims.heard(beat(5, set(0..<3), running: [0, 1]), from: a, of: plan, now: at(0))
        #expect(claims.started(a, start: 1) == nil)
        #expect(claims.started(a, start: 2)?.tasks == [TaskID(0), TaskID(1)])
        _ = claims.heard(beat(1, set(7..<8), start: 2), from: a, of: plan, now: at(1))
        #expect(claims.free == set(0..<7, 8..<10))
    }

    @Test func ourOwnStallExtendsEveryClaim() {
        var claims = Claims(open: plan.all, count: 10)
        _ = claims.heard(beat(1, set(0..<3)), from: a, of: plan, now: at(0))
        claims.promise(set(5..<6), to: b, now: at(0))
        claims.stalled(.seconds(10))
        claims.advance(now: at(12))
        #expect(claims.free == set(3..<5, 6..<10))
        claims.advance(now: at(13))
        #expect(claims.free == plan.all)
    }

    @Test func impossibleHeartbeatsAreFlawed() {
        #expect(beat(1, set(0..<11)).flaw(count: 10) == "owns task 10 of 10")
        #expect(beat(1, set(0..<1), running: [5]).flaw(count: 10) == "runs a task that it does not own")
        let gave = [Transfer(request: 1, thief: b, tasks: set(4..<80))]
        #expect(beat(1, set(0..<1), gave: gave).flaw(count: 10) == "gave away what cannot be")
        #expect(beat(1, set(0..<10)).flaw(count: 10) == nil)
    }

    @Test func aStuckTaskGetsACopyElsewhereAndTheFirstKeepsRunning() {
        var claims = Claims(open: plan.all, count: 10)
        let (copies, model) = (Copies(), CostModel(secondsPerCost: 0.5))
        func rescue(_ second: Double, for thief: NodeID) -> TaskID? {
            copies.rescue(for: thief, claims, plan, model, allowed: plan.all, now: at(second))
        }
        for second in 0...4 {
            let moving = UInt32(min(second, 1))
            _ = claims.heard(
                beat(UInt64(second + 1), set(0..<1), running: [0], progress: moving), from: a, of: plan,
                now: at(Double(second)))
        }
        #expect(rescue(3.9, for: b) == nil)
        #expect(rescue(4, for: a) == nil)
        #expect(rescue(4, for: b) == TaskID(0))
        claims.promise(set(0..<1), to: b, now: at(4))
        #expect(rescue(4.1, for: node(3)) == nil)
        let reply = claims.heard(
            beat(6, set(0..<1), running: [0], progress: 1), from: a, of: plan, now: at(5))
        #expect(reply?.elsewhere == TaskSet())
    }

    @Test func speculationKeepsItsBudget() {
        var claims = Claims(open: plan.all, count: 10)
        var copies = Copies()
        let model = CostModel(secondsPerCost: 1)
        var slow = beat(1, set(0..<2), running: [0, 1])
        slow.secondsPerCost = 10
        _ = claims.heard(slow, from: a, of: plan, now: at(0))
        let view = view(4)
        func next(_ thief: UInt64) -> TaskID? {
            copies.speculation(
                for: node(thief), secondsPerCost: 1, claims, plan, model, allowed: plan.all, view: view,
                now: at(1))
        }
        #expect(next(1) == nil)
        #expect(next(2) == TaskID(0))
        copies.speculated(TaskID(0), on: b, predicted: 1, now: at(1))
        // One is always allowed; the second has to fit into 5 % of the job's CPU.
        #expect(next(3) == nil)
        copies.measured(.seconds(40))
        #expect(next(3) == TaskID(0))
        copies.speculated(TaskID(0), on: node(3), predicted: 1, now: at(1))
        copies.measured(.seconds(100))
        #expect(next(4) == TaskID(1))
    }
}
