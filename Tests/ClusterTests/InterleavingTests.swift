// Random interleavings with loss, doubling, reordering, kills and restarts: whatever happens, no undone task
// is lost (S4), no task gets two digests (S6), manifests only rise (S7), and the job ends.

import Testing

@testable import Cluster

@Suite struct InterleavingTests {
    static let expected = TestWorld.outputs((0..<24).map { result($0).digest })

    /// The job is complete in the eyes of every living node.
    static func isOver(_ world: TestWorld) -> Bool {
        world.alive.allSatisfy {
            world.nodes[$0]?.book[job(1)]?.state.manifest == .complete(outputs: expected)
        }
    }

    static func submit(_ world: inout TestWorld, at id: NodeID) {
        world.at(id) { $0.submit(job(1), title: "t", request: digest(1), now: $1).actions }
    }

    @Test(arguments: [1, 2, 3, 5])
    func aQuietClusterFinishesAJob(nodes: Int) {
        var world = TestWorld(seed: 1, nodes: nodes, plan: testPlan(24))
        Self.submit(&world, at: node(1))
        world.run(until: 60) { !Self.isOver($0) }
        #expect(world.trouble == [])
        #expect(Self.isOver(world))
        #expect(world.acknowledged[job(1)] ?? 0 >= min(2, nodes))
        let again = world.runs.values.filter { $0 > 1 }.count
        #expect(again == 0)
        let ideal = 24 * 0.5 / Double(nodes)
        #expect(
            world.now.nanoseconds < Int64((ideal + 2.5) * 1e9), "took \(world.now.nanoseconds / 1_000_000) ms"
        )
    }
}

extension InterleavingTests {
    /// Runs one seed: 2 to 5 nodes, loss up to 30 %, doubling, long delays, kills and restarts in the first
    /// 20 s.
    static func run(seed: UInt64) -> TestWorld {
        var dice = TestGenerator(seed &* 31)
        let nodes = 2 + Int(dice.next() % 4)
        var world = TestWorld(
            seed: seed, nodes: nodes, plan: testPlan(24, cost: { 0.2 + Double($0 * 7 % 11) / 5 }))
        world.loss = [0, 0.05, 0.15, 0.3][Int(dice.next() % 4)]
        world.doubling = [0, 0.1, 0.5][Int(dice.next() % 3)]
        world.longestDelay = [0.005, 0.1, 1.5][Int(dice.next() % 3)]
        submit(&world, at: node(1))
        for _ in 0..<Int(dice.next() % 4) {
            let victim = node(1 + dice.next() % UInt64(nodes))
            let moment = 1 + Double(dice.next() % 1500) / 100
            let back = 0.3 + Double(dice.next() % 800) / 100
            world.later(moment) { world in
                // One node at a time, and only once the record is on two disks: S10 promises no more.
                guard world.alive.count == nodes, world.acknowledged[job(1)] ?? 0 >= 2 else { return }
                world.kill(victim, seenAfter: 2)
                world.later(back) { $0.restart(victim) }
            }
        }
        world.later(25) { world in
            (world.loss, world.doubling, world.longestDelay) = (0, 0, 0.02)
        }
        for k in 1...20 { world.later(Double(5 * k)) { $0.compareBooks() } }
        world.run(until: 120) { !isOver($0) }
        return world
    }

    @Test(arguments: 0..<8)
    func whateverHappensTheJobEndsAndNothingIsLost(part: UInt64) {
        for seed in part * 30..<part * 30 + 30 {
            let world = Self.run(seed: seed)
            let isFine = world.trouble.isEmpty && Self.isOver(world)
            #expect(isFine, "seed \(seed): \(world.trouble)\n\(world.summary)")
        }
    }
}
