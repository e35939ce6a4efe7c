// Gossip: what changed is told to a few members several times a second, most urgent first, each rumour only
// as often as it takes to reach everybody (SWIM section 4.1). What a member should hear about itself goes
// first in every packet to it, so that it can object while there is time (Lifeguard's buddy system, section
// IV-C).

extension Membership {
    /// Rounds for which a new rumour is told: 4 ⌈log₁₀(N + 1)⌉.
    var gossipRounds: Int {
        var rounds = configuration.gossipFactor
        var reach = 10
        while reach < table.present + 2 {
            rounds += configuration.gossipFactor
            reach *= 10
        }
        return rounds
    }

    /// An arrival that others tell us again has spread: one round less. (Feedback, as in Demers et al.
    /// section 1.4; it ends a storm of joins four times sooner. Suspicions and deaths are told in full.)
    mutating func heardAgain(_ slot: Int) {
        if table.rows[slot].rounds > 0, table.rows[slot].standing == .alive {
            table.note(slot) { $0.rounds -= 1 }
        }
    }

    /// Queues the rumour about a row; an earlier one about it becomes void.
    mutating func tell(_ slot: Int) {
        let number = queue.add(table.rows[slot].id, table.rows[slot].standing)
        let rounds = gossipRounds
        table.note(slot) {
            $0.rumour = number
            $0.rounds = rounds
        }
        if queue.count > 2 * table.count + 64 {
            let table = table
            queue.compact { entry in table[entry.subject]?.rumour == entry.number }
        }
        scheduleGossip()
    }

    /// The first rumour goes out at once, a few milliseconds for its companions; the next after the interval.
    mutating func scheduleGossip() {
        guard nextGossip == .never, phase == .running else { return }
        nextGossip = max(now + .milliseconds(5), lastGossip + configuration.gossipInterval)
    }

    mutating func gossipRound() {
        lastGossip = now
        nextGossip = .never
        let everybody = table.present <= configuration.gossipToAllUpTo
        let fanout = everybody ? table.present : configuration.gossipFanout
        let targets = table.choose(fanout, excluding: nil, &generator)
        guard !targets.isEmpty else { return }
        for batch in makeBatches() {
            for slot in targets { send(.gossip, batch, to: slot) }
        }
        if keyRounds > 0 {
            keyRounds -= 1
            for slot in targets { send(.digest(root, keys: keys.table.digest), [], to: slot) }
        }
        if !queue.isEmpty || ownRounds > 0 || keyRounds > 0 { scheduleGossip() }
    }

    /// The round's rumours, packed into as few datagrams as they need, up to the bound.
    private mutating func makeBatches() -> [[Rumour]] {
        let room = configuration.datagramLimit - Datagram.overhead - Datagram.Message.gossip.encodedSize
        let limit = configuration.fault == .datagramOverfull ? .max : room
        var batches: [[Rumour]] = [[]]
        var size = 0
        if ownRounds > 0, let record {
            ownRounds -= 1
            batches[0].append(.alive(record))
            size = batches[0][0].encodedSize
        }
        var told: [(RumourQueue.Entry, Int)] = []
        while let (entry, line) = queue.next() {
            guard let slot = table.slot(of: entry.subject), table.rows[slot].rumour == entry.number,
                table.rows[slot].rounds > 0
            else { continue }
            let rumour = rumour(about: slot)
            let more = rumour.encodedSize
            if size + more > limit {
                if batches.count == configuration.datagramsPerTarget {
                    queue.putBack(entry, line: line, told: false)
                    break
                }
                batches.append([])
                size = 0
            }
            batches[batches.count - 1].append(rumour)
            size += more
            table.note(slot) { $0.rounds -= 1 }
            if table.rows[slot].rounds > 0 { told.append((entry, line)) }
        }
        for (entry, line) in told { queue.putBack(entry, line: line, told: true) }
        return batches.filter { !$0.isEmpty }
    }

    /// What we believe of a member, as a rumour.
    func rumour(about slot: Int) -> Rumour {
        let row = table.rows[slot]
        switch row.standing {
        case .alive: return .alive(row.record)
        case .dead: return .dead(row.id, row.version)
        case .left: return .left(row.id, row.version)
        case .suspect:
            guard let doubt = suspicions[row.id] else {
                preconditionFailure("node \(me) suspects \(row.id) at \(row.version) without a suspicion")
            }
            return .suspect(row.id, row.version, by: doubt.by, age: now - doubt.since, refused: doubt.refused)
        }
    }

    // MARK: Sending

    func datagram(_ message: Datagram.Message, to target: NodeID, _ rumours: [Rumour] = []) -> Datagram {
        Datagram(sender: me, start: start, target: target, message: message, rumours: rumours)
    }

    /// Sends to a member by datagram, or over its link where datagrams do not get through.
    mutating func send(_ message: Datagram.Message, _ rumours: [Rumour], to slot: Int) {
        let row = table.rows[slot]
        if row.prefersLink, row.link.isUp {
            send(message, rumours, overLinkTo: slot)
            return
        }
        let packed = packed(
            rumours, for: slot, firstOfAll: row.standing == .alive ? nil : rumour(about: slot))
        outbox.append(.sendDatagram(datagram(message, to: row.id, packed), to: row.record.address))
    }

    mutating func send(_ message: Datagram.Message, _ rumours: [Rumour], overLinkTo slot: Int) {
        let row = table.rows[slot]
        let now = now
        table.note(slot) { $0.linkUsed = now }
        let packed = packed(
            rumours, for: slot, firstOfAll: row.standing == .alive ? nil : rumour(about: slot))
        outbox.append(.sendFrame(.packet(message, packed), to: row.id))
    }

    /// Answers a datagram at the address it came from. A sender that is not the start we know is shown the
    /// record that we hold: it is another start's, and it may not know.
    mutating func reply(_ message: Datagram.Message, to asked: Datagram, at address: Address) {
        var first: [Rumour] = []
        if let slot = table.slot(of: asked.sender) {
            let row = table.rows[slot]
            if row.standing != .alive {
                first = [rumour(about: slot)]
            } else if row.start != asked.start {
                first = [.alive(row.record)]
            }
            // The link may be another start's.
            if row.prefersLink, row.link.isUp, row.start == asked.start {
                send(message, first, overLinkTo: slot)
                return
            }
        } else if let grave = tombstone(of: asked.sender) {
            first = [grave]
        }
        outbox.append(.sendDatagram(datagram(message, to: asked.sender, first), to: address))
    }

    /// Puts what the receiver should hear about itself first, leaves its own alive record out, and keeps to
    /// the limit.
    private func packed(_ rumours: [Rumour], for slot: Int, firstOfAll first: Rumour?) -> [Rumour] {
        let id = table.rows[slot].id
        let echoes = rumours.contains { $0.subject == id } && configuration.fault != .rumourToItsSubject
        guard echoes || first != nil else { return rumours }
        var kept = echoes ? rumours.filter { $0.subject != id || $0.standing != .alive } : rumours
        guard let first else { return kept }
        kept.removeAll { $0 == first }
        let fixed = Datagram.overhead + Datagram.Message.mostBesideRumours
        var size = kept.reduce(first.encodedSize + fixed) { $0 + $1.encodedSize }
        while size > configuration.datagramLimit, let last = kept.popLast() { size -= last.encodedSize }
        kept.insert(first, at: 0)
        return kept
    }
}
