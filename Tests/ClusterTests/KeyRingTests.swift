import Testing

@testable import Cluster

@Suite struct KeyRingTests {
    let a = NodeID(short: 1), b = NodeID(short: 2), c = NodeID(short: 3)
    let old = KeyID(bits: 1), new = KeyID(bits: 2)

    private func holder(_ id: NodeID, _ standing: Standing, _ keys: [KeyID]) -> KeyRing.Holder {
        KeyRing.Holder(id: id, standing: standing, keys: keys)
    }

    @Test func aKeyIsUsedOnceEveryLiveNodeHoldsIt() throws {
        var ring = KeyRing(me: a, table: KeyTable(first: old, secret: [1]))
        #expect(throws: KeyRefusal.unknown(new)) { try ring.decide(.use(new), members: []) }
        try ring.decide(.install(new, secret: [2]), members: [])
        #expect(throws: KeyRefusal.notHeldBy(new, [b])) {
            try ring.decide(.use(new), members: [holder(b, .suspect, [old]), holder(c, .dead, [old])])
        }
        try ring.decide(.use(new), members: [holder(b, .alive, [old, new]), holder(c, .dead, [old])])
        #expect(ring.table.use.key == new)
    }

    @Test func aKeyIsNotRetiredWhileAMemberLacksItsSuccessor() throws {
        var ring = KeyRing(me: a, table: KeyTable(first: old, secret: [1]))
        #expect(throws: KeyRefusal.inUse(old)) { try ring.decide(.retire(old, forced: true), members: []) }
        try ring.decide(.install(new, secret: [2]), members: [])
        try ring.decide(.use(new), members: [])
        let members = [holder(b, .dead, [old]), holder(c, .left, [old])]
        #expect(throws: KeyRefusal.notHeldBy(new, [b])) {
            try ring.decide(.retire(old, forced: false), members: members)
        }
        try ring.decide(.retire(old, forced: true), members: members)
        #expect(ring.table.held == [new])
        #expect(throws: KeyRefusal.alreadyRetired(old)) {
            try ring.decide(.install(old, secret: [1]), members: [])
        }
    }

    @Test func denyingNarrowsTheOldKeyAndUsesTheNew() throws {
        var ring = KeyRing(me: a, table: KeyTable(first: old, secret: [1]))
        try ring.decide(.deny(b, newKey: new, secret: [2]), members: [holder(b, .alive, [old])])
        #expect(ring.table.isDenied(b))
        #expect(ring.table.use.key == new)
        #expect(ring.table[old]?.stage == .narrowed)
        #expect(throws: KeyRefusal.ourselves) {
            try ring.decide(.deny(a, newKey: new, secret: [2]), members: [])
        }
    }

    /// Who is denied knows the old key, and no datagram is opened with it.
    @Test func aNarrowedKeyIsNotUsedAgain() throws {
        var ring = KeyRing(me: a, table: KeyTable(first: old, secret: [1]))
        try ring.decide(.deny(c, newKey: new, secret: [2]), members: [])
        #expect(throws: KeyRefusal.narrowed(old)) {
            try ring.decide(.use(old), members: [holder(b, .alive, [old, new])])
        }
        #expect(throws: KeyRefusal.known(new)) {
            try ring.decide(.deny(b, newKey: new, secret: [2]), members: [])
        }
        try ring.decide(.deny(c, newKey: new, secret: [2]), members: [])
        #expect(ring.table.keyInUse == new)
    }

    /// Each half of a partition decides for itself; the key that both sides use afterwards opens something.
    @Test(arguments: [true, false]) func aKeyThatIsUsedHereAndShutThereGivesWay(isDenial: Bool) throws {
        let third = KeyID(bits: 3)
        var (here, there) = (
            KeyRing(me: a, table: KeyTable(first: old, secret: [1])),
            KeyRing(me: b, table: KeyTable(first: old, secret: [1]))
        )
        for key in isDenial ? [new] : [new, third] {
            try here.decide(.install(key, secret: [UInt8(key.bits)]), members: [])
            try there.decide(.install(key, secret: [UInt8(key.bits)]), members: [])
        }
        for _ in 0..<4 { try here.decide(.use(new), members: []) }
        if isDenial {
            try there.decide(.deny(c, newKey: third, secret: [3]), members: [])
        } else {
            try there.decide(.retire(new, forced: true), members: [])
        }
        let theirs = there.table
        _ = there.unite(here.table)
        _ = here.unite(theirs)
        #expect(here.table == there.table)
        #expect(here.table.keyInUse == third)
        #expect(here.table[third]?.stage == .installed)
        let changed = here.unite(there.table)
        #expect(!changed)
    }

    /// What is decided last holds, in whatever order three nodes hear of each other.
    @Test func aRetiredKeyInUseOverturnsNoLaterDecision() throws {
        let keys = (1...3).map { KeyID(bits: $0) }
        func table(_ used: Int, round: UInt32, by author: NodeID, retired: Int? = nil) throws -> KeyTable {
            let all = keys.enumerated().map { index, key in
                ClusterKey(id: key, secret: [1], stage: index == retired ? .retired : .installed)
            }
            let use = KeyTable.Use(key: keys[used], round: round, author: author)
            return try #require(KeyTable(keys: all, use: use, denied: []))
        }
        let tables = [
            try table(1, round: 5, by: c), try table(0, round: 1, by: b, retired: 1),
            try table(0, round: 6, by: a),
        ]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            var united = tables[order[0]]
            for next in order.dropFirst() { _ = united.unite(tables[next]) }
            #expect(united.keyInUse == keys[0])
        }
    }

    @Test func tablesUniteInAnyOrderToTheSame() throws {
        var left = KeyRing(me: a, table: KeyTable(first: old, secret: [1]))
        var right = KeyRing(me: b, table: KeyTable(first: old, secret: [1]))
        try left.decide(.install(new, secret: [2]), members: [])
        try left.decide(.use(new), members: [])
        try left.decide(.retire(old, forced: true), members: [])
        try right.decide(.deny(c, newKey: KeyID(bits: 3), secret: [3]), members: [])
        let (one, two) = (left.table, right.table)
        #expect(left.unite(two) == true)
        #expect(right.unite(one) == true)
        #expect(left.table == right.table)
        #expect(left.table.digest == right.table.digest)
        #expect(left.table.held == [new, KeyID(bits: 3)])
        let again = left.unite(two)
        #expect(!again)
    }
}
