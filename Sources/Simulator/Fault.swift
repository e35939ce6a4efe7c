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
        case .diskFull(let index, let full): machines[index].disk.isFull = full
        case .drift(let index, let share): machines[index].drift = share
        case .hostile(let index, let seed): beHostile(to: machines[index], seed: seed)
        case .clone, .move, .newKey, .takeImage, .rollBack: strikeIdentity(fault)
        }
    }

    private func stall(_ machine: Machine, _ span: Span) {
        guard machine.isRunning else { return }
        machine.wasDisturbed = true
        machine.stalledUntil = max(machine.stalledUntil, time + span.nanoseconds)
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
        case .takeImage(let index): machines[index].disk.takeImage()
        case .rollBack(let index):
            let machine = machines[index]
            kill(machine)
            if machine.disk.rollBack() { checks.disturbed(machine.identity) }
            startProcess(machine)
        default: preconditionFailure("\(fault) is not about identity")
        }
    }

    private func copyMachine(_ original: Machine) -> Machine {
        let copy = Machine(
            index: machines.count, identity: original.identity, keys: original.disk.keys, node: original.node)
        copy.disk = original.disk
        copy.clockOffset = original.clockOffset
        machines.append(copy)
        bulk.ports.append(BulkTraffic.Port())
        network.ports.append(network.ports[original.index])
        checks.added(copy)
        return copy
    }

    /// Absurd counters, sizes and targets from a member that holds the cluster key (PROTOCOL section 7, 16).
    private func beHostile(to machine: Machine, seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let others = machines.filter { $0.isRunning && $0 !== machine }
        guard machine.isRunning, !others.isEmpty else { return }
        let sender = others[chance.below(others.count)]
        for _ in 0..<800 {
            let subject = machines[chance.below(machines.count)].identity.id
            let version = Version(
                epoch: UInt32(truncatingIfNeeded: chance.next()),
                incarnation: UInt32(truncatingIfNeeded: chance.next()))
            let absurd: Rumour =
                switch chance.below(3) {
                case 0: .dead(subject, Version(epoch: version.epoch | 1 << 31, incarnation: 0))
                case 1: .left(subject, Version(epoch: 0, incarnation: version.incarnation | 1 << 31))
                default:
                    .suspect(
                        subject, Version(epoch: version.epoch | 1 << 31, incarnation: 0),
                        by: Suspecters(subject),
                        age: Span(nanoseconds: Int64(bitPattern: chance.next())), refused: true)
                }
            let message: Datagram.Message =
                switch chance.below(4) {
                case 0, 1: .pingRequest(subject, chance.next())
                case 2: chance.chance(0.9) ? .nack(chance.next()) : .dialRequest(subject, chance.next())
                default: .ack(chance.next())
                }
            let datagram = Datagram(
                sender: sender.identity.id, start: sender.start, target: machine.identity.id,
                message: message,
                rumours: [absurd])
            later(.datagram(datagram, from: sender.address), on: machine, at: time + 1_000_000)
        }
        let digests = [UInt64](repeating: 7, count: chance.below(1000))
        if sender.links[machine.identity.id] != nil, digests.count != 256 {
            later(
                .frame(.buckets(digests), from: sender.identity.id, start: sender.start), on: machine,
                at: time)
        }
    }
}
