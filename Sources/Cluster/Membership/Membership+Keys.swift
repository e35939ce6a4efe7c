// How keys travel: on links only, whole tables that are united, pointed out to others by a digest in gossip.

extension Membership {
    mutating func sendKeys(_ slot: Int) {
        outbox.append(.sendFrame(.keys(keys.table), to: table.rows[slot].id))
    }

    mutating func receivedKeys(_ theirs: KeyTable, from slot: Int) {
        let before = keys.table.digest
        if keys.unite(theirs) { keysChanged() }
        if theirs.digest == before, before != keys.table.digest { return }
        if theirs.digest != keys.table.digest { sendKeys(slot) }
    }

    mutating func decide(_ request: KeyRequest) {
        var members = table.ring.map { table.rows[Int($0)] }.map {
            KeyRing.Holder(id: $0.id, standing: $0.standing, keys: $0.record.keys)
        }
        for peer in remembered where table.slot(of: peer.id) == nil {
            members.append(KeyRing.Holder(id: peer.id, standing: .dead, keys: peer.keys))
        }
        let before = keys.table
        do {
            try keys.decide(request, members: members)
        } catch {
            return outbox.append(.keysRefused(error))
        }
        if keys.table != before { keysChanged() }
    }

    /// Writes and uses the new table, says in our record what we hold, shuts out who is denied, points others
    /// to it.
    private mutating func keysChanged() {
        outbox.append(.useKeys(keys.table))
        if keys.table.isDenied(me) {
            writeKeys()
            return end(.denied)
        }
        if configuration.fault != .deniedLetIn {
            for id in keys.table.denied {
                guard let slot = table.slot(of: id) else { continue }
                // Its end may have been told before the denial: the link is still there.
                if table.rows[slot].link.isUp { close(slot) }
                guard table.rows[slot].standing != .left else { continue }
                change(slot, to: .left, table.rows[slot].version, table.rows[slot].record)
            }
        }
        for slot in linkedSlots(most: .max) { sendKeys(slot) }
        keyRounds = gossipRounds
        scheduleGossip()
        writeKeys()
    }

    /// What our record says we hold must survive a restart, so it says it only when the disk has it.
    mutating func writeKeys() {
        retryKeysAt = .never
        lastTicket += 1
        pendingKeys = (keys.table.held, lastTicket)
        outbox.append(.persist(.keys(keys.table), ticket: lastTicket))
    }

    mutating func keysWritten(_ held: [KeyID]) {
        pendingKeys = nil
        keysOnDisk = held
        if let record, record.keys != held { raiseIncarnation(above: version.incarnation) }
    }
}
