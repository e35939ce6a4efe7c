import Cluster
import Simulator
import Testing

@Suite struct SimulationTests {
    @Test(arguments: [1, 2, 3, 5, 20])
    func aQuietClusterComesToRest(nodes: Int) {
        var options = Simulation.Options()
        options.nodes = nodes
        options.faultSpan = .seconds(20)
        let report = Simulation.run(options)
        #expect(report.violation == nil)
        #expect(report.falseDeaths == 0)
        #expect(report.restedAfter == .seconds(1))
    }

    /// S14: the seed alone decides the run.
    @Test func theSameSeedGivesTheSameTrace() {
        var options = Simulation.Options.mixed(seed: 29)
        options.nodes = 6
        let first = Simulation.run(options)
        #expect(first.trace == Simulation.run(options).trace)
        options.seed = 30
        #expect(first.trace != Simulation.run(options).trace)
    }

    /// A part of the seeds that `scripts/fuzz-seeds` runs in bulk; those that once failed stay here.
    @Test(arguments: [5, 16, 24, 33, 60, 65, 1258, 2000, 2001, 2002])
    func mixedFaultsBreakNothing(seed: UInt64) {
        var options = Simulation.Options.mixed(seed: seed)
        options.nodes = min(options.nodes, 8)
        let report = Simulation.run(options)
        #expect(report.violation == nil, "\(options.command)")
    }

    /// Small runs that once failed, with jobs and all their faults as they were drawn.
    @Test(arguments: [
        11, 22, 33, 43, 50, 53, 103, 118, 182, 10_008, 200_137, 200_151, 200_203, 200_250, 200_274, 350_008,
        350_213, 600_182, 600_872, 600_972, 601_041, 601_405, 601_427, 601_931, 602_346,
        610_144, 611_032, 611_437, 611_495, 611_594, 611_638, 20_000_736, 40_000_428, 50_000_087, 70_000_360,
        110_001_501, 160_000_321, 300_001_837, 300_004_417, 400_003_766, 600_002_971,
        800_001_017, 800_001_447, 1_000_003_037, 1_000_004_448, 1_000_004_751, 1_000_004_787,
        1_100_003_356, 1_200_002_244, 1_200_002_798, 1_200_003_526, 1_300_001_175, 1_300_004_685,
        1_400_001_796, 1_400_002_345, 1_400_002_854, 1_400_003_669, 1_400_004_460,
        1_600_002_063, 1_600_002_825,
    ])
    func whatOnceFailedHolds(seed: UInt64) {
        let options = Simulation.Options.mixed(seed: seed)
        let report = Simulation.run(options)
        #expect(report.violation == nil, "\(options.command)")
    }

    /// A keeper found a blob of its coordinator damaged, and was replaced before that was heard; a key that
    /// was narrowed was used again; a stranger whose key was retired made one of its own; the first copy that
    /// was granted was not the first to begin.
    @Test(arguments: [
        (90_000_751, 63), (110_001_918, 27), (140_000_341, 3), (160_001_082, 2), (200_000_455, 43),
        (400_001_639, 45), (400_003_566, 15), (400_002_037, 3),
        (500_001_960, 2), (700_002_135, 61), (700_002_726, 60), (1_000_002_254, 57), (1_100_004_046, 27),
    ])
    func whatOnceFailedAmongManyHolds(seed: UInt64, nodes: Int) throws {
        var choices = Choices()
        choices.nodes = nodes
        let options = try choices.options(seed: seed)
        #expect(Simulation.run(options).violation == nil, "\(options.command)")
    }

    /// The silence of a host is known to all in a small cluster within nine seconds.
    @Test(arguments: [2, 3, 7])
    func aSilentCrashIsKnownSoon(nodes: Int) {
        var options = Simulation.Options()
        options.nodes = nodes
        options.faultSpan = .seconds(60)
        options.extra = [ScheduledFault(at: .seconds(30), .crash(nodes - 1))]
        let report = Simulation.run(options)
        #expect(report.detections.count == 1)
        #expect(report.detections.allSatisfy { $0.kind == "crash" && $0.span < .seconds(9) })
    }

    /// A killed process is found out by its ring neighbour's link.
    @Test(arguments: [2, 3, 7])
    func aKilledProcessIsKnownSooner(nodes: Int) {
        var options = Simulation.Options()
        options.nodes = nodes
        options.faultSpan = .seconds(60)
        options.extra = [ScheduledFault(at: .seconds(30), .kill(nodes - 1))]
        let report = Simulation.run(options)
        #expect(report.detections.allSatisfy { $0.kind == "kill" && $0.span < .seconds(4) })
    }
}
