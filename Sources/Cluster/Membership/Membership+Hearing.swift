// How a rumour changes the table. The order of (version, standing) decides everything: a rumour that is not
// above what we hold changes nothing, so rumours may come twice, late, or in any order.

extension Membership {
    /// The changes to one row that a rumour brings.
    mutating func hear(_ rumour: Rumour, from sender: NodeID) {
        guard rumour.version.isPlausible else {
            outbox.append(.dropped(sender, .implausible))
            return
        }
        if rumour.subject == me, configuration.fault != .selfInTable {
            if case .alive(let record) = rumour {
                heardOwnKey(record, from: sender)
            } else {
                heardOfOurselves(rumour, from: sender)
            }
            return
        }
        switch rumour {
        case .alive(let record): hearAlive(record, from: sender)
        case .suspect(let id, let version, let by, let age, let refused):
            hearSuspicion(id, version, by: by, age: age, refused: refused)
        case .dead(let id, let version): hearEnd(id, version, .dead)
        case .left(let id, let version): hearEnd(id, version, .left)
        }
    }

    /// A signed record: it counts if it beats what we hold, whatever we believed of the member until now.
    mutating func hearAlive(_ record: AliveRecord, from sender: NodeID) {
        guard admits(record, from: sender) else { return }
        guard let slot = table.slot(of: record.id) else {
            if let grave = tombstone(of: record.id), grave.version >= record.version { return }
            tombstones.removeAll { $0.subject == record.id }
            insert(record, .alive, record.version)
            return
        }
        let row = table.rows[slot]
        let lower = configuration.fault == .lowerVersionAccepted && record.version < row.version
        if record.version > row.version || lower {
            let moved = row.record.address != record.address
            change(slot, to: .alive, record.version, record)
            if moved { persist(.peer(record)) }
        } else if record.beats(row.record.version, row.start) {
            change(slot, to: row.standing, row.version, record)
        } else if record.version == row.version {
            heardAgain(slot)
        }
    }

    mutating func hearSuspicion(_ id: NodeID, _ version: Version, by: Suspecters, age: Span, refused: Bool) {
        guard let slot = table.slot(of: id) else { return }
        let row = table.rows[slot]
        guard (version, Standing.suspect) >= (row.version, row.standing) else { return }
        let isFirst = row.standing != .suspect || version > row.version
        guard suspicions.suspect(id, version, by: by, age: age, refused: refused, at: now) else { return }
        if isFirst {
            change(slot, to: .suspect, version, row.record)
            let others = Double(max(1, table.present))
            if generator.chance(configuration.curiousHearers / others) { probe(slot) }
        } else {
            tell(slot)
        }
        recount()
    }

    /// Death and leave spread without further doubt: the one that said it gave the subject its time.
    mutating func hearEnd(_ id: NodeID, _ version: Version, _ standing: Standing) {
        guard let slot = table.slot(of: id) else { return }
        let row = table.rows[slot]
        guard (version, standing) > (row.version, row.standing) else { return }
        change(slot, to: standing, version, row.record)
    }

    /// A row of another table. Second-hand deaths of members that we see alive are not believed but looked
    /// into: after a partition both sides hold the other dead, and believing it would spread the damage (S3,
    /// L6). Returns false if nothing more may be looked into in this merge.
    mutating func merge(_ entry: TableEntry, from sender: NodeID, mayDoubt: Bool) -> Bool {
        guard entry.version.isPlausible, entry.version >= entry.record.version else {
            outbox.append(.dropped(sender, .implausible))
            return false
        }
        if entry.record.id == me {
            heardOwnKey(entry.record, from: sender)
            if entry.standing != .alive, entry.record.start == start {
                heardOfOurselves(.dead(me, entry.version), from: sender)
            }
            return false
        }
        guard let slot = table.slot(of: entry.record.id) else {
            insertFromTable(entry, from: sender)
            return false
        }
        let row = table.rows[slot]
        if entry.standing.isPresent {
            hearAlive(entry.record, from: sender)
            if configuration.fault == .deadRevivedBySync, row.standing == .dead, entry.version >= row.version
            {
                change(slot, to: .alive, entry.version, entry.record)
            }
            return false
        }
        if !row.standing.isPresent {
            guard admits(entry.record, from: sender) else { return false }
            if (entry.version, entry.standing) > (row.version, row.standing) {
                let newer = entry.record.beats(row.record.version, row.start)
                change(slot, to: entry.standing, entry.version, newer ? entry.record : row.record)
            }
            return false
        }
        hearAlive(entry.record, from: sender)
        guard entry.version >= table.rows[slot].version else { return false }
        if entry.standing == .left {
            hearEnd(entry.record.id, entry.version, .left)
        } else if mayDoubt {
            lookInto(slot, entry.version)
            return true
        }
        return false
    }

    private mutating func insertFromTable(_ entry: TableEntry, from sender: NodeID) {
        guard admits(entry.record, from: sender) else { return }
        if let grave = tombstone(of: entry.record.id), grave.version >= entry.version { return }
        insert(entry.record, entry.standing.isPresent ? .alive : entry.standing, entry.version)
    }

    /// Tells a member that others think it dead, and probes it.
    private mutating func lookInto(_ slot: Int, _ version: Version) {
        send(.gossip, [.dead(table.rows[slot].id, version)], to: slot)
        probe(slot)
    }

    /// Why a record cannot be taken into the table; nil if it can.
    private func refusal(of record: AliveRecord) -> DropReason? {
        if !record.isPlausible { return .implausible }
        if record.address.isLoopback, !address.isLoopback { return .loopbackAddress }
        if keys.table.isDenied(record.id), configuration.fault != .deniedLetIn { return .deniedNode }
        if table.count >= configuration.mostMembers, table.slot(of: record.id) == nil { return .tableFull }
        return nil
    }

    private mutating func admits(_ record: AliveRecord, from sender: NodeID) -> Bool {
        guard let reason = refusal(of: record) else { return true }
        outbox.append(.dropped(sender, reason))
        return false
    }

    // MARK: Rows

    mutating func insert(_ record: AliveRecord, _ standing: Standing, _ version: Version) {
        let slot = table.insert(Member(record: record, standing: standing, version: version, now: now))
        if standing.isPresent {
            tour.append(Int32(slot))
            if tourAt < tour.count - 1 {
                tour.swapAt(tour.count - 1, tourAt + generator.below(tour.count - tourAt))
            }
        }
        settle(slot, was: nil)
        persist(.peer(record))
    }

    /// The one place where a row's belief changes.
    mutating func change(_ slot: Int, to standing: Standing, _ version: Version, _ record: AliveRecord) {
        let was = table.rows[slot].standing
        let now = now
        table.update(slot) {
            if $0.standing != standing { $0.since = now }
            $0.standing = standing
            $0.version = version
            $0.record = record
            $0.start = record.start
        }
        settle(slot, was: was)
    }

    /// What follows from a change: the rumour, the suspicion's clock, who is dialled, and the published view.
    private mutating func settle(_ slot: Int, was: Standing?) {
        let row = table.rows[slot]
        if row.standing != .suspect { suspicions.clear(row.id) }
        if row.standing == .dead, was != .dead {
            reconnector.want(.member(row.id, row.record.address), urgently: false, at: now, &generator)
        } else if row.standing != .dead, was == .dead {
            reconnector.release(row.id)
        }
        if was == .dead || was == .left, row.standing.isPresent { tour.append(Int32(slot)) }
        if row.standing == .left {
            if row.link.isUp { close(slot) }
            persist(.gone(row.id))
        }
        recount()
        if !isTakingOver || row.standing != .alive { tell(slot) }
        changes += 1
        outbox.append(
            .publish(MemberChange(id: row.id, version: row.version, start: row.start, standing: row.standing))
        )
    }

    mutating func recount() { suspicions.liveMembers(table.count(.alive) + 1) }

    mutating func expireSuspicions() {
        for (id, version) in suspicions.expired(now) {
            guard let slot = table.slot(of: id) else { continue }
            let row = table.rows[slot]
            if row.standing == .suspect, row.version == version {
                change(slot, to: .dead, version, row.record)
            }
        }
    }

    func tombstone(of id: NodeID) -> Rumour? { tombstones.first { $0.subject == id } }

    mutating func persist(_ fact: DurableFact) { outbox.append(.persist(fact, ticket: 0)) }

    /// Forgets who has been gone long enough, each minute (PROTOCOL section 2, forget).
    mutating func sweep() {
        nextSweep = now + .seconds(60)
        guard table.count(.dead) + table.count(.left) > 0 else { return }
        let now = now
        let (afterDead, afterLeft) = (configuration.forgetDead, configuration.forgetLeft)
        let isOver = { (member: Member) -> Bool in
            switch member.standing {
            case .dead: now - member.since >= afterDead
            case .left: now - member.since >= afterLeft
            case .alive, .suspect: false
            }
        }
        let gone = table.ring.map { table.rows[Int($0)] }.filter(isOver)
        guard !gone.isEmpty else { return }
        for member in gone {
            reconnector.release(member.id)
            persist(.gone(member.id))
            tombstones.append(
                member.standing == .left ? .left(member.id, member.version) : .dead(member.id, member.version)
            )
        }
        tombstones.removeFirst(max(0, tombstones.count - configuration.mostTombstones))
        table.removeAll(where: isOver)
        tour = []
        tourAt = 0
    }
}
