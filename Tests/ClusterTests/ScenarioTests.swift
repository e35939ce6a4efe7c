// Stories of a few nodes: what a user or an operator would see.

import Testing

@testable import Cluster

@Suite struct ScenarioTests {
    func world(_ nodes: Int, _ plan: JobPlan = testPlan(24)) -> TestWorld {
        var world = TestWorld(seed: 5, nodes: nodes, plan: plan)
        InterleavingTests.submit(&world, at: node(1))
        return world
    }

    func header(_ world: TestWorld, at id: UInt64 = 1) -> JobHeader? { world.nodes[node(id)]?.book[job(1)] }

    func isOver(_ world: TestWorld) -> Bool {
        world.alive.allSatisfy { world.nodes[$0]?.book[job(1)]?.isLive == false }
    }

    func coordinators(_ world: TestWorld) -> [NodeID] {
        world.alive.sorted().filter { world.nodes[$0]?.coordinators[job(1)] != nil }
    }

    @Test func aPoisonTaskIsTriedOnThreeNodesAndEndsTheJobPartial() {
        var world = world(5)
        world.failing[TaskID(3)] = .error(reason: "not a GeoTIFF")
        world.run(until: 60) { !isOver($0) }
        #expect(world.trouble == [])
        let outputs = TestWorld.outputs((0..<24).filter { $0 != 3 }.map { result($0).digest })
        #expect(header(world)?.state.manifest == .partial(done: 23, outputs: outputs))
        #expect(header(world)?.note == "#3: not a GeoTIFF")
        #expect(world.runs[TaskID(3)] == 3)
    }

    @Test func twoNodesAgreeOnPoison() {
        var world = world(2)
        world.failing[TaskID(3)] = .error(reason: "bad")
        world.run(until: 60) { !isOver($0) }
        #expect(world.runs[TaskID(3)] == 2)
        guard case .partial(done: 23, _)? = header(world)?.state.manifest else {
            Issue.record("\(world.summary)")
            return
        }
    }

    @Test func anInputThatComesBackIsWaitedFor() {
        var world = world(2)
        world.failing[TaskID(3)] = .input(reason: "503 of the catalogue")
        world.run(until: 30)
        #expect(header(world)?.reign.phase == .waitingForInput)
        world.failing = [:]
        world.run(until: 100) { !isOver($0) }
        #expect(header(world)?.state.manifest == .complete(outputs: InterleavingTests.expected))
        #expect(world.trouble == [])
    }

    @Test func anInputThatStaysAwayIsGivenUpAfterFifteenMinutes() {
        var world = world(1)
        world.failing[TaskID(3)] = .input(reason: "503 of the catalogue")
        for k in 1...20 { world.later(Double(60 * k)) { $0.at(node(1)) { _, _ in [] } } }
        world.run(until: 890) { !isOver($0) }
        #expect(!isOver(world))
        world.run(until: 1100) { !isOver($0) }
        #expect(isOver(world))
        #expect(header(world)?.note == "#3: 503 of the catalogue")
    }

    @Test func cancelAndResumeNameTheirRunAndKeepTheResults() {
        var world = world(3, testPlan(24) { _ in 3 })
        func request(_ kind: UserRequest, _ run: UInt32, _ number: UInt64, _ world: inout TestWorld) {
            world.at(node(3)) { $0.request(kind, job(1), run: RunID(run), number: number, now: $1) }
        }
        world.run(until: 3)
        request(.resume, 1, 1, &world)
        world.run(until: 3.1)
        request(.cancel, 1, 2, &world)
        world.run(until: 6)
        #expect(world.answers[1] == .refused(reason: "run 1 is at work"))
        #expect(world.answers[2] == .accepted)
        #expect(header(world, at: 2)?.state.manifest == .cancelled)
        #expect(world.alive.allSatisfy { world.nodes[$0]?.worker.owned(of: job(1)).isEmpty == true })
        request(.resume, 1, 3, &world)
        world.run(until: 7)
        request(.cancel, 1, 4, &world)
        world.run(until: 40) { !InterleavingTests.isOver($0) }
        #expect(world.answers[3] == .accepted)
        #expect(world.answers[4] == .superseded(by: RunID(2)))
        #expect(header(world)?.state.run == RunID(2))
        #expect(InterleavingTests.isOver(world))
        #expect(world.trouble == [])
        // What was running at the cancel runs again, nothing else.
        #expect(world.runs.values.reduce(0, +) <= 24 + 3)
        request(.resume, 2, 5, &world)
        world.run(until: 42)
        #expect(world.answers[5] == .refused(reason: "run 2 is complete"))
    }

    @Test func aDamagedBlobIsComputedElsewhere() {
        var world = world(3)
        world.damaged = [TaskID(20)]
        world.run(until: 60) { !InterleavingTests.isOver($0) }
        #expect(InterleavingTests.isOver(world))
        #expect(world.damaged.isEmpty)
        #expect(world.runs[TaskID(20)] == 2)
    }

    @Test(arguments: [2, 3, 5])
    func aDeadCoordinatorIsReplacedWithinFourAndAHalfSecondsAndNothingDurableIsComputedAgain(nodes: Int) {
        var world = world(nodes)
        world.run(until: 3)
        let durable =
            world.nodes[node(1)]?.coordinators[job(1)].map { coordinator in
                coordinator.done?.done.tasks.filter { coordinator.holders?.holders(of: $0).count ?? 0 > 1 }
                    ?? []
            } ?? []
        #expect(durable.count >= 3)
        world.kill(node(1), seenAfter: 6)
        world.run(until: 7.5) { coordinators($0).isEmpty || header($0, at: 2)?.term.counter == 1 }
        #expect(world.now < at(7.5))
        world.run(until: 60) { !InterleavingTests.isOver($0) }
        #expect(InterleavingTests.isOver(world), "\(world.summary)")
        #expect(durable.filter { world.runs[$0] != 1 } == [])
        #expect(world.trouble == [])
    }

    @Test func bothHalvesOfAPartitionWorkAndUnite() {
        var world = world(5)
        world.run(until: 2)
        let left: Set<NodeID> = [node(1), node(2)]
        world.cut = { left.contains($0) != left.contains($1) }
        world.later(3) { world in
            for a in world.alive.sorted() {
                for b in world.alive.sorted() where left.contains(a) != left.contains(b) {
                    world.see(b, standing: .dead, at: a)
                }
            }
        }
        world.later(12) { world in
            world.cut = { _, _ in false }
            for a in world.alive.sorted() {
                for b in world.alive.sorted() where a != b { world.see(b, standing: .alive, at: a) }
            }
            world.compareBooks()
        }
        world.run(until: 60) { $0.now < at(15) || !InterleavingTests.isOver($0) }
        #expect(InterleavingTests.isOver(world), "\(world.summary)")
        #expect(world.trouble == [])
        #expect(Set(world.alive.map { world.nodes[$0]?.book[job(1)]?.term }).count == 1)
    }

    @Test func aFullRestartGoesOnWhereItWas() {
        var world = world(3)
        world.run(until: 4)
        for id in [1, 2, 3] { world.kill(node(UInt64(id)), seenAfter: 100) }
        world.run(until: 5)
        for id in [3, 2, 1] { world.restart(node(UInt64(id))) }
        world.run(until: 60) { !InterleavingTests.isOver($0) }
        #expect(InterleavingTests.isOver(world), "\(world.summary)")
        #expect(world.trouble == [])
        #expect(world.runs.values.reduce(0, +) <= 24 + 6)
    }

    @Test func aJobGoesToANodeWithTheCommonestEngine() {
        var world = TestWorld(seed: 5, nodes: 3, plan: testPlan(24))
        for id in world.alive.sorted() {
            world.known[id]?[node(1)]?.fingerprint = digest(78)
            let view = world.view(id)
            world.at(id) { $0.viewChanged(view, now: $1) }
        }
        InterleavingTests.submit(&world, at: node(1))
        world.run(until: 60) { !InterleavingTests.isOver($0) }
        #expect(InterleavingTests.isOver(world), "\(world.summary)")
        #expect(header(world)?.reign.fingerprint == engine)
        #expect(header(world)?.term.node != node(1))
        #expect(world.nodes[node(1)]?.held(of: job(1)) == TaskSet())
    }

    @Test func aCoordinatorWithoutRoomHandsOverAndNobodyWithRoomWaits() {
        var world = world(3, testPlan(24) { _ in 3 })
        func room(_ ids: [UInt64], _ hasRoom: Bool, _ world: inout TestWorld) {
            for other in world.alive.sorted() {
                for id in ids { world.known[other]?[node(id)]?.hasRoom = hasRoom }
                let view = world.view(other)
                world.at(other) { $0.viewChanged(view, now: $1) }
            }
        }
        world.run(until: 2)
        room([1], false, &world)
        world.run(until: 5)
        #expect(coordinators(world).count == 1)
        #expect(coordinators(world) != [node(1)])
        room([1, 2, 3], false, &world)
        world.run(until: 9)
        #expect(header(world)?.reign.phase == .waitingForRoom)
        #expect(isOver(world) == false)
        room([1, 2, 3], true, &world)
        world.run(until: 60) { !InterleavingTests.isOver($0) }
        #expect(InterleavingTests.isOver(world), "\(world.summary)")
        #expect(world.trouble == [])
    }

    @Test func withoutAnyNodeOfItsEngineForAMinuteAJobBeginsANewRunUnderAnother() {
        var world = world(2)
        world.run(until: 3)
        // An upgrade: every node comes back with another engine.
        let plan = JobPlan(digest: digest(901), fingerprint: digest(78), tasks: testPlan(24).tasks)
        world.planned = plan
        world.plans[plan.digest] = plan
        world.engineNow = digest(78)
        for id in [node(1), node(2)] { world.kill(id, seenAfter: 100) }
        for id in [node(1), node(2)] { world.restart(id) }
        world.run(until: 60)
        #expect(header(world)?.state.run == RunID(1))
        #expect(header(world)?.reign.phase == .waitingForEngine)
        world.run(until: 120) { !isOver($0) }
        #expect(header(world)?.state.run == RunID(2))
        #expect(header(world)?.reign.fingerprint == digest(78))
        guard case .complete? = header(world)?.state.manifest else {
            Issue.record("\(world.summary)")
            return
        }
    }

    @Test func aloneTheOutputsGoToTheFirstPeer() {
        var world = TestWorld(seed: 5, nodes: 2, plan: testPlan(4))
        world.alive.remove(node(2))
        world.see(node(2), standing: .dead, at: node(1))
        InterleavingTests.submit(&world, at: node(1))
        world.run(until: 20)
        #expect(world.acknowledged[job(1)] == 1)
        #expect(header(world)?.outputHolders == [node(1)])
        world.restart(node(2))
        world.run(until: 45)
        #expect(header(world)?.outputHolders == [node(1), node(2)])
        #expect(world.nodes[node(2)]?.book[job(1)]?.outputHolders == [node(1), node(2)])
        #expect(world.trouble == [])
    }

    @Test func aRetriedSubmitIsTheSameJob() {
        var world = world(3)
        world.run(until: 1)
        let again = world.nodes[node(1)]?.submit(job(1), title: "t", request: digest(1), now: world.now)
        #expect(again?.refusal == nil)
        #expect(again?.actions == [.acknowledged(job(1), copies: 3)])
        let other = world.nodes[node(2)]?.submit(job(1), title: "t", request: digest(2), now: world.now)
        #expect(other?.refusal == "job \(job(1)) exists with another request")
    }
}
