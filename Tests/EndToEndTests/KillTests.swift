import Foundation
import Testing

/// Nodes as processes that are killed, stopped and started again (issue 4, item 7).
@Suite(.enabled(if: Program.isBuilt, Program.reason), .serialized)
struct KillTests {
    @Test(.timeLimit(.minutes(5))) func aJobSurvivesItsCoordinatorAndTheNodeKnowsItWhenItComesBack()
        async throws
    {
        let cluster = try LocalCluster(3)
        try await cluster.startAll()
        let job = try await cluster.submit(1, to: cluster.nodes[1])
        try await cluster.eventually("the job runs", within: 60) {
            await cluster.job(job, at: cluster.nodes[1])?.status == "running"
        }
        let view = try #require(await cluster.job(job, at: cluster.nodes[1]))
        let coordinator = try #require(await cluster.process(of: view.coordinator))
        coordinator.kill()
        let witness = try #require(cluster.nodes.first { $0 !== coordinator })
        try await cluster.eventually("another coordinates", within: 20) {
            let now = await cluster.job(job, at: witness)
            return now?.coordinator != view.coordinator || now?.status == "successful"
        }
        try await cluster.expectSuccess(1, job, within: 120)
        try cluster.start(coordinator)
        try await cluster.eventually("the node that came back knows the job", within: 60) {
            await cluster.job(job, at: coordinator)?.status == "successful"
        }
        for node in cluster.nodes { #expect(try await node.terminate() == 0, "\(node.name)") }
    }

    /// Any role at any moment: a kill each five seconds, jobs one after the other.
    @Test(.timeLimit(.minutes(600))) func noAcknowledgedJobIsLostToRandomKills() async throws {
        let cluster = try LocalCluster(Program.killNodes)
        try await cluster.startAll()
        let end = ContinuousClock.now + .seconds(Program.killMinutes * 60)
        let killer = Task {
            while ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(Int.random(in: 4500...5500)))
                guard let victim = cluster.nodes.filter(\.isRunning).randomElement() else { continue }
                victim.kill()
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...3000)))
                try cluster.start(victim)
            }
        }
        var number = 10
        while ContinuousClock.now < end {
            number += 1
            guard let job = try await submit(number, in: cluster) else { continue }
            try await cluster.expectSuccess(number, job, within: 180)
        }
        try await killer.value
        #expect(number > 11)
    }

    /// Hands a job in somewhere; nil when that node was killed before it answered.
    private func submit(_ number: Int, in cluster: LocalCluster) async throws -> String? {
        guard let node = cluster.nodes.filter(\.isRunning).randomElement(),
            await node.ask("/healthz", within: 2) != nil
        else { return nil }
        return try await cluster.offer(number, to: node)
    }

    /// A worker that is stopped past every claim and goes on: its range was given away, nothing is done twice
    /// in the output.
    @Test(.timeLimit(.minutes(5))) func aStoppedNodeGoesOnLater() async throws {
        let cluster = try LocalCluster(3)
        try await cluster.startAll()
        let job = try await cluster.submit(2, to: cluster.nodes[0])
        try await cluster.eventually("the job runs", within: 60) {
            await cluster.job(job, at: cluster.nodes[0])?.status == "running"
        }
        cluster.nodes[2].signal(SIGSTOP)
        try await Task.sleep(for: .seconds(8))
        cluster.nodes[2].signal(SIGCONT)
        try await cluster.expectSuccess(2, job, within: 120)
        try await cluster.eventually("all see all again", within: 60) {
            for node in cluster.nodes {
                let alive = await cluster.standings(at: node).values.filter { $0 == "alive" }
                if alive.count != 2 { return false }
            }
            return true
        }
    }
}
