import Cluster

// Virtual computing: a task's inputs come, it waits for a core, computes, and gives a blob. A node that runs
// more tasks than it has cores reads the inputs of one while it computes another, as the real engine does.

/// What a machine's process has in hand.
struct Workbench {
    /// One task at work.
    struct Execution {
        enum State {
            case reading, waiting
            case computing(since: Int64)
        }
        let number: Int
        let job: JobID
        /// In a child process.
        let isolated: Bool
        var state = State.reading
        /// It will never end.
        var isHanging = false
    }

    struct Key: Hashable {
        let plan: Digest
        let task: TaskID
    }

    var cores: Int
    var executions: [Key: Execution] = [:]
    var computing = 0
    var waiting: [Key] = []
    /// Outputs on their way from another node; the node may ask for them again meanwhile.
    var copying: Set<Digest> = []
    /// Counts starts, so that what was meant for a stopped execution is not given to the next.
    var starts = 0
}

extension World {
    /// The virtual task behind a plan's.
    func virtual(_ key: Workbench.Key) -> VirtualTask {
        checks.options.jobs[Workload.number(of: key.plan)].tasks[key.task.index]
    }

    func start(_ task: TaskID, _ id: JobID, _ plan: Digest, isolated: Bool, _ machine: Machine) {
        let key = Workbench.Key(plan: plan, task: task)
        checks.taskRuns += 1
        machine.bench.starts += 1
        let number = machine.bench.starts
        machine.bench.executions[key] = Workbench.Execution(number: number, job: id, isolated: isolated)
        machine.work.atWork.insert(key)
        meter.started(key, id, on: machine, self)
        progress(key, number, machine, 1)
        guard let owner = inputOwner(plan), owner !== machine else {
            return inputsAreHere(key, number, machine)
        }
        let (index, generation) = (machine.index, machine.generation)
        move(virtual(key).inputBytes, from: owner, to: machine) { world, came in
            let machine = world.machines[index]
            guard machine.isRunning, machine.generation == generation,
                machine.bench.executions[key]?.number == number
            else { return }
            if came { return world.inputsAreHere(key, number, machine) }
            world.drop(key, machine)
            world.deliver(
                machine, .job(.failed(id, plan: plan, task, .input(reason: "the scenes cannot be read"))))
        }
    }

    /// The machine on which a job's scenes lie; nil: they are at hand everywhere.
    private func inputOwner(_ plan: Digest) -> Machine? {
        checks.options.jobs[Workload.number(of: plan)].inputsAt.map { machines[$0 % machines.count] }
    }

    private func inputsAreHere(_ key: Workbench.Key, _ number: Int, _ machine: Machine) {
        machine.bench.executions[key]?.state = .waiting
        machine.bench.waiting.append(key)
        compute(machine)
    }

    /// Gives free cores to tasks that wait for one.
    private func compute(_ machine: Machine) {
        while machine.bench.computing < machine.bench.cores, !machine.bench.waiting.isEmpty {
            let key = machine.bench.waiting.removeFirst()
            guard let execution = machine.bench.executions[key] else { continue }
            machine.bench.computing += 1
            machine.bench.executions[key]?.state = .computing(since: time)
            let span = Span.seconds(max(0.001, virtual(key).seconds * machine.secondsPerCost))
            let end = taskEnd(key, isolated: execution.isolated, on: machine)
            if end == .never {
                machine.bench.executions[key]?.isHanging = true
                continue
            }
            work(machine, after: span) { world, machine in
                guard machine.bench.executions[key]?.number == execution.number else { return }
                world.computed(key, execution.job, end, machine)
            }
        }
    }

    /// A worker reports progress each second: bytes that came, rows that are done.
    private func progress(_ key: Workbench.Key, _ number: Int, _ machine: Machine, _ count: UInt32) {
        work(machine, after: .seconds(1)) { world, machine in
            guard let execution = machine.bench.executions[key], execution.number == number,
                !execution.isHanging
            else { return }
            world.deliver(machine, .job(.progressed(execution.job, key.task, to: count)))
            world.progress(key, number, machine, count + 1)
        }
    }

    private func computed(_ key: Workbench.Key, _ id: JobID, _ end: TaskEnd, _ machine: Machine) {
        if end == .death { return self.end(machine, isCrash: false, back: .seconds(2)) }
        let hasRoom = !machine.disk.isFull
        drop(key, machine, isDone: hasRoom && end.givesBlob)
        if case .failure(let kind) = end {
            return deliver(machine, .job(.failed(id, plan: key.plan, key.task, kind)))
        }
        guard hasRoom else { return deliver(machine, .job(.foundNoRoom(id, key.task))) }
        let result = Workload.result(key.plan, key.task)
        machine.work.blobs[key.plan, default: [:]][key.task] = result
        machine.work.rotten.remove(result.digest)
        machine.work.knownRotten[result.digest] = nil
        if end == .rottenBlob { machine.work.rotten.insert(result.digest) }
        deliver(machine, .job(.finished(id, plan: key.plan, result)))
    }

    /// The node wants a task no more.
    func stop(_ task: TaskID, _ id: JobID, _ machine: Machine) {
        let stopped = machine.bench.executions.filter { $0.key.task == task && $0.value.job == id }.keys
        for key in stopped.sorted(by: { $0.plan < $1.plan }) { drop(key, machine) }
    }

    /// Takes a task off the bench; its core goes to the next.
    private func drop(_ key: Workbench.Key, _ machine: Machine, isDone: Bool = false) {
        guard let execution = machine.bench.executions.removeValue(forKey: key) else { return }
        machine.bench.waiting.removeAll { $0 == key }
        machine.work.atWork.remove(key)
        if case .computing(let since) = execution.state {
            machine.bench.computing -= 1
            meter.computed(key, for: time - since, on: machine, isDone: isDone, time)
        }
        compute(machine)
    }
}
