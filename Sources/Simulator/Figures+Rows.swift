import Cluster

/// The rows of PROTOCOL section 8 by name, one seed at a time; `scripts/bench protocol` prints them.
public enum FigureRow: String, CaseIterable, Sendable {
    case silentSmall = "silent-small"
    case silent1000 = "silent-1000"
    case silent1000Loss5 = "silent-1000-loss5"
    case silent1000Loss20 = "silent-1000-loss20"
    case killed64 = "killed-64"
    case killed1000 = "killed-1000"
    case falseDeaths1000 = "false-1000-loss20"
    case falseDeathsStarved = "false-starved"
    case falseDeathsSmall = "false-small"
    case gossip1000 = "gossip-1000"
    case merge64 = "merge-64"
    case merge1000 = "merge-1000"
    case coordinatorKilled = "coordinator-killed"
    case coordinatorSilent = "coordinator-silent"
    case reissuedSilent = "reissued-silent"
    case reissuedStopped = "reissued-stopped"
    case stuck
    case steal4 = "steal-4"
    case steal16 = "steal-16"
    case steal64 = "steal-64"
    case steal1000 = "steal-1000"
    case steal1000Split = "steal-1000-split"
    case stealLink16 = "steal-link-16"
    case small2 = "small-2"
    case small3 = "small-3"
    case slow64 = "slow-64"
    case speed1000 = "speed-1000"

    /// What one seed shows: numbers by name; a name may have many. Times are in seconds unless the name says
    /// otherwise.
    ///
    /// - Parameter violated: told of an invariant that a job of the seed violates, in a sentence.
    public func measure(seed: UInt64, violated: (String) -> Void = { _ in }) -> [String: [Double]] {
        var chance = SeededGenerator(seed: seed ^ 0x726F_77)
        func seconds(_ nodes: Int, _ loss: Double, _ kind: String) -> [String: [Double]] {
            let found = Figures.detection(nodes: nodes, loss: loss, kind: kind, seeds: seed..<seed + 1)
            return ["seconds": found.values]
        }
        switch self {
        case .silentSmall: return seconds(2 + Int(seed % 6), 0, "crash")
        case .silent1000: return seconds(1000, 0, "crash")
        case .silent1000Loss5: return seconds(1000, 0.05, "crash")
        case .silent1000Loss20: return seconds(1000, 0.2, "crash")
        case .killed64: return seconds(2 + chance.below(63), 0, "kill")
        case .killed1000: return seconds(1000, 0, "kill")
        case .falseDeaths1000: return quiet(1000, loss: 0.2, starved: 0, .seconds(40), seed)
        case .falseDeathsStarved: return quiet(16, loss: 0, starved: 0.25, .seconds(1200), seed)
        case .falseDeathsSmall: return quiet(3 + Int(seed % 6), loss: 0, starved: 0, .seconds(3600 * 9), seed)
        case .gossip1000, .speed1000: return quiet(1000, loss: 0, starved: 0, .seconds(60), seed)
        case .merge64:
            return ["seconds": Figures.merging(nodes: 2 + chance.below(63), seeds: seed..<seed + 1).values]
        case .merge1000: return ["seconds": Figures.merging(nodes: 1000, seeds: seed..<seed + 1).values]
        case .coordinatorKilled: return gone(Figures.coordinatorGone(.killed, seed: seed))
        case .coordinatorSilent: return gone(Figures.coordinatorGone(.silent, seed: seed))
        case .reissuedSilent: return ["seconds": [Figures.rangeReissued(.silent, seed: seed)]]
        case .reissuedStopped: return ["seconds": [Figures.rangeReissued(.stopped, seed: seed)]]
        case .stuck:
            let predicted = 0.5 + 4 * chance.unit()
            return ["secondsOver": [Figures.stuckCopied(predicted: predicted, seed: seed)]]
        default: return job(seed, violated)
        }
    }

    private func quiet(
        _ nodes: Int, loss: Double, starved: Double, _ span: Span, _ seed: UInt64
    ) -> [String: [Double]] {
        let quiet = Figures.quiet(nodes: nodes, loss: loss, starved: starved, span: span, seed: seed)
        return [
            "falseDeaths": [Double(quiet.falseDeaths)], "nodeHours": [quiet.nodeHours],
            "bytesPerSecond": [quiet.datagramRate + quiet.frameRate],
            "virtualSeconds": [quiet.span.seconds], "wallSeconds": [quiet.wallSeconds],
        ]
    }

    private func gone(_ found: Figures.TakenOver) -> [String: [Double]] {
        [
            "seconds": [found.atWork], "recomputed": [Double(found.recomputed)],
            "durable": [Double(found.durable)],
        ]
    }

    private func job(_ seed: UInt64, _ violated: (String) -> Void) -> [String: [Double]] {
        let job = jobCase
        let outcome = Figures.job(job, seed: seed)
        if let found = outcome.violation {
            violated("seed \(seed): \(found.invariant) after \(found.at.seconds) s: \(found.what)")
        }
        return [
            "efficiency": [outcome.efficiency], "wholeEfficiency": [outcome.wholeEfficiency],
            "efficiencyBound": [outcome.efficiencyBound],
            "computing": [outcome.computing?.seconds ?? .infinity],
            "networkBound": [job.networkBound(outcome)], "duplicates": [outcome.duplicateShare],
            "rescues": [outcome.rescueShare], "waits": outcome.waits, "lost": [Double(outcome.lostTasks)],
        ]
    }

    /// The cluster and the job of a row about stealing.
    private var jobCase: Figures.JobCase {
        var job = Figures.JobCase()
        switch self {
        case .steal16: job.nodes = 16
        case .steal64: job.nodes = 64
        case .steal1000: job.nodes = 1000
        case .steal1000Split:
            job.nodes = 1000
            job.costs.splitAbove = 8
        case .stealLink16:
            job.nodes = 16
            (job.cores, job.slots) = (2, 3)
            (job.link, job.inputsAt) = (.gigabits(1), 0)
        case .small2, .small3:
            job.nodes = self == .small2 ? 2 : 3
            job.tasksPerNode = 12 / job.nodes
            job.costs.dearShare = 0
        case .slow64:
            job.nodes = 64
            job.speeds = (0..<64).map { $0 % 16 == 7 ? 0.1 : 1 }
        default: break
        }
        return job
    }
}

extension Figures.JobCase {
    /// No schedule computes the job faster: all cores busy, or the owner's link full with the inputs of what
    /// it does not compute itself, or the coordinator's with the blobs, or the longest task. Seconds.
    func networkBound(_ outcome: JobOutcome) -> Double {
        let computing = max(outcome.work / outcome.speed, outcome.longestTask.seconds)
        guard let link, inputsAt != nil, outcome.tasks > 0, outcome.work > 0 else { return computing }
        let seconds = outcome.work / Double(outcome.tasks)
        let own = Double(min(cores, slots)) * (speeds.first ?? 1) / seconds
        let tasks = Double(outcome.tasks)
        // What the owner computes itself goes up as a blob, not as inputs.
        let saved = own * max(0, Double(costs.inputBytes - costs.resultBytes))
        let inputs = tasks * Double(costs.inputBytes) / (link.up + saved)
        let blobs = tasks / (link.down / Double(costs.resultBytes) + own)
        return max(computing, max(inputs, blobs))
    }
}
