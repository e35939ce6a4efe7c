import Testing

@testable import Cluster

/// Node 1's view of nodes 1 to `count`.
func view(_ count: Int, dead: [UInt64] = [], noRoom: [UInt64] = [], me: UInt64 = 1) -> PeerView {
    PeerView(
        me: node(me),
        peers: (1...UInt64(count)).map {
            Peer(
                id: node($0), start: 1, standing: dead.contains($0) ? .dead : .alive, fingerprint: engine,
                slots: 1,
                hasRoom: !noRoom.contains($0))
        })
}

extension Keepers {
    /// A candidate confirms the first record.
    mutating func confirmed(_ peer: NodeID, _ view: PeerView, now: Instant) -> [Action] {
        confirmed(by: peer, isNewest: true, plan: nil, done: nil, view, needing: nil, now: now)
    }
}

@Suite struct KeepersTests {
    let five = view(5)
    /// The candidates in their rendezvous order.
    var order: [NodeID] { five.ranked(for: job(1)).map(\.id) }

    @Test func theFirstTwoCandidatesThatConfirmKeepTheRecord() {
        var keepers = Keepers(job: job(1), now: at(0))
        #expect(keepers.storedHere(five, needing: nil, now: at(0)) == [.ask(order[0]), .ask(order[1])])
        #expect(keepers.nextDeadline == at(0.5))
        #expect(
            keepers.confirmed(order[1], five, now: at(0.1)) == [
                .changed([order[1]]), .acknowledged(copies: 2),
            ])
        #expect(keepers.confirmed(order[1], five, now: at(0.1)) == [])
        #expect(
            keepers.confirmed(order[0], five, now: at(0.2))
                == [.changed([order[1], order[0]]), .acknowledged(copies: 3)])
    }

    @Test func theNextCandidateIsAskedAfterHalfASecond() {
        var keepers = Keepers(job: job(1), now: at(0))
        _ = keepers.storedHere(five, needing: nil, now: at(0))
        #expect(keepers.advance(five, needing: nil, now: at(0.4)) == [])
        #expect(keepers.advance(five, needing: nil, now: at(0.5)) == [.ask(order[2]), .ask(order[3])])
        // One late, one doubled confirmation: two keepers, no third.
        _ = keepers.confirmed(order[0], five, now: at(0.6))
        _ = keepers.confirmed(order[2], five, now: at(0.7))
        #expect(keepers.confirmed(order[1], five, now: at(0.8)) == [])
        #expect(keepers.ids == [order[0], order[2]])
    }

    @Test func aloneTheJobIsOnOneDiskAndGoesToTheFirstPeer() {
        var keepers = Keepers(job: job(1), now: at(0))
        #expect(keepers.storedHere(view(1), needing: nil, now: at(0)) == [.acknowledged(copies: 1)])
        #expect(keepers.advance(view(2), needing: nil, now: at(60)) == [.ask(node(2))])
        #expect(
            keepers.confirmed(node(2), view(2), now: at(61)) == [
                .changed([node(2)]), .acknowledged(copies: 2),
            ])
    }

    @Test func aSilentKeeperIsReplacedByTheNextThatConfirms() {
        var keepers = Keepers(job: job(1), now: at(0))
        _ = keepers.storedHere(five, needing: nil, now: at(0))
        _ = keepers.confirmed(order[0], five, now: at(0.1))
        _ = keepers.confirmed(order[1], five, now: at(0.1))
        _ = keepers.confirmed(order[1], five, now: at(2.9))
        #expect(keepers.nextDeadline == at(3.1))
        #expect(keepers.advance(five, needing: nil, now: at(3.1)) == [.ask(order[2])])
        #expect(keepers.ids == [order[0], order[1]])
        #expect(keepers.confirmed(order[2], five, now: at(3.2)) == [.changed([order[2], order[1]])])
    }

    @Test func ourOwnStallIsNobodysSilence() {
        var keepers = Keepers(job: job(1), now: at(0))
        _ = keepers.storedHere(five, needing: nil, now: at(0))
        _ = keepers.confirmed(order[0], five, now: at(0.1))
        _ = keepers.confirmed(order[1], five, now: at(0.1))
        keepers.stalled(.seconds(5))
        #expect(keepers.advance(five, needing: nil, now: at(5.2)) == [])
    }

    @Test func aRefusalAndALackOfRoomMoveOn() {
        var keepers = Keepers(job: job(1), now: at(0))
        let crowded = view(5, noRoom: [order[0].short])
        #expect(keepers.storedHere(crowded, needing: nil, now: at(0)) == [.ask(order[1]), .ask(order[2])])
        #expect(keepers.refused(by: order[1], crowded, needing: nil, now: at(0.1)) == [.ask(order[3])])
        #expect(keepers.storedHere(crowded, needing: digest(1), now: at(0.2)) == [.acknowledged(copies: 1)])
    }
}

@Suite struct TakeOverTests {
    let term = Term(counter: 1, node: node(3), start: 1)

    func header(keepers: [NodeID] = [node(1), node(2)]) -> JobHeader {
        var reign = Reign(term: term)
        reign.keepers = keepers
        return JobHeader(
            id: job(1), title: "", request: digest(1), reign: reign,
            state: RunState(run: .first, manifest: .running, author: term))
    }

    @Test func theFirstKeeperProbesForAThirdOfASecondAndTakesOver() {
        var watch = TakeOver(term: term, now: at(0))
        let three = view(3)
        #expect(watch.nextDeadline(isKeeper: true) == at(3))
        #expect(watch.advance(header(), three, now: at(2.9)) == [])
        #expect(
            watch.advance(header(), three, now: at(3)) == [
                .probe(through: node(3)), .probe(through: node(2)),
            ])
        #expect(watch.nextDeadline(isKeeper: true) == at(3.3))
        #expect(watch.advance(header(), three, now: at(3.3)) == [.takeOver])
    }

    @Test func theSecondKeeperWaitsItsRank() {
        var watch = TakeOver(term: term, now: at(0))
        let keepers = [node(2), node(1)]
        #expect(watch.advance(header(keepers: keepers), view(3), now: at(3)) == [])
        #expect(watch.nextDeadline(isKeeper: true) == at(3.3))
        #expect(watch.advance(header(keepers: keepers), view(3), now: at(3.3)).count == 2)
    }

    @Test func anAnswerVetoes() {
        var watch = TakeOver(term: term, now: at(0))
        _ = watch.advance(header(), view(3), now: at(3))
        watch.heard(term, now: at(3.1))
        #expect(watch.advance(header(), view(3), now: at(3.3)) == [])
        #expect(watch.nextDeadline(isKeeper: true) == at(6.1))
        // A veto for a lower term says nothing.
        _ = watch.advance(header(), view(3), now: at(6.1))
        watch.heard(Term(counter: 0, node: node(3), start: 1), now: at(6.2))
        #expect(watch.advance(header(), view(3), now: at(6.4)) == [.takeOver])
    }

    @Test func twoNodesDecideAlone() {
        var watch = TakeOver(term: Term(counter: 1, node: node(2), start: 1), now: at(0))
        var reign = Reign(term: Term(counter: 1, node: node(2), start: 1))
        reign.keepers = [node(1)]
        let header = JobHeader(
            id: job(1), title: "", request: digest(1), reign: reign,
            state: RunState(run: .first, manifest: .running, author: reign.term))
        #expect(watch.advance(header, view(2), now: at(3)) == [.probe(through: node(2))])
        #expect(watch.advance(header, view(2), now: at(3.3)) == [.takeOver])
    }

    @Test func aRefusedRedialNeedsNoSilence() {
        var watch = TakeOver(term: term, now: at(0))
        #expect(watch.linkRefused(header(), view(3), now: at(0.5)).count == 2)
        #expect(watch.advance(header(), view(3), now: at(0.8)) == [.takeOver])
    }

    @Test func othersActOnlyWhenCoordinatorAndKeepersAreDead() {
        let me = view(6, dead: [3, 1], me: 4)
        var watch = TakeOver(term: term, now: at(0))
        #expect(watch.advance(header(), me, now: at(60)) == [])
        #expect(watch.nextDeadline(isKeeper: false) == nil)
        let all = view(6, dead: [3, 1, 2], me: 4)
        let rank = all.rank(for: job(1))
        let actions = watch.advance(header(), all, now: at(61))
        #expect(actions == (rank == 0 ? [.takeOver] : []))
        if rank > 0 { #expect(watch.nextDeadline(isKeeper: false) == at(61 + 0.3 * Double(rank))) }
        #expect(rank == 0 || watch.advance(header(), all, now: at(62)) == [.takeOver])
    }

    @Test func ourOwnStallIsNotTheCoordinatorsSilence() {
        var watch = TakeOver(term: term, now: at(0))
        watch.stalled(.seconds(10))
        #expect(watch.advance(header(), view(3), now: at(12.9)) == [])
        #expect(watch.advance(header(), view(3), now: at(13)).count == 2)
    }
}
