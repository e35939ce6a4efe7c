import Cluster

/// The virtual machines, the network between them, and time. The nodes inside are the shipped `Cluster` code;
/// everything that a real shell does is done here, in a fixed order, from one seed.
final class World {
    /// A dial under way.
    struct Dial {
        let from: Int
        let generation: Int
        let target: DialTarget
        let to: Int
        let began: Int64
    }

    var time: Int64 = 0
    var queue = EventQueue()
    var network: VirtualNetwork
    var machines: [Machine] = []
    /// Whose key a NodeID is.
    var identities: [NodeID: Machine.Identity] = [:]
    var packets = Slots<Packet>()
    var inputs = Slots<Input>()
    var dials = Slots<Dial>()
    var links: [Link] = []
    var workEvents = Slots<(World) -> Void>()
    /// What is lost or doubled now.
    var spoiled: [MessageKind: Spoiling] = [:]
    /// Tasks that do not work, by job and task.
    var troubles: [TaskName: TaskTrouble] = [:]
    var ambushes: [JobID: [Ambush]] = [:]
    /// Users' requests that no node has answered yet, by their number.
    var requests = UserRequests()
    /// Somebody makes up records: shells verify all.
    var areRecordsForged = false
    var plans: [Digest: JobPlan] = [:]
    var bulk: BulkTraffic
    var meter = JobMeter()
    var generator: SeededGenerator
    let configuration: Configuration
    var checks: Checks
    var schedule: [ScheduledFault] = []
    /// The hash of everything that happened (S14).
    var trace: UInt64 = 0
    var events = 0
    var steps = 0
    private var spare: [Effect] = []

    init(options: Simulation.Options) {
        configuration = options.effectiveConfiguration
        generator = SeededGenerator(seed: options.seed)
        network = VirtualNetwork(
            conditions: options.network, machines: options.nodes,
            generator: SeededGenerator(seed: options.seed ^ 0x6E65_7477_6F72_6B))
        checks = Checks(options: options)
        bulk = BulkTraffic(capacity: options.link)
        for index in 0..<options.nodes { addMachine(index) }
    }

    static let firstKey = KeyID(bits: 1)

    func addMachine(_ index: Int) {
        let identity = makeIdentity()
        let keys = KeyTable(first: World.firstKey, secret: [1])
        let node = makeNode(identity, StartID(bits: 0), Persisted(epoch: 0, peers: [], keys: keys), index)
        let machine = Machine(index: index, identity: identity, keys: keys, node: node)
        machine.clockOffset = Int64(generator.below(1_000_000_000_000))
        machine.secondsPerCost = 1 / checks.options.speed(of: index)
        machines.append(machine)
        bulk.ports.append(BulkTraffic.Port())
        if network.ports.count < machines.count { network.ports.append(VirtualNetwork.Port()) }
    }

    func makeIdentity() -> Machine.Identity {
        let identity = Machine.Identity(
            number: identities.count, id: NodeID(short: generator.next()), secret: generator.next())
        identities[identity.id] = identity
        checks.known(identity)
        return identity
    }

    private func makeNode(
        _ identity: Machine.Identity, _ start: StartID, _ persisted: Persisted, _ index: Int
    ) -> Node {
        let seeds = (0..<checks.options.seeds).map(Machine.address(of:))
        return Node(
            Membership.Identity(
                id: identity.id, start: start, address: Machine.address(of: index),
                engine: checks.options.jobs.isEmpty ? nil : engine(of: index)),
            persisted: persisted, seeds: seeds, configuration: configuration,
            generator: SeededGenerator(seed: generator.next()))
    }

    // MARK: The loop

    /// Runs until true time `end`, or until a check fails.
    func run(until end: Int64) {
        while queue.nextTime <= end, checks.violation == nil, let event = queue.pop() {
            time = event.time
            events += 1
            handle(event)
        }
        if checks.violation == nil { time = max(time, end) }
    }

    private func handle(_ event: Event) {
        let (a, b) = (Int(event.a), Int(event.b))
        switch event.kind {
        case .timer: timerFired(machines[a], generation: b)
        case .datagram: arrived(packets.take(a))
        case .pump: pump(a, direction: b)
        case .dial: dialArrived(dials.take(a))
        case .work: workEvents.take(b)(self)
        case .input:
            let input = inputs.take(b >> 8)
            if machines[a].generation & 0xFF == b & 0xFF {
                deliver(machines[a], landed(input, on: machines[a]))
            }
        case .wake: wake(machines[a])
        case .fault: strike(schedule[a].fault)
        case .sweep: sweep()
        }
    }

    /// Hands an input to the process on a machine in a while.
    func later(_ input: Input, on machine: Machine, at moment: Int64) {
        queue.push(.input, at: moment, machine.index, inputs.put(input) << 8 | machine.generation & 0xFF)
    }

    func deliver(_ machine: Machine, _ input: Input) {
        guard machine.isRunning else { return }
        if time < machine.stalledUntil {
            if machine.backlog.count < 4096 { machine.backlog.append(input) }
            return
        }
        step(machine, input)
        arm(machine)
    }

    func step(_ machine: Machine, _ input: Input) {
        var effects = spare
        spare = []
        steps += 1
        mix(machine.index, input)
        let glance = checks.glance(input, machine, self)
        machine.node.step(input, at: machine.local(time), into: &effects)
        for position in effects.indices {
            perform(effects[position], of: machine)
            guard let left = machine.killAfterEffects else { continue }
            machine.killAfterEffects = left - 1
            if left <= 1, machine.isRunning { kill(machine) }
            if !machine.isRunning { break }
        }
        effects.removeAll(keepingCapacity: true)
        spare = effects
        let tally = machine.node.workTally
        if tally.grants != machine.heardGrants {
            machine.heardGrants = tally.grants
            meter.granted(tally)
        }
        checks.stepped(machine, self)
        if let glance { checks.compare(glance, machine, self) }
    }

    private func timerFired(_ machine: Machine, generation: Int) {
        guard machine.generation == generation, machine.isRunning else { return }
        if machine.armedAt <= time { machine.armedAt = .max }
        guard time >= machine.stalledUntil else { return }
        if let due = machine.node.nextDeadline, due <= machine.local(time) { step(machine, .timer) }
        arm(machine)
    }

    /// Sees to it that an event wakes the node at its deadline. An earlier event that is still armed does as
    /// well: it finds nothing to do and arms again.
    func arm(_ machine: Machine) {
        guard machine.isRunning, let deadline = machine.node.nextDeadline else { return }
        let due = max(machine.trueTime(deadline), time)
        guard due < machine.armedAt else { return }
        machine.armedAt = due
        queue.push(.timer, at: due, machine.index, machine.generation)
    }

    /// Ends whatever keeps a machine's process from running.
    func wakeUp(_ machine: Machine) {
        guard machine.stalledUntil > time else { return }
        machine.stalledUntil = time
        queue.push(.wake, at: time, machine.index)
    }

    private func wake(_ machine: Machine) {
        guard machine.isRunning, time >= machine.stalledUntil else { return }
        let waiting = machine.backlog
        machine.backlog = []
        for input in waiting where machine.isRunning { step(machine, input) }
        guard machine.isRunning else { return }
        if let due = machine.node.nextDeadline, due <= machine.local(time) { step(machine, .timer) }
        arm(machine)
    }

    private func mix(_ machine: Int, _ input: Input) {
        let code: UInt64 =
            switch input {
            case .start: 1
            case .datagram(let datagram, _):
                2 &+ datagram.sender.short &+ UInt64(datagram.encodedSize)
            case .frame(let frame, let peer, _): 3 &+ peer.short &+ UInt64(frame.encodedSize)
            case .linkUp(let peer, _, _, _): 4 &+ peer.short
            case .linkLost(let peer, _): 5 &+ peer.short
            case .dialFailed: 6
            case .signed(let record): 7 &+ record.version.bits
            case .persisted: 8
            case .persistFailed: 9
            case .keys: 10
            case .job: 13
            case .shutDown: 11
            case .timer: 12
            }
        trace = (trace ^ UInt64(bitPattern: time) ^ UInt64(machine) << 48 ^ code) &* 0x9E37_79B9_7F4A_7C15
        trace ^= trace >> 29
        checks.remember(time, machine, input)
    }

    private func sweep() {
        checks.sweep(self)
        queue.push(.sweep, at: time + 1_000_000_000, 0)
    }

    // MARK: Effects

    private func perform(_ effect: Effect, of machine: Machine) {
        switch effect {
        case .sendDatagram(let datagram, let address): send(datagram, from: machine, to: address)
        case .sendFrame(let frame, let peer): send(frame, from: machine, to: peer)
        case .dial(let target): dial(target, from: machine)
        case .closeLink(let peer): closeLink(of: machine, to: peer)
        case .sign(let claim):
            let record = machine.sign(claim)
            checks.signed(record, by: machine, self)
            step(machine, .signed(record))
        case .persist(let fact, let ticket): persist(fact, ticket, machine)
        case .publish(let change): checks.published(change, by: machine, self)
        case .useKeys(let keys):
            checks.keysUsed(keys, by: machine, self)
            machine.keys = keys
            checks.denied(keys.denied, self)
        case .job(let action): perform(action, of: machine)
        case .lookUp, .keysRefused, .jobRefused, .ready, .dropped: break
        case .exit(let reason): exited(machine, reason)
        }
    }

    private func persist(_ fact: DurableFact, _ ticket: UInt64, _ machine: Machine) {
        if ticket == 0 {
            _ = machine.disk.write(fact)
            return
        }
        machine.pendingWrites[ticket] = fact
        later(.persisted(ticket), on: machine, at: time + VirtualDisk.writeSpan.nanoseconds)
    }

    /// A write is on the disk when its answer comes. A kill before that tears it, and the old fact stays.
    private func landed(_ input: Input, on machine: Machine) -> Input {
        guard case .persisted(let ticket) = input,
            let fact = machine.pendingWrites.removeValue(forKey: ticket)
        else {
            return input
        }
        return machine.disk.write(fact) ? input : .persistFailed(ticket)
    }

    private func exited(_ machine: Machine, _ reason: ExitReason) {
        checks.exited(machine, reason)
        endProcess(machine, quietly: false)
    }

    // MARK: Processes

    /// Starts a process on a machine whose host is up.
    func startProcess(_ machine: Machine) {
        guard machine.hostIsUp, !machine.isRunning, !checks.finished.contains(machine.index) else { return }
        machine.generation += 1
        machine.clockOffset += machine.clockJump
        machine.clockJump = 0
        machine.start = StartID(bits: generator.next())
        machine.keys = machine.disk.keys
        machine.node = makeNode(machine.identity, machine.start, machine.disk.content, machine.index)
        machine.isRunning = true
        machine.isLeaving = false
        machine.stalledUntil = 0
        machine.backlog = []
        machine.armedAt = .max
        machine.killAfterEffects = nil
        machine.pendingWrites = [:]
        machine.bench = Workbench(cores: checks.options.cores)
        machine.heardGrants = 0
        checks.started(machine, time)
        checks.diskCameUp(machine)
        deliver(machine, .start)
        restoreJobs(machine)
    }

    /// The process is gone; its host, if up, resets its links.
    func kill(_ machine: Machine) { endProcess(machine, quietly: !machine.hostIsUp) }

    /// The machine falls silent.
    func crash(_ machine: Machine) {
        machine.hostIsUp = false
        endProcess(machine, quietly: true)
    }

    private func endProcess(_ machine: Machine, quietly: Bool) {
        guard machine.isRunning else { return }
        machine.isRunning = false
        checks.stopped(machine, time)
        checks.diskWentDown(machine, self)
        for link in machine.links.values.sorted() where !quietly { breakLink(link) }
        machine.links = [:]
    }
}
