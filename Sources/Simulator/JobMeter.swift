import Cluster

/// What the jobs of a run took and cost, for figures and forecasts. It watches; it decides nothing.
struct JobMeter {
    /// Why a task was computed when it ended up being computed more than once.
    enum Repeat: Equatable { case rescue, speculation, other }

    struct TaskFacts {
        var runs = 0
        var isDone = false
        var copy: Repeat?
    }

    /// One job's moments, in true time.
    struct Job {
        var running: Int64
        var computed: Int64?
        var left: Int
    }

    private(set) var tasks: [Workbench.Key: TaskFacts] = [:]
    /// How often each task was started.
    var runs: [Workbench.Key: Int] { tasks.mapValues(\.runs) }
    private(set) var jobs: [JobID: Job] = [:]
    /// Core seconds at speed 1 that gave no new result.
    private(set) var wasted: [Repeat: Double] = [.rescue: 0, .speculation: 0, .other: 0]
    /// Core seconds at speed 1 that gave one.
    private(set) var useful = 0.0
    /// From running dry to the grant, seconds.
    private(set) var waits: [Double] = []
    private(set) var steals = 0
    /// The machine that last coordinated each job.
    private var coordinators: [JobID: Int] = [:]

    mutating func started(_ key: Workbench.Key, _ id: JobID, on machine: Machine, _ world: World) {
        var facts = tasks[key] ?? TaskFacts()
        facts.runs += 1
        if jobs[id] == nil {
            jobs[id] = Job(running: world.time, left: world.plans[key.plan]?.count ?? 0)
        }
        if facts.runs > 1 {
            let copies = coordinator(of: id, world)?.copies
            if copies?.rescued.contains(key.task) == true {
                facts.copy = .rescue
            } else if copies?.raced.contains(key.task) == true {
                facts.copy = .speculation
            } else {
                facts.copy = facts.copy ?? .other
            }
        }
        tasks[key] = facts
    }

    /// A core worked on a task for a while, to its end or until it was stopped.
    mutating func computed(
        _ key: Workbench.Key, for span: Int64, on machine: Machine, isDone: Bool, _ now: Int64
    ) {
        let seconds = Double(span) / 1e9 / machine.secondsPerCost
        guard isDone, tasks[key]?.isDone != true else {
            wasted[tasks[key]?.copy ?? .other, default: 0] += seconds
            return
        }
        tasks[key, default: TaskFacts()].isDone = true
        useful += seconds
        let id = Workload.id(Workload.number(of: key.plan))
        jobs[id]?.left -= 1
        if jobs[id]?.left == 0 { jobs[id]?.computed = now }
    }

    mutating func granted(_ tally: WorkTally) {
        waits.append(tally.lastWait.seconds)
        steals += tally.wasSteal ? 1 : 0
    }

    private mutating func coordinator(of id: JobID, _ world: World) -> Coordinator? {
        if let index = coordinators[id], let found = world.machines[index].node.jobs?.coordinators[id] {
            return found
        }
        for machine in world.machines where machine.isRunning {
            guard let found = machine.node.jobs?.coordinators[id] else { continue }
            coordinators[id] = machine.index
            return found
        }
        return nil
    }
}
