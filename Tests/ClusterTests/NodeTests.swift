import Testing

@testable import Cluster

/// One node against a hand-fed world.
@Suite struct NodeTests {
    let me = NodeID(short: 1), b = NodeID(short: 2)
    let home = Address("b:1")
    let key = KeyID(bits: 1)

    private func at(_ milliseconds: Int) -> Instant { .zero + .milliseconds(milliseconds) }

    private func record(_ id: NodeID, _ epoch: UInt32, _ incarnation: UInt32, start: UInt64 = 5)
        -> AliveRecord
    {
        let version = Version(epoch: epoch, incarnation: incarnation)
        let claim = AliveClaim(
            id: id, start: StartID(bits: start), version: version, address: home, keys: [key])
        return AliveRecord(claim: claim, sealed: [])
    }

    private func gossip(_ rumours: [Rumour]) -> Input {
        let datagram = Datagram(
            sender: b, start: StartID(bits: 5), target: me, message: .gossip, rumours: rumours)
        return .datagram(datagram, from: home)
    }

    /// A node whose epoch is on disk and whose record is signed.
    private func running(epoch: UInt32 = 0, _ configuration: Configuration = Configuration()) -> Node {
        let persisted = Persisted(epoch: epoch, peers: [], keys: KeyTable(first: key, secret: [1]))
        let identity = Membership.Identity(id: me, start: StartID(bits: 9), address: Address("a:1"))
        var node = Node(
            identity, persisted: persisted, seeds: [], configuration: configuration,
            generator: SeededGenerator(seed: 1))
        #expect(node.step(.start, at: .zero) == [.persist(.epoch(epoch + 1), ticket: 1)])
        guard case .sign(let claim)? = node.step(.persisted(1), at: .zero).first else {
            Issue.record("the epoch on disk should lead to a signature")
            return node
        }
        #expect(claim.version == Version(epoch: epoch + 1, incarnation: 0))
        // Without seeds there is none to try: the node is ready at once.
        let effects = node.step(.signed(AliveRecord(claim: claim, sealed: [])), at: .zero)
        #expect(effects == [.ready])
        return node
    }

    /// Each answer to a node that believes something older of us could be answered again at once, if that
    /// node cannot take our record: once a gossip round is enough.
    @Test func anOldBeliefIsAnsweredOnceARound() {
        var node = running()
        _ = node.step(gossip([.alive(record(b, 1, 0))]), at: at(1))
        let old = Rumour.suspect(
            me, Version(epoch: 0, incarnation: 3), by: Suspecters(b), age: .zero, refused: false)
        func answers(_ effects: [Effect]) -> Int {
            effects.count {
                guard case .sendDatagram(let datagram, _) = $0, datagram.message == .gossip else {
                    return false
                }
                return datagram.rumours.contains { $0.subject == me && $0.standing == .alive }
            }
        }
        #expect(answers(node.step(gossip([old]), at: at(10))) == 1)
        #expect(answers(node.step(gossip([old]), at: at(12))) == 0)
        #expect(answers(node.step(gossip([old]), at: at(209))) == 0)
        #expect(answers(node.step(gossip([old]), at: at(210))) == 1)
    }

    @Test func nothingIsSaidBeforeTheEpochIsOnDisk() {
        let persisted = Persisted(epoch: 3, peers: [], keys: KeyTable(first: key, secret: [1]))
        let identity = Membership.Identity(id: me, start: StartID(bits: 9), address: Address("a:1"))
        var node = Node(identity, persisted: persisted, seeds: [home], generator: SeededGenerator(seed: 1))
        #expect(node.step(.start, at: .zero) == [.persist(.epoch(4), ticket: 1)])
        #expect(node.nextDeadline == nil)
        let ping = Datagram(sender: b, start: StartID(bits: 5), target: me, message: .ping(1))
        #expect(node.step(.datagram(ping, from: home), at: at(1)) == [])
        #expect(node.step(.persistFailed(1), at: at(2)) == [])
        #expect(node.step(.timer, at: at(1002)) == [.persist(.epoch(4), ticket: 2)])
    }

    @Test func aPingIsAnsweredWithItsRandom() {
        var node = running()
        let ping = Datagram(sender: b, start: StartID(bits: 5), target: me, message: .ping(77))
        let ack = Datagram(sender: me, start: StartID(bits: 9), target: b, message: .ack(77))
        #expect(node.step(.datagram(ping, from: home), at: at(1)) == [.sendDatagram(ack, to: home)])
    }

    /// What the shell closed at our word it tells, and that word may have met a newer link than we knew: then
    /// nothing is taken for standing, and a dial that is on its way goes on.
    @Test func aLinkThatWeClosedIsGoneAndTheNextDialIsNot() throws {
        var node = running()
        _ = node.step(gossip([.alive(record(b, 1, 0))]), at: at(1))
        func link() -> LinkState? { node.membership.table[b]?.link }
        let start = StartID(bits: 5)
        _ = node.step(.linkUp(b, start, seenAt: home, target: nil), at: at(10))
        #expect(link() == .accepted)
        _ = node.step(.linkLost(b, .closed), at: at(11))
        #expect(link() == LinkState.none)
        let isSent = node.membership.sendFrame(.buckets([]), to: b)
        #expect(!isSent)
        #expect(link() == .dialling)
        _ = node.step(.linkLost(b, .closed), at: at(12))
        #expect(link() == .dialling)
        _ = node.step(.linkUp(b, start, seenAt: home, target: .member(b, home)), at: at(13))
        #expect(link() == .dialled)
    }

    /// If UDP is blocked, probes go over TCP (PROTOCOL section 4), and gossip with them, until a datagram
    /// comes again.
    @Test func whoAnswersOnlyOverItsLinkIsSpokenToOverIt() throws {
        var node = running()
        let bStart = StartID(bits: 5)
        _ = node.step(gossip([.alive(record(b, 1, 0))]), at: at(1))
        _ = node.step(.linkUp(b, bStart, seenAt: home, target: nil), at: at(2))
        var asked: [UInt64] = []
        var overLink: [UInt64] = []
        for moment in stride(from: 50, through: 3_000, by: 50) {
            for effect in node.step(.timer, at: at(moment)) {
                if case .sendDatagram(let datagram, _) = effect, case .ping(let nonce) = datagram.message {
                    asked.append(nonce)
                }
                if case .sendFrame(.packet(.ping(let nonce), _), b) = effect { overLink.append(nonce) }
            }
            if overLink.isEmpty { continue }
            let answer = Frame.packet(.ack(overLink[0]), [])
            _ = node.step(.frame(answer, from: b, start: bStart), at: at(moment + 1))
            break
        }
        #expect(asked.contains(try #require(overLink.first)))
        #expect(node.membership.table[b]?.prefersLink == true)
        _ = node.step(gossip([]), at: at(3_500))
        #expect(node.membership.table[b]?.prefersLink == false)
    }

    /// The past of a node, or a copy of its machine, at the end of a link hears of the start that we know:
    /// where UDP is blocked nothing else tells it.
    @Test func anotherStartIsToldOverItsLink() {
        var node = running()
        let known = record(b, 2, 0)
        _ = node.step(gossip([.alive(known)]), at: at(1))
        let other = StartID(bits: 77)
        _ = node.step(.linkUp(b, other, seenAt: home, target: nil), at: at(10))
        func told(_ milliseconds: Int, by start: StartID) -> Int {
            let ping = Frame.packet(.ping(1), [])
            return node.step(.frame(ping, from: b, start: start), at: at(milliseconds)).count {
                $0 == .sendFrame(.packet(.gossip, [.alive(known)]), to: b)
            }
        }
        #expect(told(1000, by: other) == 1)
        #expect(told(1100, by: other) == 0, "once a gossip round")
        #expect(told(1200, by: other) == 1)
        #expect(told(1400, by: known.start) == 0)
    }

    /// Another node lives at the address that we have of `b`: its name is looked up anew, but a storm of such
    /// answers does not become a storm of lookups.
    @Test func notMeLeadsToALookup() {
        var node = running()
        _ = node.step(gossip([.alive(record(b, 1, 0))]), at: at(1))
        func told(_ wanted: NodeID, _ milliseconds: Int) -> [Effect] {
            let answer = Datagram(
                sender: NodeID(short: 3), start: StartID(bits: 6), target: me, message: .notMe(wanted))
            return node.step(.datagram(answer, from: home), at: at(milliseconds)).filter {
                if case .lookUp = $0 { true } else { false }
            }
        }
        #expect(told(b, 10) == [.lookUp(home)])
        #expect(told(b, 11) == [])
        #expect(told(NodeID(short: 4), 12) == [], "nobody knows node 4")
        #expect(told(b, 5009) == [])
        #expect(told(b, 5010) == [.lookUp(home)])
    }

    /// A ping for another node is answered with the id that was meant; such an answer never with another.
    @Test func aPingForAnotherNodeIsToldSo() {
        var node = running()
        let other = NodeID(short: 7)
        let ping = Datagram(sender: b, start: StartID(bits: 5), target: other, message: .ping(1))
        let answer = Datagram(sender: me, start: StartID(bits: 9), target: b, message: .notMe(other))
        #expect(
            node.step(.datagram(ping, from: home), at: at(1)) == [
                .dropped(b, .wrongTarget), .sendDatagram(answer, to: home),
            ])
        let again = Datagram(sender: b, start: StartID(bits: 5), target: other, message: .notMe(me))
        #expect(node.step(.datagram(again, from: home), at: at(2)) == [.dropped(b, .wrongTarget)])
    }

    @Test func theDeadComeBackOnlyByAHigherRecordOfTheirOwn() {
        var node = running()
        _ = node.step(gossip([.alive(record(b, 1, 0))]), at: at(1))
        _ = node.step(gossip([.dead(b, Version(epoch: 1, incarnation: 0))]), at: at(2))
        #expect(node.membership.table[b]?.standing == .dead)
        _ = node.step(gossip([.alive(record(b, 1, 0))]), at: at(3))
        #expect(node.membership.table[b]?.standing == .dead)
        _ = node.step(gossip([.alive(record(b, 1, 1))]), at: at(4))
        #expect(node.membership.table[b]?.standing == .alive)
    }

    /// Two nodes that were apart for days have forgotten each other, and each holds the other's tombstone:
    /// who is told of it rises, although it does not know who says so.
    @Test func whoWasForgottenRisesWhenAStrangerSaysSo() {
        var configuration = Configuration()
        configuration.forgetDead = .seconds(10)
        var node = running(epoch: 0, configuration)
        _ = node.step(gossip([.alive(record(b, 1, 0))]), at: at(1))
        _ = node.step(gossip([.dead(b, Version(epoch: 1, incarnation: 0))]), at: at(2))
        // Once a minute it is looked who was gone for so long.
        for moment in stride(from: 50, through: 61_000, by: 50) { _ = node.step(.timer, at: at(moment)) }
        #expect(node.membership.table[b] == nil)
        let start = StartID(bits: 5)
        _ = node.step(.linkUp(b, start, seenAt: home, target: nil), at: at(61_001))
        let hello = Frame.hello(
            record(b, 1, 0), MemberTable.Root(high: 0, low: 0), keys: node.membership.keys.table.digest,
            ofYou: .dead(me, Version(epoch: 1, incarnation: 0)), seenAt: nil)
        let effects = node.step(.frame(hello, from: b, start: start), at: at(61_002))
        let claims = effects.compactMap { if case .sign(let claim) = $0 { claim.version } else { nil } }
        #expect(claims == [Version(epoch: 1, incarnation: 1)])
        #expect(node.membership.table[b] == nil, "its record is not above its tombstone yet")
    }

    @Test func aSuspicionOfUsIsRefutedWithAHigherIncarnation() {
        var node = running()
        let doubt = Rumour.suspect(
            me, Version(epoch: 1, incarnation: 4), by: Suspecters(b), age: .zero, refused: false)
        let effects = node.step(gossip([doubt]), at: at(1))
        guard case .sign(let claim)? = effects.first else {
            Issue.record("expected a refutation, got \(effects)")
            return
        }
        #expect(claim.version == Version(epoch: 1, incarnation: 5))
        #expect(node.membership.health.score == 1)
    }

    @Test func absurdCountersAreDropped() {
        var node = running()
        let absurd = Rumour.dead(me, Version(epoch: .max, incarnation: .max))
        #expect(node.step(gossip([absurd]), at: at(1)) == [.dropped(b, .implausible)])
    }

    @Test func anotherMachineDoesNotGetOurLoopbackAddress() {
        var node = running()
        let claim = AliveClaim(
            id: b, start: StartID(bits: 5), version: Version(epoch: 1, incarnation: 0),
            address: Address("127.0.1.1:7480"), keys: [key])
        let effects = node.step(gossip([.alive(AliveRecord(claim: claim, sealed: []))]), at: at(1))
        #expect(effects == [.dropped(b, .loopbackAddress)])
    }

    @Test func aRestoredSnapshotRisesAboveItsPast() {
        var node = running(epoch: 6)
        let past = record(me, 9, 0, start: 4)
        let echoes = node.step(gossip([.alive(past)]), at: at(1))
        guard case .sendDatagram(let echo, home)? = echoes.first, case .echo = echo.message else {
            Issue.record("expected an echo to \(home), got \(echoes)")
            return
        }
        var effects: [Effect] = []
        for step in 1...60 { effects += node.step(.timer, at: at(1 + step * 100)) }
        #expect(effects.contains(.persist(.epoch(10), ticket: 2)))
    }

    @Test func aLateStepRaisesOurDoubtInOurselves() throws {
        var node = running()
        let due = try #require(node.nextDeadline)
        _ = node.step(.timer, at: due + .milliseconds(251))
        #expect(node.membership.health.score == 1)
    }
}
