// Each period one random and one neighbouring member are probed: the random one so that every member is found
// out in bounded time, the neighbour so that every member has one node that looks at it every second
// (PROTOCOL section 2).

extension Membership {
    mutating func probeRound() {
        nextProbe = now + configuration.probePeriod * health.scale
        let random = nextOfTour()
        let ring = ringSuccessor()
        if let random { probe(random) }
        if let ring, ring != random { probe(ring) }
        guard let ring, table.rows[ring].link == .none, now >= nextSuccessorDial else { return }
        nextSuccessorDial = now + .seconds(5)
        dial(ring)
    }

    mutating func ringSuccessor() -> Int? {
        if successor.presenceChanges != table.presenceChanges {
            successor = (table.successor(), table.presenceChanges)
        }
        return successor.slot
    }

    /// Round robin over a shuffled list: every member is met once in a tour (SWIM section 4.3).
    private mutating func nextOfTour() -> Int? {
        for _ in 0..<2 {
            while tourAt < tour.count {
                let slot = Int(tour[tourAt])
                tourAt += 1
                if table.rows[slot].standing.isPresent { return slot }
            }
            tour = table.ring.filter { table.rows[Int($0)].standing.isPresent }
            tour.shuffle(using: &generator)
            tourAt = 0
        }
        return nil
    }

    mutating func probe(_ slot: Int) {
        let row = table.rows[slot]
        if row.prefersLink, row.link == .none { dial(slot) }
        run(prober.probe(row.id, nonce: generator.next(), scale: health.scale, at: now))
    }

    mutating func run(_ actions: [Prober.Action]) {
        for action in actions {
            switch action {
            case .ping(let id, let nonce):
                if let slot = table.slot(of: id) { send(.ping(nonce), [], to: slot) }
            case .askRelays(let id, let nonce): askRelays(id, nonce)
            case .answered: health.probeAnswered()
            case .failed(let id, let silent): probeFailed(id, silent: silent)
            }
        }
    }

    private mutating func askRelays(_ id: NodeID, _ nonce: UInt64) {
        let relays = table.choose(configuration.relays, excluding: id, &generator)
        for relay in relays { send(.pingRequest(id, nonce), [], to: relay) }
        prober.relaysAsked(relays.count, nonce: nonce)
        guard let slot = table.slot(of: id), table.rows[slot].link.isUp else { return }
        send(.ping(nonce), [], overLinkTo: slot)
    }

    /// Our own probe failed: doubt it, and try a link, on which it could object although datagrams are lost.
    private mutating func probeFailed(_ id: NodeID, silent: Int) {
        health.probeFailed(silentRelays: table.present > 1 ? silent : 1)
        guard let slot = table.slot(of: id), table.rows[slot].standing.isPresent else { return }
        lookUp(slot)
        suspect(slot, refused: false)
        if table.rows[slot].link == .none { dial(slot) }
    }

    /// The member may have moved and kept its name: the next datagram goes where the name leads then. Not
    /// more often than every few seconds, whoever says how often that it is not there.
    private mutating func lookUp(_ slot: Int) {
        let now = now
        guard now - table.rows[slot].lookedUpAt >= .seconds(5) else { return }
        table.note(slot) { $0.lookedUpAt = now }
        outbox.append(.lookUp(table.rows[slot].record.address))
    }

    /// Our own doubt, added to those that we heard of.
    mutating func suspect(_ slot: Int, refused: Bool) {
        let row = table.rows[slot]
        guard row.standing.isPresent else { return }
        let news = suspicions.suspect(
            row.id, row.version, by: Suspecters(me), age: .zero, refused: refused, at: now)
        if row.standing == .alive {
            change(slot, to: .suspect, row.version, row.record)
        } else if news {
            tell(slot)
        }
        recount()
    }

    // MARK: Datagrams

    mutating func received(_ datagram: Datagram, from address: Address) {
        guard record != nil, phase != .ended else { return }
        if datagram.sender == me {
            if datagram.start != start {
                receivedFromOtherStart(datagram.message, datagram.start, at: address)
            }
            return
        }
        if keys.table.isDenied(datagram.sender), configuration.fault != .deniedLetIn {
            outbox.append(.dropped(datagram.sender, .deniedNode))
            return
        }
        guard datagram.target == me else {
            outbox.append(.dropped(datagram.sender, .wrongTarget))
            if case .notMe = datagram.message { return }
            reply(.notMe(datagram.target), to: datagram, at: address)
            return
        }
        noticeSender(datagram, at: address)
        for rumour in datagram.rumours { hear(rumour, from: datagram.sender) }
        switch datagram.message {
        case .ping(let nonce): reply(.ack(nonce), to: datagram, at: address)
        case .ack(let nonce): acked(nonce, by: datagram.sender, overLink: false)
        case .pingRequest(let target, let nonce):
            relay(target, for: datagram.sender, at: address, nonce)
        case .nack(let nonce): prober.nacked(nonce)
        case .notMe(let wanted): if let slot = table.slot(of: wanted) { lookUp(slot) }
        case .gossip, .echo, .echoReply: break
        case .digest(let root, let keyDigest): compared(root, keyDigest, by: datagram.sender)
        case .dialRequest(let target, let nonce): witness(target, for: datagram.sender, at: address, nonce)
        case .job(let rumour): notes.append(.rumour(rumour, from: datagram.sender))
        case .dialReport(let nonce, let refused): run(fastPath.witnessed(nonce, refused: refused))
        }
    }

    /// Whoever we hold dead is told so that it can object; gossip, which asks for no answer, is answered with
    /// that at most once a second, or two nodes that hold each other dead would never stop.
    private mutating func noticeSender(_ datagram: Datagram, at address: Address) {
        guard let slot = table.slot(of: datagram.sender) else {
            if tombstone(of: datagram.sender) != nil, datagram.message == .gossip {
                reply(.gossip, to: datagram, at: address)
            }
            return
        }
        if table.rows[slot].prefersLink { table.note(slot) { $0.prefersLink = false } }
        if configuration.fault == .recordMadeForAnother, table.rows[slot].standing == .suspect {
            let old = table.rows[slot].record.claim
            let raised = Version(epoch: old.version.epoch, incarnation: old.version.incarnation + 1)
            let claim = AliveClaim(
                id: old.id, start: old.start, version: raised, address: old.address, keys: old.keys)
            change(slot, to: .alive, raised, AliveRecord(claim: claim, sealed: []))
        }
        let row = table.rows[slot]
        guard !row.standing.isPresent, datagram.message == .gossip, now - row.shownAt >= .seconds(1) else {
            return
        }
        let now = now
        table.note(slot) { $0.shownAt = now }
        reply(.gossip, to: datagram, at: address)
    }

    mutating func acked(_ nonce: UInt64, by sender: NodeID, overLink: Bool) {
        let actions = prober.acked(nonce, by: sender)
        run(actions)
        run(desk.acked(nonce))
        if overLink, let slot = table.slot(of: sender), case .answered(sender)? = actions.first {
            table.note(slot) { $0.prefersLink = true }
        }
    }

    mutating func relay(_ target: NodeID, for asker: NodeID, at address: Address, _ nonce: UInt64) {
        guard let slot = table.slot(of: target), table.rows[slot].standing.isPresent else { return }
        run(desk.asked(target, for: asker, at: address, nonce, nonce: generator.next(), now: now))
    }

    mutating func run(_ actions: [RelayDesk.Action]) {
        for action in actions {
            switch action {
            case .ping(let id, let nonce):
                if let slot = table.slot(of: id) { send(.ping(nonce), [], to: slot) }
            case .ack(let asker, let address, let nonce): sendReply(.ack(nonce), to: asker, at: address)
            case .nack(let asker, let address, let nonce): sendReply(.nack(nonce), to: asker, at: address)
            }
        }
    }

    private mutating func sendReply(_ message: Datagram.Message, to id: NodeID, at address: Address) {
        if let slot = table.slot(of: id), table.rows[slot].prefersLink, table.rows[slot].link.isUp {
            send(message, [], overLinkTo: slot)
        } else {
            outbox.append(.sendDatagram(datagram(message, to: id), to: address))
        }
    }

    private mutating func receivedFromOtherStart(
        _ message: Datagram.Message, _ other: StartID, at address: Address
    ) {
        guard phase == .running else { return }
        switch message {
        case .echo(let nonce):
            let answer = Datagram.Message.echoReply(nonce, epochAtStart: epochAtStart)
            outbox.append(.sendDatagram(datagram(answer, to: me), to: address))
            noticeOtherStart(nil, at: address)
            run(otherStart.asked(nonce, by: other))
        case .echoReply(let nonce, let epoch):
            run(otherStart.answered(nonce, by: (epoch, other), us: (epochAtStart, start)))
        default: break
        }
    }
}
