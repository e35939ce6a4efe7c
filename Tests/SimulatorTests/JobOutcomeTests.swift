import Cluster
import Simulator
import Testing

@Suite struct JobOutcomeTests {
    private func job(_ nodes: Int, _ tasksPerNode: Int, _ change: (inout Figures.JobCase) -> Void = { _ in })
        -> JobOutcome
    {
        var job = Figures.JobCase()
        (job.nodes, job.tasksPerNode) = (nodes, tasksPerNode)
        job.costs = .equal(seconds: 1)
        change(&job)
        return Figures.job(job, seed: 1)
    }

    /// Twelve tasks of a second on one core take twelve seconds.
    @Test func oneNodeComputesItsTasksOneByOne() {
        let outcome = job(1, 12)
        #expect(outcome.violation == nil)
        #expect(outcome.computing.map { abs($0.seconds - 12) < 0.01 } == true)
        #expect(outcome.work == 12)
        #expect(outcome.taskRuns == 12)
        #expect(outcome.lostTasks == 0)
        #expect(outcome.steals == 0)
    }

    @Test func equalTasksFillTwoNodesEvenly() {
        let outcome = job(2, 6)
        #expect(outcome.efficiency > 0.99)
        #expect(outcome.efficiency <= 1)
        #expect(outcome.duplicateShare == 0)
    }

    /// A node of half the speed does a third of the work: the job takes 12 / 1.5 = 8 s, or a task more.
    @Test func aSlowNodeDoesLess() {
        let outcome = job(2, 6) { $0.speeds = [1, 0.5] }
        #expect(outcome.computing.map { (8...10.1).contains($0.seconds) } == true)
        #expect(outcome.speed == 1.5)
    }

    /// A job of dear patches and wrong predictions still fills four nodes.
    @Test func stealingLevelsWhatThePlanGotWrong() {
        let outcome = job(4, 64) { $0.costs = TaskCosts() }
        #expect(outcome.efficiency > 0.93)
        #expect(outcome.lostTasks == 0)
        #expect(outcome.duplicateShare <= 0.05)
    }

    /// Inputs of 10 MB from one node's disk at 100 Mb/s: nobody is faster than the owner's link and its own
    /// core allow, and no input crosses the network for a task that the owner computes.
    @Test func theOwnersLinkIsTheBound() {
        let outcome = job(4, 8) {
            $0.link = .gigabits(0.1)
            ($0.slots, $0.inputsAt) = (2, 0)
        }
        #expect(outcome.lostTasks == 0)
        // 32 tasks: the owner computes one a second, 12.5 MB/s bring 1.25 a second.
        #expect(outcome.computing.map { $0.seconds > 32 / 2.25 } == true)
        #expect(outcome.sent[0] < 32 * 10e6 + 32 * 4.5e6)
        #expect(outcome.received.reduce(0, +) > 0)
    }

    @Test func aFigureIsTheSameForTheSameSeed() {
        let first = FigureRow.reissuedSilent.measure(seed: 3)
        #expect(first == FigureRow.reissuedSilent.measure(seed: 3))
        #expect(first["seconds"].map { $0[0] <= 4 } == true)
    }

    @Test func nothingDurableIsComputedAgainWhenACoordinatorDies() {
        let found = Figures.coordinatorGone(.killed, seed: 1)
        #expect(found.atWork < 2.5)
        #expect(found.durable > 0)
        #expect(found.recomputed == 0)
    }
}
