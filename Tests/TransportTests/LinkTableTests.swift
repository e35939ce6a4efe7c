import Cluster
import Testing

@testable import Transport

@Suite struct LinkTableTests {
    private let low: NodeIdentity
    private let high: NodeIdentity

    init() {
        let sorted = [Fixture.identity(1), Fixture.identity(2)].sorted { $0.id < $1.id }
        (low, high) = (sorted[0], sorted[1])
    }

    private func peer(_ identity: NodeIdentity, start: UInt64 = 1) -> LinkPeer {
        LinkPeer(id: identity.id, publicKey: identity.publicKey, start: StartID(bits: start))
    }

    private func entry(_ number: UInt64, _ peer: LinkPeer, isCaller: Bool, at since: Double)
        -> LinkTable.Entry
    {
        LinkTable.Entry(connection: number, peer: peer, isCaller: isCaller, since: since)
    }

    @Test func theFirstConnectionIsTheLinkUntilItEnds() {
        var table = LinkTable(me: low.id, simultaneous: 5)
        #expect(table.established(entry(1, peer(high), isCaller: true, at: 0)) == [.up(1)])
        #expect(table.ended(2, of: high.id, .closedHere) == [])
        #expect(
            table.ended(1, of: high.id, .broken("reset")) == [.lost(peer(high), .broken("reset"))])
        #expect(table.ended(1, of: high.id, .broken("reset")) == [])
    }

    /// Both sides see both connections, in either order, and keep the one that the lower dialled.
    @Test func ofTwoSimultaneousDialsTheLowersSurvivesOnBothSides() {
        for lowersFirst in [true, false] {
            var atLow = LinkTable(me: low.id, simultaneous: 5)
            var atHigh = LinkTable(me: high.id, simultaneous: 5)
            // Connection 1 was dialled by the lower node, 2 by the higher.
            let seenByLow = [
                entry(1, peer(high), isCaller: true, at: 1), entry(2, peer(high), isCaller: false, at: 1.1),
            ]
            let seenByHigh = [
                entry(1, peer(low), isCaller: false, at: 1), entry(2, peer(low), isCaller: true, at: 1.1),
            ]
            for index in lowersFirst ? [0, 1] : [1, 0] {
                _ = atLow.established(seenByLow[index])
                _ = atHigh.established(seenByHigh[1 - index])
            }
            #expect(atLow.entries[high.id]?.connection == 1)
            #expect(atHigh.entries[low.id]?.connection == 1)
        }
        var table = LinkTable(me: low.id, simultaneous: 5)
        _ = table.established(entry(1, peer(high), isCaller: true, at: 0))
        let second = table.established(entry(2, peer(high), isCaller: false, at: 1))
        #expect(second == [.merged(2, into: 1), .retire(2)])
        #expect(table.ended(2, of: high.id, .replaced) == [])
        var other = LinkTable(me: high.id, simultaneous: 5)
        _ = other.established(entry(2, peer(low), isCaller: true, at: 0))
        #expect(other.established(entry(1, peer(low), isCaller: false, at: 1)) == [.retire(2), .up(1)])
    }

    /// Long after the first link stood, a new call means that the caller lost it.
    @Test func laterTheNewerConnectionStays() {
        var table = LinkTable(me: low.id, simultaneous: 5)
        _ = table.established(entry(1, peer(high), isCaller: true, at: 0))
        #expect(table.established(entry(2, peer(high), isCaller: false, at: 6)) == [.retire(1), .up(2)])
        #expect(table.established(entry(3, peer(high), isCaller: false, at: 6)) == [.retire(2), .up(3)])
    }

    @Test func anotherStartOfAPeerReplacesTheLink() {
        var table = LinkTable(me: low.id, simultaneous: 5)
        _ = table.established(entry(1, peer(high), isCaller: true, at: 0))
        let actions = table.established(entry(2, peer(high, start: 2), isCaller: false, at: 0.1))
        #expect(actions == [.lost(peer(high), .replaced), .retire(1), .up(2)])
        #expect(table.close(high.id) == 2)
        #expect(table.close(high.id) == nil)
    }
}
