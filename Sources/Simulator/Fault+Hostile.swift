import Cluster

// Members that hold the cluster key and lie, and strangers who do not and try (PROTOCOL section 7, schedule
// 16). What is plausible and false no protocol without signatures on everything withstands; what is absurd is
// dropped, and what nobody signed is never believed.

extension World {
    /// Absurd counters, sizes and targets from a member that holds the cluster key.
    func beHostile(to machine: Machine, seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        guard let sender = someOther(than: machine, &chance) else { return }
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

    private func someOther(than machine: Machine, _ chance: inout SeededGenerator) -> Machine? {
        let others = machines.filter { $0.isRunning && $0 !== machine }
        return machine.isRunning && !others.isEmpty ? others[chance.below(others.count)] : nil
    }

    // MARK: Jobs

    /// Absurd messages about jobs: each is impossible in one respect.
    func beHostileAboutJobs(to machine: Machine, seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        guard let sender = someOther(than: machine, &chance) else { return }
        let headers = machine.node.jobs?.book.all ?? []
        for _ in 0..<200 {
            let known = headers.isEmpty ? nil : headers[chance.below(headers.count)]
            let frame: Frame =
                chance.chance(0.3) ? .book(absurdBook(known, &chance)) : .job(absurdMessage(known, &chance))
            later(
                .frame(frame, from: sender.identity.id, start: sender.start), on: machine,
                at: time + 1_000_000)
        }
    }

    /// More results than one message may bear.
    private var tooMany: [TaskResult] {
        [TaskResult](repeating: TaskResult(task: TaskID(0), digest: Digest(0, 0, 0, 0)), count: 600)
    }

    private func absurdMessage(_ known: JobHeader?, _ chance: inout SeededGenerator) -> JobMessage {
        let id = known?.id ?? JobID(high: chance.next(), low: chance.next())
        let term = known?.term ?? Term(counter: chance.next(), node: NodeID(short: chance.next()), start: 0)
        let run = chance.chance(0.5) ? known?.state.run ?? .first : RunID(UInt32.max - 1)
        let plan = known?.reign.plan ?? Digest(chance.next(), 0, 0, 0)
        let beyond = TaskSet(1 << 20, 1 << 40)
        let far = TaskID(1 << 40)
        let wrong = TaskResult(task: far, digest: plan)
        let body: JobMessage.Body =
            switch chance.below(16) {
            case 0: .header(absurdHeader(id, &chance))
            case 1: .keep(absurdHeader(id, &chance))
            case 2: .handOver(absurdHeader(id, &chance))
            case 3: .kept(term, revision: .max, plan: plan, done: beyond, checksum: chance.next())
            case 4: .results(plan: plan, [wrong])
            case 5: .results(plan: plan, tooMany)
            case 6: .knows(plan: plan, beyond, checksum: chance.next())
            case 7: .wantResults(plan: plan, beyond)
            case 8: .heartbeat(plan: plan, Heartbeat(start: chance.next(), sequence: .max, owned: beyond))
            case 9: .finished(plan: plan, wrong, took: .seconds(-1), start: chance.next(), holdSequence: .max)
            case 10: .failed(plan: plan, far, .error(reason: String(repeating: "no ", count: 10_000)))
            case 11: .holdings(plan: plan, beyond, start: chance.next(), sequence: .max)
            case 12: .hold(plan: plan, tooMany)
            case 13: .damaged(plan: plan, far)
            case 14:
                .grant(Grant(plan: plan, request: chance.next(), tasks: beyond, secondsPerCost: .infinity))
            default:
                .ask(
                    AskForWork(request: .max, start: chance.next(), idleSlots: .min, secondsPerCost: .nan),
                    asVictim: chance.chance(0.5))
            }
        return JobMessage(job: id, run: run, term: term, body: body)
    }

    private func absurdBook(_ known: JobHeader?, _ chance: inout SeededGenerator) -> BookMessage {
        let id = known?.id ?? JobID(high: chance.next(), low: chance.next())
        switch chance.below(5) {
        case 0:
            return .buckets([UInt64](repeating: chance.next(), count: 1 + chance.below(255)), answer: true)
        case 1: return .want([JobID](repeating: id, count: 300))
        case 2: return .headers([AgedHeader(header: absurdHeader(id, &chance), finishedFor: .zero)])
        case 3:
            guard let known else { return .root(chance.next(), chance.next()) }
            return .headers([AgedHeader(header: known, finishedFor: .seconds(-5))])
        default: return .root(chance.next(), chance.next())
        }
    }

    /// A header that breaks one of its bounds.
    private func absurdHeader(_ id: JobID, _ chance: inout SeededGenerator) -> JobHeader {
        let node = NodeID(short: chance.next())
        let high = Term(counter: 1 << 62, node: node, start: chance.next())
        let term = Term(counter: 1, node: node, start: chance.next())
        let state = RunState(run: .first, manifest: .running, author: term)
        let request = Digest(chance.next(), 0, 0, 0)
        var reign = Reign(term: term)
        switch chance.below(5) {
        case 0: return JobHeader(id: id, title: "", request: request, reign: Reign(term: high), state: state)
        case 1:
            let title = String(repeating: "x", count: 300)
            return JobHeader(id: id, title: title, request: request, reign: reign, state: state)
        case 2:
            reign.keepers = (0..<1000).map { NodeID(short: UInt64($0)) }
            return JobHeader(id: id, title: "", request: request, reign: reign, state: state)
        case 3:
            let late = RunState(run: RunID(.max), manifest: .cancelled, author: term)
            return JobHeader(id: id, title: "", request: request, reign: reign, state: late)
        default:
            let holders = (0..<1000).map { NodeID(short: UInt64($0)) }
            return JobHeader(
                id: id, title: "", request: request, reign: reign, state: state, outputHolders: holders)
        }
    }

    // MARK: Strangers

    /// Hundreds of nodes that hold the key and that nobody knows connect and say nothing; and records come
    /// for known nodes that these never signed, which the virtual shell has to refuse.
    func flood(_ machine: Machine, seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        guard machine.isRunning else { return }
        for number in 0..<500 {
            let stranger = NodeID(short: chance.next())
            let at = time + Int64(number) * 2_000_000
            let start = StartID(bits: chance.next())
            let seen = Address("198.51.100.1:\(number)")
            later(.linkUp(stranger, start, seenAt: seen, target: nil), on: machine, at: at)
            later(.linkLost(stranger, .broken), on: machine, at: at + 1_000_000_000)
        }
        guard let sender = someOther(than: machine, &chance) else { return }
        areRecordsForged = true
        for _ in 0..<50 {
            guard let record = machines[chance.below(machines.count)].node.membership.record else { continue }
            let version = Version(epoch: record.version.epoch + 1, incarnation: 7)
            let claim = AliveClaim(
                id: record.id, start: StartID(bits: chance.next()), version: version, address: sender.address,
                keys: record.keys)
            let forged = AliveRecord(claim: claim, sealed: record.sealed)
            let datagram = Datagram(
                sender: sender.identity.id, start: sender.start, target: machine.identity.id,
                message: .gossip,
                rumours: [.alive(forged)])
            let packet = Packet(
                datagram: datagram, from: sender.index, to: machine.index, key: sender.keys.keyInUse,
                replayOf: nil)
            queue.push(.datagram, at: time + network.flight(), packets.put(packet))
            send(
                .entries([TableEntry(record: forged, version: version, standing: .alive)], wanted: []),
                from: sender, to: machine.identity.id)
        }
    }

    /// Whether every record in a datagram bears its subject's signature: the shell's part (PROTOCOL section
    /// 1).
    func isGenuine(_ datagram: Datagram) -> Bool {
        datagram.rumours.allSatisfy { rumour in
            guard case .alive(let record) = rumour else { return true }
            return isGenuine(record)
        }
    }

    /// The same for a frame.
    func isGenuine(_ frame: Frame) -> Bool {
        switch frame {
        case .hello(let record, _, _, let rumour, _):
            guard isGenuine(record) else { return false }
            guard case .alive(let other)? = rumour else { return true }
            return isGenuine(other)
        case .packet(_, let rumours):
            return rumours.allSatisfy { rumour in
                guard case .alive(let record) = rumour else { return true }
                return isGenuine(record)
            }
        case .entries(let entries, _): return entries.allSatisfy { isGenuine($0.record) }
        case .buckets, .keys, .job, .book: return true
        }
    }

    private func isGenuine(_ record: AliveRecord) -> Bool {
        guard let identity = identities[record.id] else { return false }
        return record.sealed == Machine.seal(record.claim, secret: identity.secret)
    }
}
