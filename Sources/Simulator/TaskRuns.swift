import Cluster

// A task on a virtual processor: it takes its time, and ends as its trouble has it.

extension World {
    static let progressEvery = Span.seconds(1)

    /// Begins a task on a machine's present process.
    func start(_ task: TaskID, _ id: JobID, _ plan: Digest, isolated: Bool, _ machine: Machine) {
        checks.taskRuns += 1
        let cost = plans[plan]?.tasks[task.index].cost ?? 1
        let span = Span.seconds(max(0.001, cost * machine.secondsPerCost))
        let name = TaskName(job: Int(id.low), task: task.index)
        machine.work.atWork[name] = plan
        switch troubles[name] {
        case .hangs(let times) where times > 0:
            troubles[name] = .hangs(times - 1)
        case .isPoison: fail(task, id, plan, .error(reason: "no band has data"), after: span, machine)
        case .failsOn(machine.index):
            fail(task, id, plan, .error(reason: "cannot read a block"), after: span, machine)
        case .lacksInput(let until) where time < until.nanoseconds:
            fail(task, id, plan, .input(reason: "503 from the archive"), after: span, machine)
        case .crashes(let times) where times > 0:
            troubles[name] = .crashes(times - 1)
            if isolated {
                fail(task, id, plan, .error(reason: "its process died"), after: span, machine)
            } else {
                work(machine, after: span * 0.5) { world, machine in
                    world.end(machine, isCrash: false, back: .seconds(2))
                }
            }
        case .rots(let times) where times > 0:
            troubles[name] = .rots(times - 1)
            finish(task, id, plan, isRotten: true, after: span, machine)
        default: finish(task, id, plan, isRotten: false, after: span, machine)
        }
    }

    private func fail(
        _ task: TaskID, _ id: JobID, _ plan: Digest, _ kind: FailureKind, after span: Span,
        _ machine: Machine
    ) {
        work(machine, after: span) { world, machine in
            machine.work.atWork[TaskName(job: Int(id.low), task: task.index)] = nil
            world.deliver(machine, .job(.failed(id, plan: plan, task, kind)))
        }
    }

    private func finish(
        _ task: TaskID, _ id: JobID, _ plan: Digest, isRotten: Bool, after span: Span, _ machine: Machine
    ) {
        tellProgress(task, id, 1, until: time + span.nanoseconds, machine)
        work(machine, after: span) { world, machine in
            machine.work.atWork[TaskName(job: Int(id.low), task: task.index)] = nil
            if machine.disk.isFull { return world.deliver(machine, .job(.foundNoRoom(id, task))) }
            let result = Workload.result(plan, task)
            machine.work.blobs[plan, default: [:]][task] = result
            if isRotten {
                machine.work.rotten.insert(result.digest)
            } else {
                machine.work.rotten.remove(result.digest)
            }
            world.deliver(machine, .job(.finished(id, plan: plan, result)))
        }
    }

    private func tellProgress(
        _ task: TaskID, _ id: JobID, _ progress: UInt32, until end: Int64, _ machine: Machine
    ) {
        guard time + World.progressEvery.nanoseconds < end else { return }
        work(machine, after: World.progressEvery) { world, machine in
            world.deliver(machine, .job(.progressed(id, task, to: progress)))
            world.tellProgress(task, id, progress + 1, until: end, machine)
        }
    }
}

extension WorkDisk {
    /// A process starts: what the earlier one had begun, it died with.
    mutating func countDeaths() {
        for (name, plan) in atWork { deaths[plan, default: [:]][TaskID(name.task), default: 0] += 1 }
        atWork = [:]
    }
}
