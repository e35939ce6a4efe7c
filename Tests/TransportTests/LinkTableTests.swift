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

    private func entry(_ number: UInt64, _ peer: LinkPeer, at now: Double = 0) -> LinkTable.Entry {
        LinkTable.Entry(connection: number, peer: peer, at: now)
    }

    @Test func aCallIsProvedConfirmedAndUpUntilItEnds() {
        var table = LinkTable(me: low.id, crossing: 5)
        #expect(table.met(entry(1, peer(high))) == [.prove(1)])
        #expect(table.confirmed(1, by: high.id, at: 0) == [.up(1)])
        #expect(table.confirmed(1, by: high.id, at: 0) == [])
        #expect(table.ended(2, of: high.id, .closedHere) == [])
        #expect(table.ended(1, of: high.id, .broken("reset")) == [.lost(peer(high), .broken("reset"))])
        #expect(table.ended(1, of: high.id, .broken("reset")) == [])
    }

    /// Connection 1 is the lower node's call, 2 the higher's; both are proved before either is confirmed.
    @Test func whenCallsCrossTheLowersSurvives() {
        var (atLow, atHigh) = (LinkTable(me: low.id, crossing: 5), LinkTable(me: high.id, crossing: 5))
        #expect(atLow.met(entry(1, peer(high))) == [.prove(1)])
        #expect(atHigh.met(entry(2, peer(low))) == [.prove(2)])
        #expect(atLow.called(entry(2, peer(high))) == [], "the higher's call waits")
        #expect(atHigh.called(entry(1, peer(low))) == [.up(1), .confirm(1)])
        #expect(atLow.confirmed(1, by: high.id, at: 0) == [.up(1), .reject(2)])
        #expect(atHigh.ended(2, of: low.id, .closedHere) == [])
        #expect(atHigh.entries[low.id]?.connection == 1)
        #expect(atLow.entries[high.id]?.connection == 1)
    }

    @Test func aCallThatWasAnsweredFirstSurvivesWhoeverMadeIt() {
        var atLow = LinkTable(me: low.id, crossing: 5)
        #expect(atLow.called(entry(2, peer(high))) == [.up(2), .confirm(2)])
        #expect(
            atLow.met(entry(1, peer(high))) == [.merge(1, into: 2)],
            "before our proof: the peer sees a hang-up")
    }

    @Test func aHeldCallIsTakenWhenOurOwnFails() {
        var table = LinkTable(me: low.id, crossing: 5)
        _ = table.met(entry(1, peer(high)))
        #expect(table.called(entry(2, peer(high))) == [])
        #expect(table.called(entry(3, peer(high))) == [.reject(2)])
        #expect(table.ended(1, of: high.id, .closedHere) == [.up(3), .confirm(3)])
        #expect(table.met(entry(4, peer(high))) == [.merge(4, into: 3)])
    }

    @Test func twoCallsOfOursToOnePeerAreOne() {
        var table = LinkTable(me: high.id, crossing: 5)
        #expect(table.met(entry(1, peer(low))) == [.prove(1)])
        #expect(table.met(entry(2, peer(low))) == [.crossed(2)])
    }

    /// A linked peer calls: it lost the link.
    @Test func laterTheNewerConnectionTakesThePlace() {
        var table = LinkTable(me: low.id, crossing: 5)
        _ = table.met(entry(1, peer(high)))
        _ = table.confirmed(1, by: high.id, at: 0)
        #expect(table.called(entry(2, peer(high), at: 5)) == [.retire(1), .up(2), .confirm(2)])
        #expect(table.ended(1, of: high.id, .replaced) == [])
        #expect(table.called(entry(3, peer(high), at: 5)) == [.retire(2), .up(3), .confirm(3)])
    }

    /// The higher proved its call before it confirmed ours; the proof comes after the confirmation.
    @Test func aCallThatSetOutBeforeOursWasConfirmedIsSentBack() {
        var table = LinkTable(me: low.id, crossing: 5)
        _ = table.met(entry(1, peer(high)))
        _ = table.confirmed(1, by: high.id, at: 3)
        #expect(table.called(entry(2, peer(high), at: 7.9)) == [.reject(2)])
        #expect(table.entries[high.id]?.connection == 1)
        var other = LinkTable(me: high.id, crossing: 5)
        _ = other.met(entry(1, peer(low)))
        _ = other.confirmed(1, by: low.id, at: 3)
        #expect(other.called(entry(2, peer(low), at: 4)) == [.retire(1), .up(2), .confirm(2)])
    }

    @Test func anotherStartOfAPeerReplacesTheLink() {
        var table = LinkTable(me: low.id, crossing: 5)
        _ = table.called(entry(1, peer(high)))
        let actions = table.called(entry(2, peer(high, start: 2)))
        #expect(actions == [.lost(peer(high), .replaced), .retire(1), .up(2), .confirm(2)])
        #expect(table.met(entry(3, peer(high, start: 3))) == [.prove(3)])
        #expect(table.close(high.id)?.connection == 2)
        #expect(table.close(high.id) == nil)
    }
}
