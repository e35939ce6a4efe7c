import Foundation
import Testing

/// Real nodes on a network that loses packets or falls apart (issue 4, item 7).
@Suite(
    .enabled(if: Program.isBuilt, Program.reason),
    .enabled(if: TestNetwork.isPossible, Comment(rawValue: TestNetwork.reason)), .serialized)
struct NetworkTests {
    /// Gossip loses a fifth of its datagrams; of the streams' packets a twentieth, for TCP itself crawls
    /// beyond.
    @Test(.timeLimit(.minutes(5))) func aJobEndsThoughPacketsAreLost() async throws {
        let network = try TestNetwork(3)
        let cluster = try LocalCluster(on: network)
        for index in 0..<3 {
            try network.drop(
                at: index,
                ["meta l4proto udp numgen random mod 100 < 20", "meta l4proto tcp numgen random mod 100 < 5"])
        }
        try await cluster.startAll()
        let job = try await cluster.submit(6, to: cluster.nodes[1])
        try await cluster.expectSuccess(6, job, within: 180)
    }

    /// Node 2 hears nobody while all hear it; it is suspected and comes back when it hears again.
    @Test(.timeLimit(.minutes(5))) func aOneWayCutStopsNoJob() async throws {
        let network = try TestNetwork(3)
        let cluster = try LocalCluster(on: network)
        try await cluster.startAll()
        let job = try await cluster.submit(7, to: cluster.nodes[0])
        try network.drop(at: 2, ["ip saddr 10.77.0.0/24"])
        try await cluster.expectSuccess(7, job, within: 180, from: cluster.nodes[0])
        try network.heal(at: 2)
        try await allSeeAll(cluster)
    }

    /// Two and two; both sides know the job, one result comes out, and all see all after it heals.
    @Test(.timeLimit(.minutes(6))) func aPartitionInTheMiddleOfAJobMerges() async throws {
        let network = try TestNetwork(4)
        let cluster = try LocalCluster(on: network)
        try await cluster.startAll()
        let job = try await cluster.submit(8, to: cluster.nodes[0])
        try await cluster.eventually("all know the job", within: 20) {
            for node in cluster.nodes where await cluster.job(job, at: node) == nil { return false }
            return true
        }
        let sides = [[0, 1], [2, 3]]
        for (side, other) in [(sides[0], sides[1]), (sides[1], sides[0])] {
            for index in side {
                try network.drop(at: index, other.map { "ip saddr \(TestNetwork.address($0))" })
            }
        }
        try await Task.sleep(for: .seconds(15))
        for index in 0..<4 { try network.heal(at: index) }
        try await allSeeAll(cluster)
        try await cluster.expectSuccess(8, job, within: 180)
        try await cluster.eventually("every node calls the job successful", within: 60) {
            for node in cluster.nodes {
                if await cluster.job(job, at: node)?.status != "successful" { return false }
            }
            return true
        }
    }

    /// The owner of the scene sends what it can and says so; the others do not, and the job ends.
    @Test(.timeLimit(.minutes(5))) func aFullWayOutIsTold() async throws {
        let network = try TestNetwork(3)
        let cluster = try LocalCluster(on: network, owner: 0)
        try network.limit(at: 0, megabits: 20)
        try await cluster.startAll()
        let job = try await cluster.submit(9, to: cluster.nodes[1])
        try await cluster.eventually("node 0 finds its way out full", within: 120) {
            await isWayOut(full: true, of: cluster.nodes[0])
        }
        try await cluster.expectSuccess(9, job, within: 180, from: cluster.nodes[0])
        try await cluster.eventually("it is free again", within: 30) {
            await isWayOut(full: false, of: cluster.nodes[0])
        }
        let said = cluster.nodes.map { $0.log.contains("the way out is full") }
        #expect(said == [true, false, false])
    }

    private func isWayOut(full: Bool, of node: NodeProcess) async -> Bool {
        guard let answer = await node.ask("/metrics", within: 5) else { return false }
        return String(decoding: answer.body, as: UTF8.self).contains(
            "\narbutus_uplink_full \(full ? 1 : 0)\n")
    }

    private func allSeeAll(_ cluster: LocalCluster) async throws {
        try await cluster.eventually("all see all again", within: 90) {
            for node in cluster.nodes {
                let alive = await cluster.standings(at: node).values.filter { $0 == "alive" }
                if alive.count != cluster.nodes.count - 1 { return false }
            }
            return true
        }
    }
}
