import Cluster
import Simulator

/// The runs in which a deliberate fault must be noticed: mixed ones, or a scenario of its own where chance
/// would take too long.
enum FaultScenarios {
    /// The runs that look for a fault: the mixed ones, or a scenario of its own where chance would take too
    /// long.
    static func runs(for fault: DeliberateFault) -> [Simulation.Options] {
        if let runs = jobRuns(for: fault) { return runs }
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

    static func mixed(
        _ fault: DeliberateFault, kinds: [ScheduleKind], from first: Int = 1
    ) -> [Simulation.Options] {
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
}
