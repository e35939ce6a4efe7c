// Links carry what datagrams cannot: whole tables, keys, and the certainty that the other end is there. Each
// node keeps one to its ring successor, so a process that is killed is noticed by a neighbour at once.

extension Membership {
    func linkedSlots(most: Int) -> [Int] {
        var slots: [Int] = []
        for slot in table.ring where table.rows[Int(slot)].link.isUp {
            slots.append(Int(slot))
            if slots.count == most { break }
        }
        return slots
    }

    mutating func dial(_ slot: Int) {
        guard table.rows[slot].link == .none, phase == .running else { return }
        table.note(slot) { $0.link = .dialling }
        outbox.append(.dial(.member(table.rows[slot].id, table.rows[slot].record.address)))
    }

    mutating func close(_ slot: Int) {
        table.note(slot) { $0.link = .none }
        outbox.append(.closeLink(table.rows[slot].id))
    }

    mutating func reconnect() {
        let table = table
        let due = reconnector.timer(now) { table[$0]?.standing.isPresent ?? false }
        for target in due { outbox.append(.dial(target)) }
        sayReady()
    }

    /// Without seeds there is nothing to try.
    mutating func sayReady() {
        guard !saidReady, record != nil, reconnector.hasTriedAllSeeds else { return }
        saidReady = true
        outbox.append(.ready)
    }

    mutating func linkUp(_ peer: NodeID, _ start: StartID, seenAt address: Address, target: DialTarget?) {
        guard let record, phase == .running else { return outbox.append(.closeLink(peer)) }
        if keys.table.isDenied(peer), configuration.fault != .deniedLetIn {
            outbox.append(.dropped(peer, .deniedNode))
            return outbox.append(.closeLink(peer))
        }
        if let target { reconnector.connected(target, to: peer, at: now) }
        if let slot = table.slot(of: peer) {
            let now = now
            table.note(slot) {
                $0.link = target == nil ? .accepted : .dialled
                $0.linkUsed = now
            }
            heardFrame(peer)
        } else if target != nil, strangers.count < configuration.mostRelayed {
            strangers.append(peer)
        }
        settleWitness(peer, refused: false)
        let hello = Frame.hello(
            record, root, keys: keys.table.digest, ofYou: toldOfItself(peer, start), seenAt: address)
        outbox.append(.sendFrame(hello, to: peer))
    }

    /// What a peer has to hear of itself: that it is not taken for alive, or that another start of its key
    /// is.
    private func toldOfItself(_ peer: NodeID, _ start: StartID) -> Rumour? {
        guard let slot = table.slot(of: peer) else { return tombstone(of: peer) }
        let row = table.rows[slot]
        return row.standing != .alive || row.start != start ? rumour(about: slot) : nil
    }

    mutating func linkLost(_ peer: NodeID, _ end: LinkEnd) {
        strangers.removeAll { $0 == peer }
        guard let slot = table.slot(of: peer) else { return }
        let row = table.rows[slot]
        // What we closed ourselves is told too, perhaps after we thought better of it.
        guard row.link.isUp else { return }
        table.note(slot) { $0.link = .none }
        guard end == .broken, row.standing.isPresent, phase == .running else { return }
        run(fastPath.linkBroke(peer))
    }

    mutating func dialFailed(_ target: DialTarget, _ failure: DialFailure) {
        guard phase == .running else { return }
        switch failure {
        case .ourselves: reconnector.isOurselves(target)
        case .otherStart:
            reconnector.failed(target, at: now, &generator)
            noticeOtherStart(nil, at: target.address)
        case .refused, .timedOut: reconnector.failed(target, at: now, &generator)
        }
        guard case .member(let id, _) = target else { return }
        if let slot = table.slot(of: id), table.rows[slot].link == .dialling {
            table.note(slot) { $0.link = .none }
        }
        notes.append(.linkFailed(id))
        settleWitness(id, refused: failure == .refused)
        if failure == .refused {
            if fastPath.isFollowing(id) { notes.append(.refused(id)) }
            let alone = table.present <= 1
            run(fastPath.refused(id, alone: alone, nonce: generator.next(), at: now))
        } else {
            fastPath.timedOut(id)
        }
    }

    mutating func run(_ actions: [FastPath.Action]) {
        for action in actions {
            switch action {
            case .redial(let id):
                if let slot = table.slot(of: id) { dial(slot) }
            case .askWitnesses(let id, let nonce):
                for slot in table.choose(configuration.refusalWitnesses, excluding: id, &generator) {
                    send(.dialRequest(id, nonce), [], to: slot)
                }
            case .suspect(let id):
                if let slot = table.slot(of: id) { suspect(slot, refused: true) }
            }
        }
    }

    // MARK: Witnesses

    /// Another node was refused by `target`: try it from here.
    mutating func witness(_ target: NodeID, for asker: NodeID, at address: Address, _ nonce: UInt64) {
        guard let slot = table.slot(of: target), witnessing.count < configuration.mostRelayed else { return }
        if table.rows[slot].link.isUp {
            send(.ping(generator.next()), [], overLinkTo: slot)
            return outbox.append(
                .sendDatagram(datagram(.dialReport(nonce, refused: false), to: asker), to: address))
        }
        witnessing.append((target, asker, address, nonce))
        dial(slot)
    }

    private mutating func settleWitness(_ target: NodeID, refused: Bool) {
        for errand in witnessing where errand.target == target {
            let report = datagram(.dialReport(errand.nonce, refused: refused), to: errand.asker)
            outbox.append(.sendDatagram(report, to: errand.address))
        }
        witnessing.removeAll { $0.target == target }
    }

    // MARK: Frames

    mutating func received(_ frame: Frame, from peer: NodeID, start peerStart: StartID) {
        guard record != nil, phase != .ended else { return }
        if keys.table.isDenied(peer), configuration.fault != .deniedLetIn {
            return outbox.append(.dropped(peer, .deniedNode))
        }
        if case .hello(let record, _, _, let ofUs, _) = frame {
            hear(.alive(record), from: peer)
            // Two that forgot each other after days apart have only this to go by: one has to rise first.
            if table.slot(of: peer) == nil, let ofUs, ofUs.subject == me { hear(ofUs, from: peer) }
        }
        guard let slot = table.slot(of: peer) else { return }
        let now = now
        table.note(slot) { $0.linkUsed = now }
        // What the frame says comes first: an ack that no datagram brought has to be known as such.
        defer { heardFrame(peer, peerStart) }
        switch frame {
        case .hello(_, let root, let keyDigest, let ofUs, let seen):
            greeted(slot, root, keyDigest, ofUs, seen)
        case .packet(let message, let rumours): received(message, rumours, overLinkFrom: slot)
        case .buckets(let digests): answer(digests, slot)
        case .entries(let entries, let wanted): merge(entries, wanted, slot)
        case .keys(let table): receivedKeys(table, from: slot)
        case .job, .book: notes.append(.frame(frame, from: peer))
        }
    }

    /// The other end of the link is another start than the one that we know, which a copy of its machine was,
    /// or its past: it has to rise above that, or to go. Once a gossip round is enough.
    private mutating func tellOfOtherStart(_ slot: Int) {
        guard now - table.rows[slot].answeredAt >= configuration.gossipInterval else { return }
        let now = now
        table.note(slot) { $0.answeredAt = now }
        outbox.append(.sendFrame(.packet(.gossip, [rumour(about: slot)]), to: table.rows[slot].id))
    }

    /// A frame came from this start of `peer`.
    private mutating func heardFrame(_ peer: NodeID, _ start: StartID) {
        guard let slot = table.slot(of: peer) else { return }
        if table.rows[slot].start == start { heardFrame(peer) } else { tellOfOtherStart(slot) }
    }

    /// A frame cannot be replayed: it answers a probe and ends the fast path.
    private mutating func heardFrame(_ peer: NodeID) {
        run(prober.heard(peer))
        fastPath.heard(peer)
        suspicions.heard(peer)
        guard configuration.fault == .frameRevivesTheDead, let slot = table.slot(of: peer) else { return }
        let row = table.rows[slot]
        if row.standing == .dead { change(slot, to: .alive, row.version, row.record) }
    }

    private mutating func greeted(
        _ slot: Int, _ root: MemberTable.Root, _ keyDigest: UInt64, _ ofUs: Rumour?, _ seen: Address?
    ) {
        let peer = table.rows[slot].id
        if table.rows[slot].link == .none {
            let ours = strangers.contains(peer)
            strangers.removeAll { $0 == peer }
            table.note(slot) { $0.link = ours ? .dialled : .accepted }
        }
        notes.append(.linkUp(peer))
        adoptAddress(seen)
        if let ofUs, ofUs.subject == me { hear(ofUs, from: peer) }
        if root != self.root, me < peer { sendBuckets(slot) }
        sendDead(to: peer)
        if keyDigest != keys.table.digest { sendKeys(slot) }
    }

    private mutating func received(_ message: Datagram.Message, _ rumours: [Rumour], overLinkFrom slot: Int) {
        let peer = table.rows[slot].id
        let address = table.rows[slot].record.address
        for rumour in rumours { hear(rumour, from: peer) }
        switch message {
        case .ping(let nonce): send(.ack(nonce), [], overLinkTo: slot)
        case .ack(let nonce): acked(nonce, by: peer, overLink: true)
        case .pingRequest(let target, let nonce): relay(target, for: peer, at: address, nonce)
        case .nack(let nonce): prober.nacked(nonce)
        case .digest(let root, let keyDigest): compared(root, keyDigest, by: peer)
        case .dialRequest(let target, let nonce): witness(target, for: peer, at: address, nonce)
        case .dialReport(let nonce, let refused): run(fastPath.witnessed(nonce, refused: refused))
        case .job(let rumour): notes.append(.rumour(rumour, from: peer))
        case .gossip, .notMe, .echo, .echoReply: break
        }
    }
}
