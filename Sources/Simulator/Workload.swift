import Cluster

// Virtual work: what a shell does for the jobs of its node, with costs instead of pixels.

/// A job that a user hands in.
public struct Workload: Equatable, Sendable {
    /// Since the start of the run.
    public var at: Span
    /// The machine that gets it; if its process is down, the next that runs.
    public var machine: Int
    /// Seconds that each task takes on a node of speed 1.
    public var costs: [Double]

    public init(at: Span, machine: Int, costs: [Double]) {
        self.at = at
        self.machine = machine
        self.costs = costs
    }

    /// The fingerprint of all virtual engines.
    static let engine = Digest(0x656E_67, 1, 0, 0)

    func plan(_ number: Int) -> JobPlan {
        let tasks = costs.enumerated().map { position, cost in
            PlannedTask(
                key: Workload.key(number, position), cost: cost, inputBytes: 1 << 20, resultBytes: 1 << 18)
        }
        return JobPlan(
            digest: Digest(0x70_6C_61_6E, UInt64(number), 0, 0), fingerprint: Workload.engine, tasks: tasks)
    }

    static func key(_ number: Int, _ task: Int) -> Digest {
        Digest(0x6B_65_79, UInt64(number), UInt64(task), 0)
    }

    /// What every engine makes of a task.
    static func result(_ plan: Digest, _ task: TaskID) -> TaskResult {
        let bits = SeededGenerator.scramble(plan.words.1 << 32 | UInt64(task.index))
        return TaskResult(task: task, digest: Digest(0x62_6C_6F_62, bits, 0, 0))
    }

    /// What is laid out from these blobs: a hash over keys and digests in order.
    static func outputs(
        of plan: Digest, _ missing: TaskSet, _ world: World, blob: (TaskID) -> Digest?
    ) -> Digest {
        guard let tasks = world.plans[plan] else { preconditionFailure("no plan \(plan)") }
        var hash: UInt64 = 0x6F_75_74
        for task in tasks.all.tasks {
            let digest = missing.contains(task) ? nil : blob(task)
            for word in [tasks.tasks[task.index].key, digest ?? plan].flatMap({ [$0.words.1, $0.words.2] }) {
                hash = SeededGenerator.scramble(hash ^ word)
            }
        }
        return Digest(0x6F_75_74, hash, 0, 0)
    }

    static func id(_ number: Int) -> JobID { JobID(high: 0x6A_6F_62, low: UInt64(number)) }
}

/// What a machine's disk holds for jobs.
struct WorkDisk {
    var headers: [JobID: JobHeader] = [:]
    var plans: Set<Digest> = []
    var done: [Digest: [TaskResult]] = [:]
    var blobs: [Digest: [TaskID: TaskResult]] = [:]
    var outputs: Set<Digest> = []
}

extension World {
    /// Lets a shell do something on a machine's present process in a while.
    func work(_ machine: Machine, after span: Span, _ action: @escaping (World, Machine) -> Void) {
        let (index, generation) = (machine.index, machine.generation)
        let slot = workEvents.put { world in
            let machine = world.machines[index]
            if machine.isRunning, machine.generation == generation { action(world, machine) }
        }
        queue.push(.work, at: time + span.nanoseconds, machine.index, slot)
    }

    func submitLater(_ job: Workload, number: Int) {
        let plan = job.plan(number)
        plans[plan.digest] = plan
        queue.push(.work, at: job.at.nanoseconds, 0, workEvents.put { $0.submit(job, number: number) })
    }

    private func submit(_ job: Workload, number: Int) {
        for step in machines.indices {
            let machine = machines[(job.machine + step) % machines.count]
            guard machine.isRunning, machine.node.membership.isRunning else { continue }
            let request = Digest(0x72_65_71, UInt64(number), 0, 0)
            return deliver(
                machine, .job(.submit(Workload.id(number), title: "job \(number)", request: request)))
        }
        queue.push(.work, at: time + 1_000_000_000, 0, workEvents.put { $0.submit(job, number: number) })
    }

    /// A process tells its node what the disk holds of jobs.
    func restoreJobs(_ machine: Machine) {
        for id in machine.work.headers.keys.sorted() {
            guard let header = machine.work.headers[id] else { continue }
            let plan = header.reign.plan.flatMap { machine.work.plans.contains($0) ? plans[$0] : nil }
            let done = plan.flatMap { machine.work.done[$0.digest] } ?? []
            let blobs = plan.flatMap { machine.work.blobs[$0.digest] } ?? [:]
            let held = blobs.values.sorted { $0.task < $1.task }
            deliver(machine, .job(.restore(header, plan: plan, done: done, blobs: held, finishedFor: .zero)))
        }
    }

    /// Carries out what a job wants of its shell.
    func perform(_ action: JobAction, of machine: Machine) {
        checks.acted(action, by: machine, self)
        switch action {
        case .persist(let header, let source): persist(header, from: source, machine)
        case .persistResults(_, let plan, let results):
            machine.work.done[plan, default: []] += results
            checks.facts(results, of: plan, self)
        case .plan(let id, let run, _):
            work(machine, after: .milliseconds(50)) { world, machine in
                guard let plan = world.plans[Digest(0x70_6C_61_6E, id.low, 0, 0)] else { return }
                machine.work.plans.insert(plan.digest)
                world.deliver(machine, .job(.planned(id, run, plan)))
            }
        case .fetchPlan(let id, let digest, _): fetch(digest, id, machine)
        case .start(let id, let task, let plan, _): start(task, id, plan, machine)
        case .pull(let id, let plan, let result, let from): pull(result, id, plan, from, machine)
        case .discard(_, let plan, let task): machine.work.blobs[plan]?[task] = nil
        case .assemble(let id, let run, let plan, let missing): assemble(id, run, plan, missing, machine)
        case .copyOutputs(let id, let outputs, let from): copyOutputs(outputs, id, from, machine)
        case .acknowledged(let id, let copies):
            checks.acknowledged[id] = max(checks.acknowledged[id] ?? 0, copies)
        case .changed(let header): checks.headerChanged(header, by: machine, self)
        case .conflict(let id, let task, let a, let b):
            checks.fail("S6", "job \(id): task \(task) has the digests \(a) and \(b)", time)
        case .forget(let id): machine.work.headers[id] = nil
        case .send, .exchange, .rumour, .stop, .pin, .answered, .drop: break
        }
    }

    private func persist(_ header: JobHeader, from source: NodeID?, _ machine: Machine) {
        if let source, let plan = header.reign.plan, !machine.work.plans.contains(plan) {
            guard let host = holder(source, from: machine), host.work.plans.contains(plan) else {
                return work(machine, after: .milliseconds(200)) { world, machine in
                    world.deliver(machine, .job(.persistFailed(header, reason: "the plan cannot be had")))
                }
            }
            machine.work.plans.insert(plan)
        }
        work(machine, after: VirtualDisk.writeSpan) { world, machine in
            if machine.disk.isFull {
                return world.deliver(machine, .job(.persistFailed(header, reason: "the disk is full")))
            }
            let old = machine.work.headers[header.id]
            machine.work.headers[header.id] = old?.merged(with: header) ?? header
            let plan = header.reign.plan.flatMap { machine.work.plans.contains($0) ? world.plans[$0] : nil }
            world.deliver(machine, .job(.persisted(header, plan: plan)))
        }
    }

    /// The machine that runs a node, if bulk data can be had from it.
    private func holder(_ id: NodeID, from machine: Machine) -> Machine? {
        machines.first {
            $0.isRunning && $0.identity.id == id && network.carriesTCP(machine.index, $0.index)
                && time >= $0.stalledUntil
        }
    }

    private func fetch(_ digest: Digest, _ id: JobID, _ machine: Machine) {
        work(machine, after: .milliseconds(50)) { world, machine in
            guard let plan = world.plans[digest] else { return }
            let source = world.machines.first {
                $0.isRunning && $0.work.plans.contains(digest)
                    && world.network.carriesTCP(machine.index, $0.index)
            }
            guard source != nil else {
                return world.work(machine, after: .milliseconds(500)) { $0.fetch(digest, id, $1) }
            }
            machine.work.plans.insert(digest)
            world.deliver(machine, .job(.planKnown(id, plan, blobs: [])))
        }
    }

    private func start(_ task: TaskID, _ id: JobID, _ plan: Digest, _ machine: Machine) {
        checks.taskRuns += 1
        let cost = plans[plan]?.tasks[task.index].cost ?? 1
        work(machine, after: .seconds(max(0.001, cost * machine.secondsPerCost))) { world, machine in
            let result = Workload.result(plan, task)
            machine.work.blobs[plan, default: [:]][task] = result
            world.deliver(machine, .job(.finished(id, plan: plan, result)))
        }
    }

    private func pull(
        _ result: TaskResult, _ id: JobID, _ plan: Digest, _ from: [NodeID], _ machine: Machine
    ) {
        work(machine, after: .milliseconds(5)) { world, machine in
            for peer in from {
                guard let host = world.holder(peer, from: machine), host.work.blobs[plan]?[result.task] != nil
                else {
                    continue
                }
                machine.work.blobs[plan, default: [:]][result.task] = result
                return world.deliver(machine, .job(.pulled(id, plan: plan, result, from: peer, .held)))
            }
            guard let first = from.first else { return }
            world.deliver(machine, .job(.pulled(id, plan: plan, result, from: first, .unreachable)))
        }
    }

    private func assemble(_ id: JobID, _ run: RunID, _ plan: Digest, _ missing: TaskSet, _ machine: Machine) {
        let wanted = (plans[plan]?.all ?? TaskSet()).subtracting(missing)
        for task in wanted.tasks where machine.work.blobs[plan]?[task] == nil {
            return checks.fail("S5", "node \(machine.identity.id) assembles \(id) without \(task)", time)
        }
        let outputs = checks.assembled(plan, missing, machine, self)
        work(machine, after: .milliseconds(200)) { world, machine in
            machine.work.outputs.insert(outputs)
            world.deliver(machine, .job(.assembled(id, run, outputs: outputs)))
        }
    }

    private func copyOutputs(_ outputs: Digest, _ id: JobID, _ from: NodeID, _ machine: Machine) {
        work(machine, after: .milliseconds(100)) { world, machine in
            guard let host = world.holder(from, from: machine), host.work.outputs.contains(outputs) else {
                return
            }
            machine.work.outputs.insert(outputs)
            world.deliver(machine, .job(.outputsStored(id, outputs: outputs)))
        }
    }
}
