import Cluster
import Simulator
import Testing

/// Each fault that can be switched on in the protocol must be noticed, by the invariant that its
/// documentation names.
@Suite struct DeliberateFaultTests {
    /// The runs that look for a fault: the mixed ones, or a scenario of its own where chance would take too
    /// long.
    private func runs(for fault: DeliberateFault) -> [Simulation.Options] {
        var options = Simulation.Options()
        options.fault = fault
        options.faultSpan = .seconds(60)
        switch fault {
        case .datagramOverfull:
            options.nodes = 24
            return [options]
        case .relayUnbounded:
            options.nodes = 5
            options.extra = [ScheduledFault(at: .seconds(20), .hostile(1, seed: 3))]
            return [options]
        case .deadForgottenAtOnce:
            options.nodes = 5
            options.seeds = 1
            options.extra = [
                ScheduledFault(at: .seconds(15), .farewell(0, .left)),
                ScheduledFault(at: .seconds(20), .partition([0, 0, 0, 1, 1])),
                ScheduledFault(at: .seconds(55), .partition([])),
            ]
            return [options]
        case .noAntiEntropy: return mixed(fault, kinds: [.network, .partitions, .restarts], from: 30)
        case .seedsTriedOnce:
            options.nodes = 3
            options.seeds = 1
            options.extra = [
                ScheduledFault(at: .milliseconds(1), .kill(0)), ScheduledFault(at: .seconds(20), .start(0)),
            ]
            return [options]
        case .keyUsedTooEarly: return mixed(fault, kinds: [.keys, .partitions, .crashes, .network])
        case .keyRetiredTooEarly:
            options.extra = [
                ScheduledFault(at: .seconds(10), .kill(3)),
                ScheduledFault(at: .seconds(20), .keys(0, .install(KeyID(bits: 2), secret: [2]))),
                ScheduledFault(at: .seconds(40), .keys(1, .use(KeyID(bits: 2)))),
                ScheduledFault(at: .seconds(50), .keys(2, .retire(KeyID(bits: 1), forced: false))),
                ScheduledFault(at: .seconds(55), .start(3)),
            ]
            return [options]
        case .deniedLetIn: return mixed(fault, kinds: [.keys, .crashes])
        case .clonesBothStay: return mixed(fault, kinds: [.identities])
        case .rollbackNotNoticed: return mixed(fault, kinds: [.disks])
        case .replayedAckAccepted: return mixed(fault, kinds: [.network])
        case .deadRevivedBySync: return mixed(fault, kinds: [.crashes, .partitions, .network])
        case .suspicionNeverEnds: return mixed(fault, kinds: [.crashes])
        case .restartSaysLeft: return mixed(fault, kinds: [.restarts])
        default: return mixed(fault, kinds: [.network, .crashes, .restarts, .partitions])
        }
    }

    private func mixed(_ fault: DeliberateFault, kinds: [ScheduleKind], from first: Int = 1) -> [Simulation
        .Options]
    {
        (first...first + 299).map { seed in
            var options = Simulation.Options.mixed(seed: UInt64(seed))
            options.nodes = 2 + seed % 6
            options.kinds = kinds
            options.jobs = []
            options.faultSpan = .seconds(120)
            options.fault = fault
            options.restSpan = .seconds(90)
            return options
        }
    }

    private let named: [DeliberateFault: String] = [
        .lowerVersionAccepted: "S1", .epochReused: "S1", .recordMadeForAnother: "S2", .selfInTable: "S2",
        .restartSaysLeft: "S2", .deadRevivedBySync: "S3", .frameRevivesTheDead: "S3",
        .datagramOverfull: "S11",
        .rumourToItsSubject: "S11", .relayUnbounded: "S11", .replayedAckAccepted: "S12", .deniedLetIn: "S12",
        .suspicionNeverEnds: "L1", .clonesBothStay: "L1", .rollbackNotNoticed: "L1", .noAntiEntropy: "L6",
        .deadForgottenAtOnce: "L6", .seedsTriedOnce: "L6", .neverRefutes: "L6", .refutesWithoutRaise: "L6",
        .keyUsedTooEarly: "L5", .keyRetiredTooEarly: "L5",
    ]

    @Test(arguments: DeliberateFault.allCases)
    func isNoticed(_ fault: DeliberateFault) {
        var found: [String] = []
        for (tried, options) in runs(for: fault).enumerated() {
            guard let violation = Simulation.run(options).violation else { continue }
            found.append(violation.invariant)
            if violation.invariant == named[fault] {
                print("\(fault): \(violation.invariant) after \(tried + 1) runs")
                return
            }
        }
        Issue.record("\(fault) should break \(named[fault] ?? "?") and broke \(found)")
    }
}
