// The table of members. Rows keep their slot for life, a ring orders the slots by NodeID, a hash index finds
// them, and digests of what is present are kept up to date as rows change, so that two tables are compared in
// 16 bytes.

/// All members but ourselves, with the ring, the index and the digests over them.
public struct MemberTable: Sendable {
    /// Digests over one table: a root, and 256 buckets by the first byte of the NodeID (PROTOCOL section 2).
    public struct Root: Hashable, Sendable {
        public let high: UInt64
        public let low: UInt64

        public init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }
    }

    public let me: NodeID
    /// One row a member, at its slot.
    public private(set) var rows: [Member] = []
    /// Slots by ascending NodeID.
    private(set) var ring: [Int32] = []
    /// Open addressing with linear probing; slot + 1, zero is empty; a power of two at least twice the rows.
    private var index: [Int32] = Array(repeating: 0, count: 16)
    private var counts = [0, 0, 0, 0]
    private(set) var buckets = [UInt64](repeating: 0, count: 256)
    private var rootHigh: UInt64 = 0
    private var rootLow: UInt64 = 0
    /// Counts changes of who is present; the ring successor is cached under it.
    private(set) var presenceChanges = 0

    init(me: NodeID) { self.me = me }

    /// Rows, whatever their standing.
    public var count: Int { rows.count }
    /// How many members stand so.
    public func count(_ standing: Standing) -> Int { counts[Int(standing.rawValue)] }
    /// Members alive or suspect, ourselves not counted.
    var present: Int { counts[0] + counts[1] }
    var root: Root { Root(high: rootHigh, low: rootLow) }

    func slot(of id: NodeID) -> Int? {
        let mask = index.count - 1
        var at = MemberTable.home(id, mask)
        while true {
            let entry = index[at]
            if entry == 0 { return nil }
            if rows[Int(entry) - 1].id == id { return Int(entry) - 1 }
            at = (at + 1) & mask
        }
    }

    /// The row of a member.
    public subscript(id: NodeID) -> Member? { slot(of: id).map { rows[$0] } }

    /// Adds a row for a member that the table does not hold, and returns its slot.
    mutating func insert(_ member: Member) -> Int {
        precondition(slot(of: member.id) == nil, "member \(member.id) is inserted twice")
        let slot = rows.count
        rows.append(member)
        ring.insert(Int32(slot), at: position(of: member.id))
        if rows.count * 2 > index.count { rebuildIndex() } else { enter(slot) }
        counts[Int(member.standing.rawValue)] += 1
        toggle(slot)
        presenceChanges += 1
        return slot
    }

    /// Changes one row; counts and digests follow.
    mutating func update(_ slot: Int, _ change: (inout Member) -> Void) {
        let old = (rows[slot].standing, rows[slot].version)
        toggle(slot)
        change(&rows[slot])
        toggle(slot)
        if old.0 != rows[slot].standing {
            counts[Int(old.0.rawValue)] -= 1
            counts[Int(rows[slot].standing.rawValue)] += 1
            presenceChanges += 1
        }
    }

    /// Changes what neither counts nor digests depend on.
    mutating func note(_ slot: Int, _ change: (inout Member) -> Void) { change(&rows[slot]) }

    /// Removes rows; the slots of the others move, so nobody may hold one across this call.
    mutating func removeAll(where gone: (Member) -> Bool) {
        let kept = rows.filter { !gone($0) }
        guard kept.count < rows.count else { return }
        var fresh = MemberTable(me: me)
        for member in kept { _ = fresh.insert(member) }
        fresh.presenceChanges = presenceChanges + 1
        self = fresh
    }

    /// The next present member after ourselves on the ring of NodeIDs; nil when alone.
    func successor() -> Int? {
        let start = position(of: me)
        for step in 0..<ring.count {
            let slot = Int(ring[(start + step) % ring.count])
            if rows[slot].standing.isPresent { return slot }
        }
        return nil
    }

    /// Up to `count` different members alive or suspect, none of them `excluded`, chosen evenly.
    func choose(_ count: Int, excluding excluded: NodeID?, _ generator: inout SeededGenerator) -> [Int] {
        var chosen: [Int] = []
        guard present > 0, count > 0 else { return chosen }
        let candidates = present
        if candidates <= count * 4 || candidates * 4 < rows.count {
            var all = ring.map(Int.init).filter { rows[$0].standing.isPresent && rows[$0].id != excluded }
            for i in 0..<min(count, all.count) {
                all.swapAt(i, i + generator.below(all.count - i))
                chosen.append(all[i])
            }
            return chosen
        }
        while chosen.count < count {
            let slot = generator.below(rows.count)
            guard rows[slot].standing.isPresent, rows[slot].id != excluded, !chosen.contains(slot) else {
                continue
            }
            chosen.append(slot)
        }
        return chosen
    }

    /// One member's share in the digests: members that are not present have none, so that forgetting one does
    /// not make two tables differ.
    static func digest(of member: Member) -> UInt64 {
        guard member.standing.isPresent else { return 0 }
        let name = SeededGenerator.scramble(member.id.short &+ 0x51_7C_C1_B7_27_22_0A_95)
        let life = SeededGenerator.scramble(
            member.record.version.bits &+ SeededGenerator.scramble(member.start.bits))
        return SeededGenerator.scramble(name ^ life &+ name)
    }

    /// Adds or takes away (the operation is its own inverse) a row's share.
    private mutating func toggle(_ slot: Int) {
        let share = MemberTable.digest(of: rows[slot])
        buckets[MemberTable.bucket(rows[slot].id)] ^= share
        rootHigh ^= share
        rootLow ^= share == 0 ? 0 : SeededGenerator.scramble(share ^ 0xA5A5_A5A5_A5A5_A5A5)
    }

    static func bucket(_ id: NodeID) -> Int { Int(id.short >> 56) }

    @inline(__always)
    private static func home(_ id: NodeID, _ mask: Int) -> Int {
        Int(truncatingIfNeeded: (id.short &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }

    private mutating func enter(_ slot: Int) {
        let mask = index.count - 1
        var at = MemberTable.home(rows[slot].id, mask)
        while index[at] != 0 { at = (at + 1) & mask }
        index[at] = Int32(slot + 1)
    }

    private mutating func rebuildIndex() {
        index = Array(repeating: 0, count: index.count * 2)
        for slot in rows.indices { enter(slot) }
    }

    /// Where `id` stands, or would stand, on the ring.
    private func position(of id: NodeID) -> Int {
        var (low, high) = (0, ring.count)
        while low < high {
            let middle = (low + high) / 2
            if rows[Int(ring[middle])].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
