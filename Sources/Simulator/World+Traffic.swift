import Cluster

// Datagrams, dials and links of the virtual network.

extension World {
    // MARK: Datagrams

    func send(_ datagram: Datagram, from machine: Machine, to address: Address) {
        let size = datagram.encodedSize
        machine.datagramBytes += size
        checks.sent(datagram, size, by: machine, self)
        guard let to = Machine.index(of: address), to < machines.count else { return }
        guard network.carriesUDP(machine.index, to) else { return }
        let conditions = network.conditions
        var (datagram, copies) = (datagram, 1)
        if !spoiled.isEmpty { (datagram, copies) = spoil(datagram) }
        if conditions.loss > 0, network.generator.chance(conditions.loss) { copies -= 1 }
        if conditions.duplicates > 0, network.generator.chance(conditions.duplicates) { copies += 1 }
        let packet = Packet(
            datagram: datagram, from: machine.index, to: to, key: machine.keys.keyInUse, replayOf: nil)
        for _ in 0..<max(0, copies) {
            queue.push(.datagram, at: time + network.flight(), packets.put(packet))
        }
    }

    /// Shells verify every record as soon as somebody makes some up.
    private var verifies: Bool { areRecordsForged && configuration.fault != .forgeryAccepted }

    func arrived(_ packet: Packet) {
        let machine = machines[packet.to]
        guard machine.isRunning, network.carriesUDP(packet.from, packet.to) else { return }
        guard machine.keys[packet.key]?.stage == .installed else { return }
        if verifies, !isGenuine(packet.datagram) { return }
        if let generation = packet.replayOf, generation == machine.generation, time >= machine.stalledUntil {
            checks.replaying(machine)
            deliver(machine, .datagram(packet.datagram, from: Machine.address(of: packet.from)))
            checks.replayed(machine, self)
            return
        }
        deliver(machine, .datagram(packet.datagram, from: machines[packet.from].address))
        if network.conditions.replayed > 0, network.generator.chance(network.conditions.replayed) {
            let again = Packet(
                datagram: packet.datagram, from: packet.from, to: packet.to, key: packet.key,
                replayOf: machine.generation)
            queue.push(
                .datagram, at: time + Int64(network.generator.below(20_000_000_000)), packets.put(again))
        }
    }

    /// Gives every node the records of all, as if a table had just arrived.
    func completeTables() {
        let running = machines.filter { $0.isRunning }
        let records = running.compactMap { $0.node.membership.record }
        let entries = records.map { TableEntry(record: $0, version: $0.version, standing: .alive) }
        for (position, machine) in running.enumerated() where running.count > 1 {
            let teller = running[(position + 1) % running.count]
            guard let record = teller.node.membership.record else { continue }
            let greeting = Datagram(
                sender: teller.identity.id, start: teller.start, target: machine.identity.id,
                message: .gossip,
                rumours: [.alive(record)])
            deliver(machine, .datagram(greeting, from: teller.address))
            deliver(
                machine, .frame(.entries(entries, wanted: []), from: teller.identity.id, start: teller.start))
        }
    }

    // MARK: Dials

    func dial(_ target: DialTarget, from machine: Machine) {
        guard let to = Machine.index(of: target.address), to < machines.count else {
            later(.dialFailed(target, .timedOut), on: machine, at: time + VirtualNetwork.connectLimit)
            return
        }
        let dial = Dial(
            from: machine.index, generation: machine.generation, target: target, to: to, began: time)
        queue.push(.dial, at: time + network.segmentFlight(), dials.put(dial))
    }

    func dialArrived(_ dial: Dial) {
        let (caller, host) = (machines[dial.from], machines[dial.to])
        guard caller.generation == dial.generation, caller.isRunning else { return }
        let limit = dial.began + VirtualNetwork.connectLimit
        let answer = time + network.segmentFlight()
        guard network.carriesTCP(dial.from, dial.to), host.hostIsUp, answer < limit,
            host.stalledUntil < limit
        else {
            return later(.dialFailed(dial.target, .timedOut), on: caller, at: max(limit, time))
        }
        guard host.isRunning else { return later(.dialFailed(dial.target, .refused), on: caller, at: answer) }
        if host === caller { return later(.dialFailed(dial.target, .ourselves), on: caller, at: answer) }
        if host.identity.id == caller.identity.id {
            return later(.dialFailed(dial.target, .otherStart), on: caller, at: answer)
        }
        guard admits(caller, host) else {
            return later(.dialFailed(dial.target, .timedOut), on: caller, at: max(limit, time))
        }
        if case .member(let id, _) = dial.target, id != host.identity.id {
            return later(.dialFailed(dial.target, .timedOut), on: caller, at: answer)
        }
        connect(caller, host, dial.target, at: max(answer + network.segmentFlight(), host.stalledUntil))
    }

    /// A handshake needs a key that both hold, and a caller that the host has not denied. A narrowed key
    /// admits only who was a member before (PROTOCOL section 6).
    private func admits(_ caller: Machine, _ host: Machine) -> Bool {
        if host.keys.isDenied(caller.identity.id), configuration.fault != .deniedLetIn { return false }
        for key in caller.keys.keys where key.stage < .retired {
            switch host.keys[key.id]?.stage {
            case .installed?: return true
            case .narrowed?:
                let isRemembered = host.disk.peers[caller.identity.id] != nil
                if isRemembered || host.node.membership.table[caller.identity.id] != nil { return true }
            case .retired?, nil: break
            }
        }
        return false
    }

    private func connect(_ caller: Machine, _ host: Machine, _ target: DialTarget, at moment: Int64) {
        let (a, b) = (caller.identity.id, host.identity.id)
        if let old = caller.links[b] { links[old].isUp = false }
        if let old = host.links[a] { links[old].isUp = false }
        let link = links.count
        links.append(
            Link(
                machines: (caller.index, host.index), generations: (caller.generation, host.generation),
                ids: (a, b), starts: (caller.start, host.start), since: moment, lastArrival: (moment, moment))
        )
        caller.links[b] = link
        host.links[a] = link
        later(.linkUp(b, host.start, seenAt: host.address, target: target), on: caller, at: moment)
        later(.linkUp(a, caller.start, seenAt: caller.address, target: nil), on: host, at: moment)
    }

    // MARK: Links

    func send(_ frame: Frame, from machine: Machine, to peer: NodeID) {
        guard let link = machine.links[peer], links[link].isUp else { return }
        let size = frame.encodedSize
        machine.frameBytes += size
        checks.sent(frame, size, by: machine, to: peer, self)
        let copies = spoiled.isEmpty ? 1 : copies(of: frame)
        for _ in 0..<copies { enqueue(.frame(frame), on: link, from: machine) }
    }

    func closeLink(of machine: Machine, to peer: NodeID) {
        guard let link = machine.links.removeValue(forKey: peer), links[link].isUp else { return }
        enqueue(.goodbye, on: link, from: machine)
        // It may be a newer link, of which the machine has not heard yet.
        later(.linkLost(peer, .closed), on: machine, at: max(time, links[link].since))
    }

    private func enqueue(_ item: Link.Item, on link: Int, from machine: Machine) {
        if links[link].machines.0 == machine.index {
            let moment = max(time + network.segmentFlight(), links[link].lastArrival.0)
            links[link].lastArrival.0 = moment
            links[link].queues.0.append((moment, item))
            if !links[link].pumping.0 {
                links[link].pumping.0 = true
                queue.push(.pump, at: moment, link, 0)
            }
        } else {
            let moment = max(time + network.segmentFlight(), links[link].lastArrival.1)
            links[link].lastArrival.1 = moment
            links[link].queues.1.append((moment, item))
            if !links[link].pumping.1 {
                links[link].pumping.1 = true
                queue.push(.pump, at: moment, link, 1)
            }
        }
    }

    /// The head of one direction's queue arrives, or waits while the path is cut, or finds the other process
    /// gone.
    func pump(_ link: Int, direction: Int) {
        let side = direction == 0
        guard links[link].isUp else { return }
        let here = links[link]
        let (from, to) = side ? here.machines : (here.machines.1, here.machines.0)
        let generation = side ? here.generations.1 : here.generations.0
        let receiver = machines[to]
        if !network.carriesTCP(from, to) || !receiver.hostIsUp {
            let since = min(side ? here.blockedSince.0 : here.blockedSince.1, time)
            if side { links[link].blockedSince.0 = since } else { links[link].blockedSince.1 = since }
            if time - since >= VirtualNetwork.linkPatience { return breakLink(link) }
            return queue.push(.pump, at: time + 250_000_000, link, direction)
        }
        if side { links[link].blockedSince.0 = .max } else { links[link].blockedSince.1 = .max }
        guard receiver.isRunning, receiver.generation == generation else { return breakLink(link) }
        let (_, item) = side ? links[link].queues.0.removeFirst() : links[link].queues.1.removeFirst()
        let next = side ? links[link].queues.0.first?.0 : links[link].queues.1.first?.0
        if let next {
            queue.push(.pump, at: max(next, time), link, direction)
        } else if side {
            links[link].pumping.0 = false
        } else {
            links[link].pumping.1 = false
        }
        let sender = side ? here.ids.0 : here.ids.1
        switch item {
        case .frame(let frame):
            // Who closed the link hears nothing more on it.
            guard receiver.links[sender] == link else { return }
            if verifies, !isGenuine(frame) { return breakLink(link) }
            deliver(receiver, .frame(frame, from: sender, start: side ? here.starts.0 : here.starts.1))
        case .goodbye:
            links[link].isUp = false
            if receiver.links[sender] == link { receiver.links[sender] = nil }
            deliver(receiver, .linkLost(sender, .closed))
        }
    }

    /// Ends a link without a word. Each side that still runs learns of it one flight later.
    func breakLink(_ link: Int) {
        guard links[link].isUp else { return }
        links[link].isUp = false
        let here = links[link]
        for (index, generation, peer) in [
            (here.machines.0, here.generations.0, here.ids.1),
            (here.machines.1, here.generations.1, here.ids.0),
        ] {
            let machine = machines[index]
            if machine.links[peer] == link { machine.links[peer] = nil }
            guard machine.isRunning, machine.generation == generation else { continue }
            later(.linkLost(peer, .broken), on: machine, at: time + network.flight())
        }
    }
}
