// Our own record: how it rises when others doubt us, and what happens when another process signs with our
// key.

extension Membership {
    /// Asks for our record at the current version to be signed.
    mutating func sign() {
        outbox.append(
            .sign(
                AliveClaim(
                    id: me, start: start, version: version, address: address, keys: keysOnDisk, engine: engine
                )))
    }

    /// A new record inside this epoch; at the end of the counter, a new epoch.
    mutating func raiseIncarnation(above incarnation: UInt32) {
        guard record != nil, pendingEpoch == nil else { return }
        let next = max(version.incarnation, incarnation) + 1
        if next >= Version.highest {
            raiseEpoch(to: version.epoch + 1)
        } else {
            version = Version(epoch: version.epoch, incarnation: next)
            sign()
        }
    }

    /// Writes the epoch to disk; it is used when the disk has it.
    mutating func raiseEpoch(to epoch: UInt32) {
        precondition(epoch <= Version.highest, "node \(me) has used up its epochs at \(version)")
        retryEpochAt = .never
        lastTicket += 1
        pendingEpoch = (epoch, lastTicket)
        if configuration.fault != .epochReused { outbox.append(.persist(.epoch(epoch), ticket: lastTicket)) }
        if configuration.fault == .epochReused { persisted(lastTicket) }
    }

    /// Somebody calls us suspect, dead or gone.
    mutating func heardOfOurselves(_ claim: Rumour, from sender: NodeID) {
        guard let record, phase == .running else { return }
        let claimed = claim.version
        if claimed.epoch > version.epoch {
            noticeOtherStart(claimed, at: nil)
        } else if claimed < record.version {
            tellOwnRecord(to: sender)
        } else if configuration.fault != .neverRefutes, claimed == version || claimed > record.version {
            health.refuted()
            if configuration.fault == .refutesWithoutRaise {
                ownRounds = gossipRounds
                scheduleGossip()
            } else {
                raiseIncarnation(above: claimed.incarnation)
            }
        }
    }

    /// A record of our key. Ours is skipped; an older one means that the sender lags; a newer one that
    /// another start of our key lives or lived.
    mutating func heardOwnKey(_ other: AliveRecord, from sender: NodeID) {
        guard let record, phase == .running, other.start != start else { return }
        if other.beats(record.version, start) {
            noticeOtherStart(other.version, at: other.address)
        } else {
            tellOwnRecord(to: sender)
        }
    }

    mutating func noticeOtherStart(_ version: Version?, at address: Address?) {
        run(otherStart.seen(version, at: address, nonce: generator.next(), now: now))
    }

    mutating func run(_ actions: [OtherStart.Action]) {
        for action in actions {
            switch action {
            case .echo(let address, let nonce):
                outbox.append(.sendDatagram(datagram(.echo(nonce), to: me), to: address))
            case .adopt(let epoch):
                if epoch >= version.epoch, epoch < Version.highest { raiseEpoch(to: epoch + 1) }
            case .giveWay:
                end(.anotherMachineHasOurKey)
            }
        }
    }

    /// A peer that believes something older of us is told at once, but no more often than gossip goes: two
    /// nodes that refuse each other's records would answer each other's answers without end.
    mutating func tellOwnRecord(to sender: NodeID) {
        guard let record, let slot = table.slot(of: sender) else { return }
        let now = now
        guard now - table.rows[slot].answeredAt >= configuration.gossipInterval else { return }
        table.note(slot) { $0.answeredAt = now }
        send(.gossip, [.alive(record)], to: slot)
    }

    /// An unset address becomes the one that a peer observed.
    mutating func adoptAddress(_ seen: Address?) {
        guard let seen, address.text.isEmpty, !seen.text.isEmpty, seen.text.utf8.count <= 255 else { return }
        address = seen
        raiseIncarnation(above: version.incarnation)
    }
}
