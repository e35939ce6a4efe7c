import Cluster
import Simulator

/// The same for faults about jobs.
extension FaultScenarios {
    static func jobRuns(for fault: DeliberateFault) -> [Simulation.Options]? {
        switch fault {
        case .termUsedBeforeDisk, .acknowledgedOnOneDisk, .publishedTooEarly, .digestLostInMerge,
            .assembledWithHoles:
            return [job(fault, nodes: 3, tasks: 24)]
        case .pullsUnbounded: return [job(fault, nodes: 24, tasks: 240)]
        case .idleNeverAsks:
            var options = job(fault, nodes: 5, tasks: 8, of: 6)
            options.jobs[0].at = .seconds(20)
            return [options]
        case .nobodyTakesOver, .doneForgottenAtTakeOver:
            return [job(fault, nodes: 3, tasks: 60, [(9, .crash(0)), (40, .start(0))])]
        case .claimNeverExpires, .releasedTasksLost:
            return [job(fault, nodes: 4, tasks: 80, [(8, .crash(2)), (9, .crash(3))])]
        case .lostBlobsIgnored:
            return [job(fault, nodes: 5, tasks: 80, [(9, .crash(0)), (9, .crash(1))])]
        case .keepersNeverReplaced:
            // One of the survivors is no keeper.
            return (1...3).map { survivor in
                let victims = (1...5).filter { $0 != survivor }
                let crashes = victims.enumerated().map { (Double(16 + 12 * $0), Fault.crash($1)) }
                var options = job(fault, nodes: 6, tasks: 500, crashes)
                options.faultSpan = .seconds(90)
                options.restSpan = .seconds(300)
                return options
            }
        case .termsByCounter:
            // The coordinator dies and its keepers cannot hear each other: both take counter 2. One of the
            // two splits at least parts them. The job outlasts the partition by far.
            return [[0, 0, 0, 1, 1], [0, 0, 1, 0, 1]].map { groups in
                var options = job(
                    fault, nodes: 5, tasks: 500, of: 3,
                    [(9, .partition(groups)), (9, .crash(0)), (25, .partition([]))])
                options.jobSpan = .seconds(900)
                return options
            }
        case .loserStaysCoordinator:
            return mixedJobs(fault, kinds: [.partitions], tasksANode: 130)
        case .manifestOrderIgnored: return mixedJobs(fault, kinds: [.partitions])
        case .booksNeverCompared: return mixedJobs(fault, kinds: [.partitions, .restarts])
        case .lowerTermObeyed: return mixedJobs(fault, kinds: [.network, .stalls, .partitions])
        case .lateGrantAccepted:
            // The tasks of a dead node are free when one way takes 1.2 s: what the coordinator grants of them
            // comes over 2 s after it was asked for. Else by chance.
            var slow = NetworkConditions()
            slow.latency = .milliseconds(1200)
            let narrow = [7.0, 8, 9].map { death in
                job(
                    fault, nodes: 3, tasks: 60,
                    [(death, .crash(2)), (12, .network(slow)), (20, .network(NetworkConditions()))])
            }
            return narrow + mixedJobs(fault, kinds: [.network])
        case .forgeryAccepted: return [job(fault, nodes: 5, tasks: 0, [(15, .flood(1, seed: 3))])]
        case .mismatchAccepted:
            let rots = (0..<24).map { (0.0, Fault.trouble(job: 0, task: $0, .rots(1))) }
            return [job(fault, nodes: 3, tasks: 24, rots)]
        case .oldHeartbeatObeyed:
            return mixedJobs(fault, kinds: [.network]).map { options in
                var options = options
                options.extra = [ScheduledFault(at: .zero, .spoil(.heartbeat, .doubled))]
                return options
            }
        case .cancelNamesNoRun:
            // Node 2 asks while it is cut off; run 2 begins before its request arrives.
            let asks: [(Double, Fault)] = [
                (8.9, .partition([0, 0, 1])), (9, .ask(job: 0, 2, .cancel)), (9.4, .ask(job: 0, 1, .cancel)),
                (10, .ask(job: 0, 1, .resume)), (11, .partition([])),
            ]
            return [job(fault, nodes: 3, tasks: 120, asks)]
        case .speculationUncapped, .tooManyCopies:
            return [16, 24, 40, 64].flatMap { tasks in
                [0.2, 0.1, 0.05].map { slow in
                    var options = job(fault, nodes: 8, tasks: tasks)
                    options.speeds = [1, 1, 1, 1, slow, slow, slow, slow]
                    return options
                }
            }
        default: return nil
        }
    }

    /// A job that machine 0 gets after five seconds, of tasks that take `seconds`.
    private static func job(
        _ fault: DeliberateFault, nodes: Int, tasks: Int, of seconds: Double = 1,
        _ extra: [(Double, Fault)] = []
    ) -> Simulation.Options {
        var options = Simulation.Options()
        options.fault = fault
        options.nodes = nodes
        options.faultSpan = .seconds(60)
        options.restSpan = .seconds(90)
        options.joinSpan = .milliseconds(100)
        options.jobs = [Workload(at: .seconds(5), machine: 0, costs: Array(repeating: seconds, count: tasks))]
        options.extra = extra.map { ScheduledFault(at: .seconds($0.0), $0.1) }
        return options
    }

    private static func mixedJobs(
        _ fault: DeliberateFault, kinds: [ScheduleKind], tasksANode: Int = 30
    ) -> [Simulation.Options] {
        mixed(fault, kinds: kinds).map { options in
            var options = options
            options.faultSpan = .seconds(60)
            options.joinSpan = .milliseconds(100)
            options.jobs = [
                Workload(
                    at: .seconds(5), machine: 0,
                    costs: Array(repeating: 1.5, count: tasksANode * options.nodes))
            ]
            return options
        }
    }
}
