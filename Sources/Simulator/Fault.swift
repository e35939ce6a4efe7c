import Cluster

/// One thing that goes wrong, or that an operator does, at one moment. Machines are named by their index.
public enum Fault: Equatable, Sendable {
    case network(NetworkConditions)
    /// The host falls silent.
    case crash(Int)
    /// The process dies, its host stays up.
    case kill(Int)
    /// The process dies when so many more effects were carried out: between any two of them.
    case killAfterEffects(Int, Int)
    /// The host boots if it is down, and a process starts if none runs.
    case start(Int)
    case farewell(Int, Farewell)
    /// The process does not run for so long; its clock goes on.
    case stall(Int, Span)
    /// Machines of different groups do not hear each other; -1 hears and is heard by all. Empty heals.
    case partition([Int])
    case oneWay(Int, mute: Bool, deaf: Bool)
    case block(Int, udp: Bool, tcp: Bool)
    /// A copy of the machine, disk and key, starts beside it.
    case clone(Int)
    /// The machine's disk starts in another machine, with another address.
    case move(Int)
    /// The machine starts again with a new key.
    case newKey(Int)
    case takeImage(Int)
    /// The process dies, the disk goes back to the image, a process starts.
    case rollBack(Int)
    case diskFull(Int, Bool)
    /// Ahead or behind by so much for every second; only at the start of a run.
    case drift(Int, Double)
    case keys(Int, KeyRequest)
    /// `by` denies the node of another machine and brings a new key into use.
    case deny(Int, by: Int, KeyID)
    /// An authenticated but hostile member sends absurd messages to this machine.
    case hostile(Int, seed: UInt64)
    /// The same about jobs: absurd sizes, terms, runs and sets of tasks.
    case hostileJobs(Int, seed: UInt64)
    /// Strangers shake hands by the hundred, and records come that their subjects never signed.
    case flood(Int, seed: UInt64)
    /// The whole machine sleeps: nothing arrives, its clock goes on.
    case suspend(Int, Span)
    /// The next process on the machine finds its clock so far ahead.
    case clock(Int, Span)
    /// Tasks take so many times as long.
    case slow(Int, Double)
    /// The machine starts again with another engine: other libraries, or another processor.
    case engine(Int, Int)
    /// The machine speaks this version of the protocol; versions that are not neighbours do not talk.
    case release(Int, Int)
    /// Messages of a kind are lost or doubled from now on; nil: no longer.
    case spoil(MessageKind, Spoiling?)
    case trouble(job: Int, task: Int, TaskTrouble)
    /// Whoever bears this part for the job now: its process dies, or with `crash` its host. It comes back.
    case endBearer(job: Int, Bearer, crash: Bool, back: Span)
    /// Two machines that hold one of the job's results fall silent, one `gap` after the other.
    case endHolders(job: Int, pick: UInt64, gap: Span, back: Span)
    /// A user asks this machine to cancel or resume the run that it knows.
    case ask(job: Int, Int, UserRequest)
    /// The same at the moment when the outputs of the job are next laid out, and a little later.
    case ambush(job: Int, Int, UserRequest, after: Span)
    /// The client hands the same job to this machine too.
    case submitAgain(job: Int, Int)
}

/// A fault and its moment, counted from the start of the run.
public struct ScheduledFault: Equatable, Sendable {
    public let at: Span
    public let fault: Fault

    public init(at: Span, _ fault: Fault) {
        self.at = at
        self.fault = fault
    }
}

extension World {
    /// Carries out a fault.
    func strike(_ fault: Fault) {
        checks.struck(fault, time)
        switch fault {
        case .network(let conditions): network.conditions = conditions
        case .crash(let index): crash(machines[index])
        case .kill(let index): kill(machines[index])
        case .killAfterEffects(let index, let count): machines[index].killAfterEffects = count
        case .start(let index):
            machines[index].hostIsUp = true
            startProcess(machines[index])
        case .farewell(let index, let farewell):
            guard machines[index].isRunning else { return }
            machines[index].isLeaving = true
            checks.leaving(machines[index], farewell)
            deliver(machines[index], .shutDown(farewell))
        case .stall(let index, let span): stall(machines[index], span)
        case .partition(let groups):
            for index in machines.indices {
                network.ports[index].group = index < groups.count ? groups[index] : 0
            }
        case .oneWay(let index, let mute, let deaf):
            (network.ports[index].mute, network.ports[index].deaf) = (mute, deaf)
        case .block(let index, let udp, let tcp):
            (network.ports[index].blocksUDP, network.ports[index].blocksTCP) = (udp, tcp)
        case .keys(let index, let request):
            if machines[index].isRunning { deliver(machines[index], .keys(request)) }
        case .deny(let index, let by, let key):
            guard machines[by].isRunning else { return }
            let request = KeyRequest.deny(
                machines[index].identity.id, newKey: key, secret: [UInt8(key.bits & 0xFF)])
            deliver(machines[by], .keys(request))
        case .diskFull(let index, let full): setFull(machines[index], full)
        case .drift(let index, let share): machines[index].drift = share
        case .hostile(let index, let seed): beHostile(to: machines[index], seed: seed)
        case .clone, .move, .newKey, .takeImage, .rollBack: strikeIdentity(fault)
        default: strikeWork(fault)
        }
    }

    func stall(_ machine: Machine, _ span: Span) {
        guard machine.isRunning else { return }
        machine.wasDisturbed = true
        let begin = max(machine.stalledUntil, time)
        machine.stalledUntil = max(begin, time + span.nanoseconds)
        checks.stalled(machine, for: machine.stalledUntil - begin)
        queue.push(.wake, at: machine.stalledUntil, machine.index)
    }

    /// Faults about whose key a machine holds.
    private func strikeIdentity(_ fault: Fault) {
        switch fault {
        case .clone(let index):
            let copy = copyMachine(machines[index])
            checks.disturbed(copy.identity)
            startProcess(copy)
        case .move(let index):
            let old = machines[index]
            guard old.isRunning else { return }
            kill(old)
            let copy = copyMachine(old)
            checks.retired(old)
            startProcess(copy)
        case .newKey(let index):
            let machine = machines[index]
            kill(machine)
            checks.abandoned(machine.identity)
            machine.identity = makeIdentity()
            machine.disk = VirtualDisk(keys: machine.disk.keys)
            startProcess(machine)
        case .takeImage(let index):
            machines[index].disk.takeImage()
            machines[index].workImage = machines[index].work
        case .rollBack(let index):
            let machine = machines[index]
            kill(machine)
            if machine.disk.rollBack() { checks.disturbed(machine.identity) }
            if let image = machine.workImage { machine.work = image }
            startProcess(machine)
        default: preconditionFailure("\(fault) is not about identity")
        }
    }

    private func copyMachine(_ original: Machine) -> Machine {
        let copy = Machine(
            index: machines.count, identity: original.identity, keys: original.disk.keys, node: original.node)
        copy.disk = original.disk
        copy.clockOffset = original.clockOffset
        (copy.work, copy.engine) = (original.work, original.engine)
        machines.append(copy)
        bulk.ports.append(BulkTraffic.Port())
        // What blocks the original is lifted from the original alone.
        let port = network.ports[original.index]
        network.ports.append(VirtualNetwork.Port(group: port.group, release: port.release))
        checks.added(copy)
        return copy
    }
}
