// Random interleavings with loss, doubling, reordering, kills and restarts: whatever happens, no undone task is lost (S4),
// no task gets two digests (S6), manifests only rise (S7), and the job ends.

import Testing

@testable import Cluster

@Suite struct InterleavingTests {
    static let expected = TestWorld.outputs((0..<24).map { result($0).digest })

    /// The job is complete in the eyes of every living node.
    static func isOver(_ world: TestWorld) -> Bool {
        world.alive.allSatisfy { world.nodes[$0]?.book[job(1)]?.state.manifest == .complete(outputs: expected) }
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
        #expect(world.now.nanoseconds < Int64((ideal + 2.5) * 1e9), "took \(world.now.nanoseconds / 1_000_000) ms")
    }
}
