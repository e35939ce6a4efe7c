import Cluster

// A failed run is made small before it is shown: kinds of faults, jobs, nodes, minutes and then single faults
// are taken away as long as the same invariant is still violated. Every kind draws from its own stream of
// chance, so the rest stays as it was.

/// Looks for the smallest run that violates one invariant.
struct Shrinking {
    private(set) var best: Simulation.Options
    private let invariant: String
    /// Events that may still be simulated: the bound on the time this takes.
    private var left: Int

    init(_ failed: Simulation.Report, events: Int) {
        best = failed.options
        invariant = failed.violation?.invariant ?? ""
        left = events
    }

    mutating func run() {
        dropKinds()
        dropJobs()
        dropNodes()
        shorten()
        dropFaults()
    }

    /// Keeps a smaller run that fails in the same way.
    private mutating func keeps(_ change: (inout Simulation.Options) -> Void) -> Bool {
        guard left > 0 else { return false }
        var smaller = best
        change(&smaller)
        let report = Simulation.run(smaller)
        left -= report.events
        guard report.violation?.invariant == invariant else { return false }
        best = smaller
        return true
    }

    private mutating func dropKinds() {
        for kind in best.kinds { _ = keeps { $0.kinds.removeAll { $0 == kind } } }
    }

    private mutating func dropJobs() {
        for number in best.jobs.indices where !best.without.contains(Omission("job", number)) {
            _ = keeps { $0.without.insert(Omission("job", number)) }
        }
    }

    /// Halves, then one less at a time. Other nodes mean other draws, so this comes before single faults.
    private mutating func dropNodes() {
        guard best.extra.isEmpty else { return }
        while best.nodes > 1, keeps({ $0.nodes /= 2 }) {}
        while best.nodes > 1, keeps({ $0.nodes -= 1 }) {}
    }

    private mutating func shorten() {
        while best.faultSpan > .seconds(20), keeps({ $0.faultSpan = .seconds(Int($0.faultSpan.seconds) / 2) })
        {}
    }

    /// Halves of what is left, quarters, and so on down to single faults.
    private mutating func dropFaults() {
        var size = max(1, best.faultNames.count / 2)
        while true {
            var at = 0
            while at < best.faultNames.count {
                let names = best.faultNames
                let part = names[at..<min(at + size, names.count)]
                if !keeps({ $0.without.formUnion(part) }) { at += size }
            }
            if size == 1 { return }
            size /= 2
        }
    }
}

extension Simulation.Options {
    /// The faults of the kinds, in order, that are not left out.
    func faults(of kind: ScheduleKind) -> [ScheduledFault] {
        kind.faults(nodes: nodes, span: faultSpan, jobs: jobs, seed: seed).enumerated()
            .filter { !without.contains(Omission(kind.rawValue, $0.offset)) }.map(\.element)
    }

    /// The names of all faults that strike.
    var faultNames: [Omission] {
        let drawn = kinds.flatMap { kind in
            kind.faults(nodes: nodes, span: faultSpan, jobs: jobs, seed: seed).indices
                .map { Omission(kind.rawValue, $0) }
        }
        return (drawn + extra.indices.map { Omission("extra", $0) }).filter { !without.contains($0) }
    }
}

extension Simulation {
    /// A failed run made small: the report of the smallest that was found, with its command and the last
    /// events of the nodes concerned. `events` bounds the search.
    public static func shrunk(_ failed: Report, events: Int = 30_000_000) -> Report {
        guard failed.violation != nil else { return failed }
        var shrinking = Shrinking(failed, events: events)
        shrinking.run()
        var options = shrinking.best
        options.remembers = true
        var report = run(options)
        report.options.remembers = false
        report.command = options.command
        return report
    }
}
