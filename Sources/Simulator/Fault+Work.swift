import Cluster

// Faults that meet jobs: who bears one dies, tasks that do not work, engines that differ, users who change
// their minds (PROTOCOL section 7, schedules 3, 4, 12, 15 and 18), and machines that sleep (11).

/// What is wrong with a task.
public enum TaskTrouble: Equatable, Sendable {
    /// The first so many runs of it never end.
    case hangs(Int)
    /// It fails wherever it runs.
    case isPoison
    /// It fails on this machine.
    case failsOn(Int)
    /// The first so many processes that run it die of it; in a child process it is a failure.
    case crashes(Int)
    /// The first so many blobs of it do not match their digest.
    case rots(Int)
    /// Its input cannot be had before this moment of the run.
    case lacksInput(until: Span)
}

/// A part in a job.
public enum Bearer: String, CaseIterable, Sendable { case coordinator, firstKeeper, secondKeeper }

/// A task by the numbers of its job and of itself.
struct TaskName: Hashable {
    let job: Int
    let task: Int
}

/// A user who waits for the end of a job to ask for something.
struct Ambush {
    let machine: Int
    let kind: UserRequest
    let after: Span
}

extension World {
    /// Carries out a fault that is about work.
    func strikeWork(_ fault: Fault) {
        switch fault {
        case .hostileJobs(let index, let seed): beHostileAboutJobs(to: machines[index], seed: seed)
        case .flood(let index, let seed): flood(machines[index], seed: seed)
        case .suspend(let index, let span): suspend(machines[index], span)
        case .clock(let index, let ahead): machines[index].clockJump = ahead.nanoseconds
        case .slow(let index, let factor): machines[index].secondsPerCost *= factor
        case .engine(let index, let engine):
            kill(machines[index])
            machines[index].engine = engine
            startProcess(machines[index])
        case .release(let index, let release): network.ports[index].release = release
        case .spoil(let kind, let spoiling): spoiled[kind] = spoiling
        case .trouble(let job, let task, let trouble): troubles[TaskName(job: job, task: task)] = trouble
        case .endBearer(let job, let bearer, let isCrash, let back):
            guard let machine = self.bearer(bearer, of: Workload.id(job)) else { return }
            end(machine, isCrash: isCrash, back: back)
        case .endHolders(let job, let pick, let gap, let back):
            let holders = someHolders(Workload.id(job), pick: pick)
            guard let first = holders.first else { return }
            end(first, isCrash: true, back: back)
            guard holders.count > 1 else { return }
            afterwards(gap) { $0.end($0.machines[holders[1].index], isCrash: true, back: back) }
        case .ask(let job, let index, let kind): ask(kind, of: Workload.id(job), at: machines[index])
        case .ambush(let job, let index, let kind, let after):
            ambushes[Workload.id(job), default: []].append(Ambush(machine: index, kind: kind, after: after))
        case .submitAgain(let job, let index):
            // A seed without jobs draws users' requests all the same: what is not there cannot come again.
            guard checks.options.jobs.indices.contains(job), machines[index].node.membership.isRunning else {
                return
            }
            submit(job, at: machines[index])
        default: preconditionFailure("\(fault) is not about work")
        }
    }

    /// Something that happens in a while, whatever runs then.
    func afterwards(_ span: Span, _ action: @escaping (World) -> Void) {
        queue.push(.work, at: time + span.nanoseconds, 0, workEvents.put(action))
    }

    // MARK: Machines

    /// The process dies, or with `isCrash` the host, and comes back in a while.
    func end(_ machine: Machine, isCrash: Bool, back: Span) {
        if isCrash { crash(machine) } else { kill(machine) }
        let index = machine.index
        afterwards(back) { world in
            world.machines[index].hostIsUp = true
            world.startProcess(world.machines[index])
        }
    }

    private func suspend(_ machine: Machine, _ span: Span) {
        guard machine.isRunning else { return }
        network.ports[machine.index].isAsleep = true
        stall(machine, span)
        let index = machine.index
        afterwards(span) { $0.network.ports[index].isAsleep = false }
    }

    /// The node hears of it, as a shell tells it (PROTOCOL section 3, no room).
    func setFull(_ machine: Machine, _ isFull: Bool) {
        guard machine.disk.isFull != isFull else { return }
        machine.disk.isFull = isFull
        guard machine.isRunning, !checks.options.jobs.isEmpty else { return }
        deliver(machine, .job(.engineChanged(engine(of: machine.index))))
    }

    func engine(of index: Int) -> Engine {
        guard machines.indices.contains(index) else {
            return Engine(fingerprint: Workload.engine(1), slots: checks.options.slots)
        }
        let machine = machines[index]
        return Engine(
            fingerprint: Workload.engine(machine.engine), slots: checks.options.slots,
            hasRoom: !machine.disk.isFull)
    }

    // MARK: Jobs

    /// The machine that bears this part of the job, by the highest term that a running node knows.
    func bearer(_ part: Bearer, of id: JobID) -> Machine? {
        let headers = machines.filter(\.isRunning).compactMap { $0.node.jobs?.book[id] }
        guard let header = headers.max(by: { $0.term < $1.term }), header.isLive else { return nil }
        let keepers = header.reign.keepers
        let node: NodeID? =
            switch part {
            case .coordinator: header.term.node
            case .firstKeeper: keepers.first
            case .secondKeeper: keepers.dropFirst().first
            }
        return machines.first { $0.isRunning && $0.identity.id == node }
    }

    /// Up to two machines that hold one result of the job, chosen by `pick`.
    private func someHolders(_ id: JobID, pick: UInt64) -> [Machine] {
        guard let coordinator = bearer(.coordinator, of: id), let done = coordinator.node.jobs?.done(of: id),
            !done.done.isEmpty
        else { return [] }
        let tasks = done.done.tasks
        let task = tasks[Int(pick % UInt64(tasks.count))]
        return Array(
            machines.filter { $0.isRunning && $0.work.blobs[done.plan]?[task] != nil }.prefix(2))
    }

    // MARK: Users

    /// A user asks a node for something about the run that it knows of.
    func ask(_ kind: UserRequest, of id: JobID, at machine: Machine) {
        guard machine.isRunning, machine.node.membership.isRunning,
            let header = machine.node.jobs?.book[id]
        else { return }
        let number = requests.asked(at: machine, time)
        deliver(machine, .job(.request(kind, id, header.state.run, number: number)))
    }

    /// The outputs of a job are being laid out: those who waited for it ask now.
    func springAmbushes(_ id: JobID) {
        for ambush in ambushes.removeValue(forKey: id) ?? [] {
            afterwards(ambush.after) { $0.ask(ambush.kind, of: id, at: $0.machines[ambush.machine]) }
        }
    }
}

/// Users' requests, until they are answered.
struct UserRequests {
    /// Where it was asked, of which process, and when.
    struct Asked {
        let machine: Int
        let generation: Int
        let at: Int64
    }

    private(set) var open: [UInt64: Asked] = [:]
    private var last: UInt64 = 0

    mutating func asked(at machine: Machine, _ time: Int64) -> UInt64 {
        last += 1
        open[last] = Asked(machine: machine.index, generation: machine.generation, at: time)
        return last
    }

    mutating func answered(_ number: UInt64) { open[number] = nil }
}
