// Gossip reaches nearly everybody; anti-entropy reaches the rest. Two nodes compare sixteen bytes, and only
// when those differ the 256 bucket digests, and only in the buckets that differ the rows (Demers et al., PODC
// 1987, section 1.3).

extension Membership {
    /// The digest over the table and ourselves.
    var root: MemberTable.Root {
        let share = ownShare
        let low = share == 0 ? 0 : SeededGenerator.scramble(share ^ 0xA5A5_A5A5_A5A5_A5A5)
        return MemberTable.Root(high: table.root.high ^ share, low: table.root.low ^ low)
    }

    private var ownShare: UInt64 {
        guard let record, phase == .running else { return 0 }
        return MemberTable.digest(
            of: Member(record: record, standing: .alive, version: record.version, now: now))
    }

    private var digests: [UInt64] {
        var all = table.buckets
        all[MemberTable.bucket(me)] ^= ownShare
        return all
    }

    /// Sends our digests to one member, and closes links that nobody uses.
    mutating func compareTables() {
        nextComparison =
            now
            + generator.span(
                from: configuration.antiEntropyInterval * 0.75, to: configuration.antiEntropyInterval * 1.25)
        closeIdleLinks()
        guard configuration.fault != .noAntiEntropy else { return }
        for slot in table.choose(1, excluding: nil, &generator) {
            send(.digest(root, keys: keys.table.digest), [], to: slot)
        }
    }

    private mutating func closeIdleLinks() {
        let keep = ringSuccessor()
        for slot in 0..<table.count where table.rows[slot].link == .dialled && slot != keep {
            let row = table.rows[slot]
            if !row.prefersLink, now - row.linkUsed >= configuration.idleLink { close(slot) }
        }
    }

    /// A member's digests. A difference is settled over a link.
    mutating func compared(_ theirs: MemberTable.Root, _ keyDigest: UInt64, by peer: NodeID) {
        guard let slot = table.slot(of: peer), configuration.fault != .noAntiEntropy else { return }
        let tablesDiffer = theirs != root
        let keysDiffer = keyDigest != keys.table.digest
        guard tablesDiffer || keysDiffer else { return }
        guard table.rows[slot].link.isUp else { return dial(slot) }
        if tablesDiffer { sendBuckets(slot) }
        if keysDiffer { sendKeys(slot) }
    }

    mutating func sendBuckets(_ slot: Int) {
        guard configuration.fault != .noAntiEntropy || table.present < 2 else { return }
        outbox.append(.sendFrame(.buckets(digests), to: table.rows[slot].id))
    }

    /// Answers another table's bucket digests with our rows in the buckets that differ.
    mutating func answer(_ theirs: [UInt64], _ slot: Int) {
        let peer = table.rows[slot].id
        guard theirs.count == 256 else { return outbox.append(.dropped(peer, .implausible)) }
        let ours = digests
        let differing = (0..<256).filter { ours[$0] != theirs[$0] }.map(UInt8.init)
        guard !differing.isEmpty else { return }
        // A newcomer differs nearly everywhere; it also needs the dead, of which no digest speaks.
        let isNewcomer = differing.count * 2 > ours.count { $0 != 0 }
        let wanted = isNewcomer ? (0...255).map(UInt8.init) : differing
        sendEntries(of: wanted, to: peer, asking: true) { _ in true }
    }

    /// No digest speaks of the dead, and whoever just started knows none: it would retire a key that one of
    /// them still needs. In a large table a newcomer differs nearly everywhere and gets them with the rest.
    mutating func sendDead(to peer: NodeID) {
        guard table.count <= 64, configuration.fault != .noAntiEntropy else { return }
        sendEntries(of: (0...255).map(UInt8.init), to: peer, asking: false) { !$0.standing.isPresent }
    }

    /// Takes over another table's rows, and answers with ours where they say more.
    mutating func merge(_ entries: [TableEntry], _ wanted: [UInt8], _ slot: Int) {
        let peer = table.rows[slot].id
        var doubts = configuration.doubtsPerMerge
        var theirs: [NodeID: TableEntry] = [:]
        isTakingOver = entries.count > configuration.gossipedMerge
        defer { isTakingOver = false }
        let offset = entries.isEmpty ? 0 : generator.below(entries.count)
        for position in entries.indices {
            let entry = entries[(position + offset) % entries.count]
            theirs[entry.record.id] = entry
            if merge(entry, from: peer, mayDoubt: doubts > 0) { doubts -= 1 }
        }
        guard !wanted.isEmpty else { return }
        sendEntries(of: wanted, to: peer, asking: false) { row in
            guard let same = theirs[row.id] else { return true }
            return (row.version, row.standing, row.start) > (same.version, same.standing, same.record.start)
        }
    }

    /// Sends rows in frames of whole buckets, each at most the chunk limit plus one bucket.
    private mutating func sendEntries(
        of wanted: [UInt8], to peer: NodeID, asking: Bool, where isNews: (Member) -> Bool
    ) {
        var asked = [Bool](repeating: false, count: 256)
        for bucket in wanted { asked[Int(bucket)] = true }
        var (rows, buckets, size) = ([TableEntry](), [UInt8](), 0)
        var current = -1
        for slot in rowsWithOurs() {
            let bucket = MemberTable.bucket(slot.id)
            guard asked[bucket], slot.id != peer || !slot.standing.isPresent else { continue }
            if bucket != current, size > configuration.chunkLimit {
                outbox.append(.sendFrame(.entries(rows, wanted: []), to: peer))
                (rows, size) = ([], 0)
            }
            current = bucket
            if isNews(slot) {
                rows.append(TableEntry(record: slot.record, version: slot.version, standing: slot.standing))
                size += rows[rows.count - 1].encodedSize
            }
        }
        buckets = asking ? wanted : []
        if asking || !rows.isEmpty { outbox.append(.sendFrame(.entries(rows, wanted: buckets), to: peer)) }
    }

    /// All rows in the order of their ids, ours among them.
    private func rowsWithOurs() -> [Member] {
        var rows = table.ring.map { table.rows[Int($0)] }
        guard let record, phase == .running else { return rows }
        let own = Member(record: record, standing: .alive, version: record.version, now: now)
        rows.insert(own, at: rows.firstIndex { $0.id > me } ?? rows.count)
        return rows
    }
}
