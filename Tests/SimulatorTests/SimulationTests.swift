import Cluster
import Simulator
import Testing

@Suite struct SimulationTests {
    @Test func aQuietClusterComesToRest() {
        for nodes in [1, 2, 3, 5, 20] {
            var options = Simulation.Options()
            options.nodes = nodes
            options.faultSpan = .seconds(20)
            let report = Simulation.run(options)
            #expect(report.violation == nil)
            #expect(report.falseDeaths == 0)
            #expect(report.restedAfter == .seconds(1))
        }
    }
}
