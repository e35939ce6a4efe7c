import Cluster

/// A whole run: a cluster, a seed, what goes wrong, and what must hold (PROTOCOL section 7).
///
/// First the faults strike while safety is checked; then they stop, everything is healed, and the cluster
/// must come to rest in time (liveness).
public struct Simulation {
    /// What a run is made of; equal options give equal runs (S14).
    public struct Options: Sendable {
        public var nodes = 5
        public var seed: UInt64 = 1
        /// How long faults strike.
        public var faultSpan = Span.seconds(120)
        /// How long the healed cluster may take to come to rest.
        public var restSpan = Span.seconds(180)
        /// How long its jobs may take to end: inputs are waited for a quarter of an hour.
        public var jobSpan = Span.seconds(1500)
        /// The first so many machines are everybody's seeds.
        public var seeds = 3
        /// Nodes start within this time.
        public var joinSpan = Span.seconds(2)
        /// Whether the run starts with tables that are already complete, as after a long quiet time.
        public var warm = false
        /// Kinds of faults that are mixed in.
        public var kinds: [ScheduleKind] = []
        /// What users submit.
        public var jobs: [Workload] = []
        /// Of each machine's processor; a shorter list is repeated.
        public var speeds = [1.0]
        /// Tasks that a node runs at a time, and how many of them compute at a time.
        public var slots = 2
        public var cores = 2
        /// Each machine's link for bulk data; nil: it costs no time.
        public var link: LinkCapacity?
        /// Faults beside the mixed ones.
        public var extra: [ScheduledFault] = []
        /// Faults and jobs that are left out.
        public var without: Set<Omission> = []
        public var network = NetworkConditions()
        public var configuration = Configuration()
        /// A protocol fault that the run should find.
        public var fault: DeliberateFault?
        /// Whether safety is checked after every event; figures of large clusters are measured without.
        public var checks = true
        /// Whether the last inputs are kept for the report.
        public var remembers = false

        public init() {}

        /// The speed of a machine's processor.
        func speed(of machine: Int) -> Double { speeds.isEmpty ? 1 : speeds[machine % speeds.count] }

        var effectiveConfiguration: Configuration {
            var configuration = configuration
            configuration.fault = fault
            return configuration
        }

        /// What a seed of the mixed runs means: 1–64 nodes, half of the runs 1–5 (PROTOCOL section 7); with
        /// the first minutes among the faults, two or three.
        public static func mixed(seed: UInt64) -> Options {
            var options = Options()
            var chance = SeededGenerator(seed: seed ^ 0x6D69_7865_64)
            options.seed = seed
            options.nodes = chance.chance(0.5) ? 1 + chance.below(5) : 6 + chance.below(59)
            options.kinds = ScheduleKind.mixed(seed: seed)
            options.joinSpan = [.milliseconds(100), .seconds(5), .seconds(30)][chance.below(3)]
            let isEarly = options.kinds.contains(.firstMinutes)
            if isEarly { options.nodes = 2 + Int(seed % 2) }
            options.faultSpan = span(seed: seed, nodes: options.nodes)
            options.jobs = Workload.drawn(
                nodes: options.nodes, span: options.faultSpan, isEarly: isEarly, seed: seed)
            // One node, ten times slower than the others, may have to do all of it.
            let work = options.jobs.flatMap(\.tasks).reduce(0) { $0 + $1.seconds }
            options.jobSpan = options.jobSpan + .seconds(work * 10) + options.hangSpan
            return options
        }

        /// What hanging tasks may cost, one after the other, each on a node ten times slower: a node gives
        /// one up after twenty times what it should take there, and `Failures` may want the verdict of three.
        private var hangSpan: Span {
            guard kinds.contains(.tasks) else { return .zero }
            return faults(of: .tasks).reduce(.zero) { sum, scheduled in
                guard case .trouble(let job, let task, .hangs(let times)) = scheduled.fault else {
                    return sum
                }
                let seconds = jobs[job].tasks[task].predicted * 10 * 20
                return sum + max(.seconds(120), .seconds(seconds)) * Double(times)
            }
        }

        /// Two minutes of faults; in small clusters sometimes an hour, seldom two days.
        private static func span(seed: UInt64, nodes: Int) -> Span {
            var chance = SeededGenerator(seed: seed ^ 0x7370_616E)
            let draw = chance.unit()
            if nodes <= 3, draw < 0.01 { return .seconds(2 * 24 * 3600) }
            if nodes <= 16, draw < 0.06 { return .seconds(600 + chance.below(3000)) }
            return .seconds(120)
        }
    }

    /// What a run showed.
    public struct Report: Sendable {
        public var options = Options()
        public var violation: Violation?
        /// The smallest command that still shows the violation; nil until `Simulation.shrunk` looked for it.
        public var command: String?
        /// The last inputs of the nodes, when they were remembered.
        public var recent: [String] = []
        /// From the end of the faults to rest; nil if it never came, or was not waited for.
        public var restedAfter: Span?
        /// From a node's silence until every running node knew, by what ended it ("kill", "crash").
        public var detections: [(kind: String, span: Span)] = []
        /// Deaths declared of nodes that ran undisturbed.
        public var falseDeaths = 0
        /// Jobs that some node saw complete, and how often tasks were started in all.
        public var completedJobs = 0
        public var taskRuns = 0
        /// Sent bytes of datagrams and of frames, a node and second, headers included.
        public var datagramRate = 0.0
        public var frameRate = 0.0
        /// The hash of the whole run (S14).
        public var trace: UInt64 = 0
        public var events = 0
        public var span = Span.zero

        public init() {}
    }

    public let options: Options
    let world: World

    public init(_ options: Options) {
        self.options = options
        world = World(options: options)
    }

    /// Runs to the end, or to the first violation.
    public static func run(_ options: Options) -> Report {
        let simulation = Simulation(options)
        simulation.strike()
        simulation.heal()
        var report = simulation.report()
        report.restedAfter = simulation.rest()
        let end = simulation.report()
        report.violation = end.violation
        report.completedJobs = end.completedJobs
        report.taskRuns = end.taskRuns
        report.recent = end.recent
        report.trace = end.trace
        report.events = end.events
        report.span = end.span
        report.detections = end.detections
        return report
    }

    /// Starts the nodes and runs through the faults; `stopWhenKnown` ends early, as soon as all know who fell
    /// silent.
    func strike(stopWhenKnown: Bool = false) {
        var chance = SeededGenerator(seed: options.seed ^ 0x6A6F_696E)
        var schedule: [ScheduledFault] = []
        for index in 0..<options.nodes {
            let isFirst = index == 0 && !options.kinds.contains(.firstMinutes)
            let at = isFirst ? Span.zero : chance.span(from: .zero, to: options.joinSpan)
            schedule.append(ScheduledFault(at: at, .start(index)))
        }
        for kind in options.kinds { schedule += options.faults(of: kind) }
        schedule += options.extra.enumerated().filter {
            !options.without.contains(Omission("extra", $0.offset))
        }.map(\.element)
        world.schedule = schedule
        for (position, fault) in schedule.enumerated() {
            world.queue.push(.fault, at: fault.at.nanoseconds, position)
        }
        world.queue.push(.sweep, at: 1_000_000_000, 0)
        for (number, job) in options.jobs.enumerated()
        where !options.without.contains(Omission("job", number)) {
            world.submitLater(job, number: number)
        }
        if options.warm {
            world.run(until: (options.joinSpan + .milliseconds(5)).nanoseconds)
            world.completeTables()
        }
        while stopWhenKnown, world.time < options.faultSpan.nanoseconds, world.checks.violation == nil {
            world.run(until: world.time + 500_000_000)
            if let watch = world.checks.watches.first, watch.knownToAll != nil { return }
        }
        world.run(until: options.faultSpan.nanoseconds)
    }

    /// Runs on without faults.
    func go(on span: Span) { world.run(until: world.time + span.nanoseconds) }

    /// Ends all faults. Machines that are down start again, three in four of them.
    func heal() {
        guard world.checks.violation == nil else { return }
        world.schedule = world.schedule.map { ScheduledFault(at: $0.at, .network(NetworkConditions())) }
        world.network.conditions = NetworkConditions()
        for index in world.network.ports.indices { world.network.ports[index] = VirtualNetwork.Port() }
        var chance = SeededGenerator(seed: options.seed ^ 0x6865_616C)
        world.spoiled = [:]
        for machine in world.machines {
            world.setFull(machine, false)
            machine.killAfterEffects = nil
            world.wakeUp(machine)
            let isFinished = world.checks.finished.contains(machine.index)
            if !machine.isRunning, !isFinished, chance.chance(0.75) {
                machine.hostIsUp = true
                world.startProcess(machine)
            }
        }
    }

    /// Waits for rest, and says how long it took; nil, with a violation, if it did not come.
    func rest(watching interval: Span = .seconds(1)) -> Span? {
        let start = world.time
        while world.checks.violation == nil {
            world.run(until: world.time + interval.nanoseconds)
            guard world.checks.violation == nil else { return nil }
            let waited = Span(nanoseconds: world.time - start)
            let unrest = world.checks.unrest(world)
            guard let found = unrest ?? world.checks.unfinishedJob(world) else { return waited }
            // Tasks may end processes after the other faults have stopped.
            let quiet = Span(nanoseconds: world.time - max(start, world.checks.lastDeath))
            if waited >= options.jobSpan || unrest != nil && quiet >= options.restSpan {
                world.checks.fail(
                    found.invariant, "\(found.what), \(waited.seconds) s after the faults", world.time)
            }
        }
        return nil
    }

    func report() -> Report {
        var report = Report()
        report.options = options
        report.violation = world.checks.violation
        report.recent = world.checks.violation == nil ? [] : world.checks.recent(world.machines)
        report.falseDeaths = world.checks.falseDeaths
        report.completedJobs = world.checks.completedAt.count
        report.taskRuns = world.checks.taskRuns
        report.trace = world.trace
        report.events = world.events
        report.span = Span(nanoseconds: world.time)
        for watch in world.checks.watches {
            if let known = watch.knownToAll {
                report.detections.append((watch.kind, Span(nanoseconds: known - watch.since)))
            }
        }
        let nodeSeconds = Double(options.nodes) * max(report.span.seconds, 1e-9)
        report.datagramRate = Double(world.machines.reduce(0) { $0 + $1.datagramBytes }) / nodeSeconds
        report.frameRate = Double(world.machines.reduce(0) { $0 + $1.frameBytes }) / nodeSeconds
        return report
    }
}
