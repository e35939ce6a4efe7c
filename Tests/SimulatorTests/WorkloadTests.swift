import Cluster
import Simulator
import Testing

@Suite struct WorkloadTests {
    private func options(_ nodes: Int, tasks: Int, at: Span = .seconds(10)) -> Simulation.Options {
        var options = Simulation.Options()
        options.nodes = nodes
        options.faultSpan = .seconds(30)
        options.jobs = [Workload(at: at, machine: 0, costs: Array(repeating: 0.5, count: tasks))]
        return options
    }

    @Test(arguments: [1, 2, 3, 5])
    func aJobEndsOnAQuietCluster(nodes: Int) {
        let report = Simulation.run(options(nodes, tasks: 12))
        #expect(report.violation == nil)
        #expect(report.completedJobs == 1)
        #expect(report.taskRuns >= 12)
    }

    /// The node that accepted the job dies before it ends; a keeper takes over.
    @Test(arguments: [2, 3, 5])
    func aJobOutlivesItsCoordinator(nodes: Int) {
        var options = options(nodes, tasks: 60)
        options.extra = [
            ScheduledFault(at: .seconds(13), .crash(0)), ScheduledFault(at: .seconds(28), .start(0)),
        ]
        let report = Simulation.run(options)
        #expect(report.violation == nil)
        #expect(report.completedJobs == 1)
    }
}
