import Cluster

// Virtual work: what a shell does for the jobs of its node, with costs instead of pixels.

/// A job that a user hands in.
public struct Workload: Equatable, Sendable {
    /// Since the start of the run.
    public var at: Span
    /// The machine that gets it; if its process is down, the next that runs.
    public var machine: Int
    /// Its tasks along the curve.
    public var tasks: [VirtualTask]
    /// The machine whose disk holds the scenes; nil: every node reads them at no cost.
    public var inputsAt: Int?

    /// Tasks of so many seconds on a core of speed 1, known to the planner.
    public init(at: Span, machine: Int, costs: [Double]) {
        self.init(at: at, machine: machine, tasks: costs.map { VirtualTask(seconds: $0) })
    }

    public init(at: Span, machine: Int, tasks: [VirtualTask], inputsAt: Int? = nil) {
        self.at = at
        self.machine = machine
        self.tasks = tasks
        self.inputsAt = inputsAt
    }

    /// The fingerprint of a virtual engine.
    static func engine(_ number: Int) -> Digest { Digest(0x656E_67, UInt64(number), 0, 0) }

    /// The plan of job `number` under an engine: other libraries, other bytes, so other keys.
    func plan(_ number: Int, engine: Digest, inputHolders: [NodeID] = []) -> JobPlan {
        let planned = tasks.enumerated().map { position, task in
            PlannedTask(
                key: Digest(0x6B_65_79, UInt64(number), UInt64(position), engine.words.1),
                cost: task.predicted, inputBytes: task.inputBytes, resultBytes: task.resultBytes)
        }
        return JobPlan(
            digest: Digest(0x70_6C_61_6E, UInt64(number), engine.words.1, 0), fingerprint: engine,
            tasks: planned, inputHolders: inputHolders)
    }

    /// The position of the workload whose plan this is.
    static func number(of plan: Digest) -> Int { Int(plan.words.1) }

    /// What every engine of a plan's fingerprint makes of a task.
    static func result(_ plan: Digest, _ task: TaskID) -> TaskResult {
        let bits = SeededGenerator.scramble(plan.words.1 << 32 | plan.words.2 << 24 | UInt64(task.index))
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
    static func request(_ number: Int) -> Digest { Digest(0x72_65_71, UInt64(number), 0, 0) }
}

/// What a machine's disk holds for jobs.
struct WorkDisk {
    var headers: [JobID: JobHeader] = [:]
    var requests: Set<Digest> = []
    var plans: Set<Digest> = []
    var done: [Digest: [TaskResult]] = [:]
    var blobs: [Digest: [TaskID: TaskResult]] = [:]
    /// Tasks that a process began and has not ended.
    var atWork: Set<Workbench.Key> = []
    /// How many processes died while they ran a task, by plan.
    var deaths: [Digest: [TaskID: Int]] = [:]
    /// Blobs that do not match their digest, and the nodes that know it: they read them, or were told.
    var rotten: Set<Digest> = []
    var knownRotten: [Digest: Set<NodeID>] = [:]
    var outputs: Set<Digest> = []

    /// The header, and what it names.
    func isWhole(_ id: JobID) -> Bool { headers[id].map(holds) ?? false }

    /// Whether this disk has the job's record with all that `header` names: an older one may lack the plan.
    func holds(_ header: JobHeader) -> Bool {
        headers[header.id] != nil && requests.contains(header.request)
            && header.reign.plan.map(plans.contains) ?? true
    }
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
        queue.push(.work, at: job.at.nanoseconds, 0, workEvents.put { $0.submit(job, number: number) })
    }

    private func submit(_ job: Workload, number: Int) {
        for step in machines.indices {
            let machine = machines[(job.machine + step) % machines.count]
            guard machine.isRunning, machine.node.membership.isRunning else { continue }
            return submit(number, at: machine)
        }
        queue.push(.work, at: time + 1_000_000_000, 0, workEvents.put { $0.submit(job, number: number) })
    }

    /// The client hands a job to this machine; the request comes with it.
    func submit(_ number: Int, at machine: Machine) {
        let request = Workload.request(number)
        machine.work.requests.insert(request)
        deliver(machine, .job(.submit(Workload.id(number), title: "job \(number)", request: request)))
    }

    /// A process tells its node what the disk holds of jobs.
    func restoreJobs(_ machine: Machine) {
        machine.work.countDeaths()
        for id in machine.work.headers.keys.sorted() {
            guard let header = machine.work.headers[id] else { continue }
            let plan = header.reign.plan.flatMap { machine.work.plans.contains($0) ? plans[$0] : nil }
            let done = plan.flatMap { machine.work.done[$0.digest] } ?? []
            let blobs = plan.flatMap { machine.work.blobs[$0.digest] } ?? [:]
            let held = blobs.values.sorted { $0.task < $1.task }
            deliver(machine, .job(.restore(header, plan: plan, done: done, blobs: held, finishedFor: .zero)))
            if let plan, let deaths = machine.work.deaths[plan.digest] {
                deliver(machine, .job(.died(id, plan: plan.digest, deaths)))
            }
        }
    }

    /// Carries out what a job wants of its shell.
    func perform(_ action: JobAction, of machine: Machine) {
        checks.acted(action, by: machine, self)
        switch action {
        case .persist(let header, let source): persist(header, from: source, machine)
        case .persistResults(_, let plan, let results):
            if !machine.disk.isFull { machine.work.done[plan, default: []] += results }
            checks.facts(results, of: plan, self)
        case .plan(let id, let run, let engine): plan(id, run, engine, machine)
        case .fetchPlan(let id, let digest, _): fetch(digest, id, machine)
        case .start(let id, let task, let plan, let isolated):
            start(task, id, plan, isolated: isolated, machine)
        case .pull(let id, let plan, let result, let from): pull(result, id, plan, from, machine)
        case .discard(_, let plan, let task): discard(task, plan, machine)
        case .assemble(let id, let run, let plan, let missing): assemble(id, run, plan, missing, machine)
        case .copyOutputs(let id, let outputs, let from): copyOutputs(outputs, id, from, machine)
        case .acknowledged(let id, let copies):
            checks.acknowledged[id] = max(checks.acknowledged[id] ?? 0, copies)
        case .changed(let header): checks.headerChanged(header, by: machine, self)
        case .conflict(let id, let task, let a, let b):
            checks.fail("S6", "job \(id): task \(task) has the digests \(a) and \(b)", time)
        case .forget(let id): machine.work.headers[id] = nil
        case .answered(_, let number, _): requests.answered(number)
        case .stop(let id, let task): stop(task, id, machine)
        case .send, .exchange, .rumour, .pin, .drop: break
        }
    }

    /// Plans once the request is here; its content is fetched from whoever has it, for a quarter of an hour.
    private func plan(
        _ id: JobID, _ run: RunID, _ engine: Digest, _ machine: Machine, patience: Int = 1800
    ) {
        let number = Int(id.low)
        work(machine, after: .milliseconds(50)) { world, machine in
            guard world.find(on: machine, { $0.requests.contains(Workload.request(number)) }) != nil else {
                if patience == 0 {
                    let reason = "no live node has the request; hand it in again"
                    return world.deliver(machine, .job(.planFailed(id, run, reason: reason)))
                }
                return world.work(machine, after: .milliseconds(500)) {
                    $0.plan(id, run, engine, $1, patience: patience - 1)
                }
            }
            guard world.checks.options.jobs.indices.contains(number) else { return }
            let job = world.checks.options.jobs[number]
            let holders = job.inputsAt.map { [world.machines[$0 % world.machines.count].identity.id] } ?? []
            let plan = job.plan(number, engine: engine, inputHolders: holders)
            world.plans[plan.digest] = plan
            machine.work.requests.insert(Workload.request(number))
            machine.work.plans.insert(plan.digest)
            world.deliver(machine, .job(.planned(id, run, plan)))
        }
    }

    /// The machine itself, or another that it reaches, whose disk has something.
    private func find(on machine: Machine, _ has: (WorkDisk) -> Bool) -> Machine? {
        if has(machine.work) { return machine }
        return machines.first {
            $0.isRunning && has($0.work) && network.carriesTCP(machine.index, $0.index)
                && time >= $0.stalledUntil
        }
    }

    private func discard(_ task: TaskID, _ plan: Digest, _ machine: Machine) {
        guard let result = machine.work.blobs[plan]?.removeValue(forKey: task) else { return }
        machine.work.rotten.remove(result.digest)
        machine.work.knownRotten[result.digest] = nil
    }

    private func persist(_ header: JobHeader, from source: NodeID?, _ machine: Machine) {
        if let source {
            let host = holder(source, from: machine)
            let lacksRequest = !machine.work.requests.contains(header.request)
            let lacking = header.reign.plan.flatMap { machine.work.plans.contains($0) ? nil : $0 }
            let hasRequest = host?.work.requests.contains(header.request) ?? false
            let hasPlan = lacking.map { host?.work.plans.contains($0) ?? false } ?? true
            guard !lacksRequest || hasRequest, hasPlan else {
                return work(machine, after: .milliseconds(200)) { world, machine in
                    world.deliver(machine, .job(.persistFailed(header, reason: "its content cannot be had")))
                }
            }
            machine.work.requests.insert(header.request)
            if let lacking { machine.work.plans.insert(lacking) }
        }
        work(machine, after: VirtualDisk.writeSpan) { world, machine in
            if machine.disk.isFull {
                return world.deliver(machine, .job(.persistFailed(header, reason: "the disk is full")))
            }
            let old = machine.work.headers[header.id]
            machine.work.headers[header.id] = old?.merged(with: header) ?? header
            world.checks.stored(header, on: machine)
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
            guard world.find(on: machine, { $0.plans.contains(digest) }) != nil else {
                return world.work(machine, after: .milliseconds(500)) { $0.fetch(digest, id, $1) }
            }
            machine.work.plans.insert(digest)
            world.deliver(machine, .job(.planKnown(id, plan, blobs: [])))
        }
    }

    private func pull(
        _ result: TaskResult, _ id: JobID, _ plan: Digest, _ from: [NodeID], _ machine: Machine
    ) {
        let source = from.lazy.compactMap { self.holder($0, from: machine) }.first {
            $0.work.blobs[plan]?[result.task] != nil
        }
        let bytes = virtual(Workbench.Key(plan: plan, task: result.task)).resultBytes
        guard let source, let first = from.first else {
            return work(machine, after: .milliseconds(5)) { world, machine in
                guard let first = from.first else { return }
                world.deliver(machine, .job(.pulled(id, plan: plan, result, from: first, .unreachable)))
            }
        }
        let (index, generation, peer) = (machine.index, machine.generation, source.identity.id)
        move(bytes, from: source, to: machine) { world, came in
            let machine = world.machines[index]
            guard machine.isRunning, machine.generation == generation else { return }
            guard came, source.work.blobs[plan]?[result.task] != nil else {
                let gone = JobEvent.pulled(id, plan: plan, result, from: came ? peer : first, .unreachable)
                return world.deliver(machine, .job(gone))
            }
            if source.work.rotten.contains(result.digest) {
                source.work.knownRotten[result.digest, default: []].insert(machine.identity.id)
                return world.deliver(machine, .job(.pulled(id, plan: plan, result, from: peer, .mismatch)))
            }
            if machine.disk.isFull {
                return world.deliver(machine, .job(.pulled(id, plan: plan, result, from: peer, .unreachable)))
            }
            machine.work.blobs[plan, default: [:]][result.task] = result
            world.deliver(machine, .job(.pulled(id, plan: plan, result, from: peer, .held)))
        }
    }

    private func assemble(_ id: JobID, _ run: RunID, _ plan: Digest, _ missing: TaskSet, _ machine: Machine) {
        let wanted = (plans[plan]?.all ?? TaskSet()).subtracting(missing)
        for task in wanted.tasks where machine.work.blobs[plan]?[task] == nil {
            return checks.fail("S5", "node \(machine.identity.id) assembles \(id) without \(task)", time)
        }
        springAmbushes(id)
        let rotten = wanted.tasks.filter { task in
            machine.work.blobs[plan]?[task].map { machine.work.rotten.contains($0.digest) } ?? false
        }
        if !rotten.isEmpty || machine.disk.isFull {
            return work(machine, after: .milliseconds(100)) { world, machine in
                for task in rotten {
                    world.discard(task, plan, machine)
                    world.deliver(machine, .job(.lostBlob(id, plan: plan, task)))
                }
                let reason = rotten.isEmpty ? "the disk is full" : "a blob does not match its digest"
                world.deliver(machine, .job(.assemblyFailed(id, run, reason: reason)))
            }
        }
        let outputs = checks.assembled(plan, missing, machine, self)
        work(machine, after: layOutTime(plan)) { world, machine in
            machine.work.outputs.insert(outputs)
            world.deliver(machine, .job(.assembled(id, run, outputs: outputs)))
        }
    }

    private func copyOutputs(_ outputs: Digest, _ id: JobID, _ from: NodeID, _ machine: Machine) {
        guard let host = holder(from, from: machine), host.work.outputs.contains(outputs),
            machine.bench.copying.insert(outputs).inserted
        else { return }
        let (index, generation) = (machine.index, machine.generation)
        let plan = host.node.jobs?.book[id]?.reign.plan.flatMap { plans[$0] }
        let bytes = bulk.capacity == nil ? 0 : plan.map { $0.resultBytes($0.all) } ?? 0
        move(bytes, from: host, to: machine) { world, came in
            let machine = world.machines[index]
            guard machine.isRunning, machine.generation == generation else { return }
            machine.bench.copying.remove(outputs)
            guard came, !machine.disk.isFull else { return }
            machine.work.outputs.insert(outputs)
            world.deliver(machine, .job(.outputsStored(id, outputs: outputs)))
        }
    }

    /// Laying blobs out is a copy at the disk's speed; without links to model, nobody asks how long it takes.
    private func layOutTime(_ plan: Digest) -> Span {
        guard bulk.capacity != nil, let plan = plans[plan] else { return .milliseconds(200) }
        return .milliseconds(200) + .seconds(Double(plan.resultBytes(plan.all)) / VirtualDisk.bytesPerSecond)
    }
}
