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

    @Test func tablesUniteInAnyOrderToTheSame() throws {
        var left = KeyRing(me: a, table: KeyTable(first: old, secret: [1]))
        var right = KeyRing(me: b, table: KeyTable(first: old, secret: [1]))
        try left.decide(.install(new, secret: [2]), members: [])
        try left.decide(.use(new), members: [])
        try left.decide(.retire(old, forced: true), members: [])
        try right.decide(.install(KeyID(bits: 3), secret: [3]), members: [])
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
