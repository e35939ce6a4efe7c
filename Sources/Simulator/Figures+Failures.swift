import Cluster

// The rows of PROTOCOL section 8 about what happens to a job when somebody falls silent.

extension Figures {
    /// How a node is lost.
    public enum Loss: String, CaseIterable, Sendable {
        /// The process dies and its host answers: links break, a redial is refused.
        case killed
        /// The host falls silent.
        case silent
        /// The process does not run for a minute, its host does.
        case stopped

        func fault(_ machine: Int) -> Fault {
            switch self {
            case .killed: .kill(machine)
            case .silent: .crash(machine)
            case .stopped: .stall(machine, .seconds(60))
            }
        }
    }

    /// What one run about a lost coordinator showed.
    public struct TakenOver: Sendable {
        /// Until another node coordinates: its term is on disk, logs are united, tasks are granted again.
        public var atWork = Double.infinity
        /// Tasks with two live holders at the loss that were started again, and how many there were.
        public var recomputed = 0
        public var durable = 0
    }

    /// A coordinator that is lost while its job runs: five to seven nodes, 40 tasks of about a second each a
    /// node, one way 1 ms and an exponential millisecond.
    public static func coordinatorGone(_ loss: Loss, seed: UInt64) -> TakenOver {
        var chance = SeededGenerator(seed: seed ^ 0x636F_6F72)
        let nodes = 5 + chance.below(3)
        var costs = TaskCosts()
        (costs.meanSeconds, costs.dearShare) = (1, 0)
        let simulation = prepared(nodes, costs.tasks(nodes * 40, seed: seed), at: .seconds(3), seed)
        simulation.strike()
        simulation.go(on: chance.span(from: .seconds(8), to: .seconds(20)))
        let world = simulation.world
        let id = Workload.id(0)
        guard let old = world.machines.first(where: { $0.node.jobs?.coordinators[id] != nil }) else {
            return TakenOver()
        }
        var result = TakenOver()
        let durable = world.durable(id)
        let runs = world.meter.runs
        let since = world.time
        world.strike(loss.fault(old.index))
        while world.time < since + 60_000_000_000 {
            world.run(until: world.time + 10_000_000)
            let successor = world.machines.first { machine in
                machine !== old && machine.isRunning
                    && machine.node.jobs?.coordinators[id]?.isGranting == true
            }
            guard successor != nil else { continue }
            result.atWork = Double(world.time - since) / 1e9
            break
        }
        simulation.go(on: .seconds(30))
        result.durable = durable.count
        result.recomputed = durable.count { (world.meter.runs[$0] ?? 0) > (runs[$0] ?? 0) }
        return result
    }

    /// Seconds from the loss of a worker until its task runs elsewhere, with idle nodes at hand: eight nodes,
    /// four long tasks.
    public static func rangeReissued(_ loss: Loss, seed: UInt64) -> Double {
        var chance = SeededGenerator(seed: seed ^ 0x7265_6973)
        let tasks = (0..<4).map { _ in VirtualTask(seconds: 40) }
        let simulation = prepared(8, tasks, at: .seconds(3), seed, slots: 1)
        simulation.strike()
        simulation.go(on: chance.span(from: .seconds(6), to: .seconds(12)))
        let world = simulation.world
        let workers = world.machines.filter {
            $0.bench.executions.count == 1 && $0.node.jobs?.coordinators.isEmpty == true
        }
        guard !workers.isEmpty else { return .infinity }
        let victim = workers[chance.below(workers.count)]
        guard let key = victim.bench.executions.keys.first else { return .infinity }
        let (runs, since) = (world.meter.runs[key] ?? 0, world.time)
        world.strike(loss.fault(victim.index))
        return seconds(simulation, since: since) { (world.meter.runs[key] ?? 0) > runs }
    }

    /// Seconds from the start of a task that never ends until a copy of it starts, less what is allowed:
    /// max(3 s, 3 × predicted). Idle nodes are at hand.
    public static func stuckCopied(predicted: Double, seed: UInt64) -> Double {
        var chance = SeededGenerator(seed: seed ^ 0x7374_7563)
        let tasks = (0..<4).map { _ in VirtualTask(seconds: predicted) }
        let simulation = prepared(8, tasks, at: .seconds(3), seed, slots: 1)
        let world = simulation.world
        let hanging = chance.below(4)
        world.strike(.trouble(job: 0, task: hanging, .hangs(1)))
        simulation.strike()
        let key = Workbench.Key(plan: plan(of: 0), task: TaskID(hanging))
        var begun: Int64?
        let end = world.time + 600_000_000_000
        while world.time < end {
            world.run(until: world.time + 10_000_000)
            let runs = world.meter.runs[key] ?? 0
            if runs > 0, begun == nil { begun = world.time }
            guard runs > 1, let begun else { continue }
            return Double(world.time - begun) / 1e9 - max(3, 3 * predicted)
        }
        return .infinity
    }

    /// The digest of the plan that the first engine makes of a job.
    static func plan(of job: Int) -> Digest {
        Workload(at: .zero, machine: 0, tasks: []).plan(job, engine: Workload.engine(1)).digest
    }

    private static func prepared(
        _ nodes: Int, _ tasks: [VirtualTask], at moment: Span, _ seed: UInt64, slots: Int = 2
    ) -> Simulation {
        var options = calm(nodes, 0, seed)
        options.faultSpan = moment
        (options.slots, options.cores) = (slots, slots)
        var chance = SeededGenerator(seed: seed ^ 0x7375_626D)
        options.jobs = [Workload(at: moment, machine: chance.below(nodes), tasks: tasks)]
        return Simulation(options)
    }

    private static func seconds(
        _ simulation: Simulation, since: Int64, until isTrue: () -> Bool
    ) -> Double {
        let world = simulation.world
        while world.time < since + 60_000_000_000 {
            world.run(until: world.time + 10_000_000)
            if isTrue() { return Double(world.time - since) / 1e9 }
        }
        return .infinity
    }
}

extension World {
    /// Tasks of a job whose blobs lie on two running machines.
    func durable(_ id: JobID) -> [Workbench.Key] {
        let digest = Figures.plan(of: Int(id.low))
        guard let plan = plans[digest] else { return [] }
        return plan.all.tasks.filter { task in
            machines.count { $0.isRunning && $0.work.blobs[digest]?[task] != nil } >= 2
        }.map { Workbench.Key(plan: digest, task: $0) }
    }
}
