import Testing

@testable import Cluster

/// Transcripts of the small machines around membership.
@Suite struct MembershipMachinesTests {
    let a = NodeID(short: 1), b = NodeID(short: 2)
    let home = Address("b:1")

    private func at(_ milliseconds: Int) -> Instant { .zero + .milliseconds(milliseconds) }

    // MARK: Relay desk

    @Test func aRelayAnswersOrSaysNack() {
        var desk = RelayDesk(Configuration())
        #expect(desk.asked(b, for: a, at: home, 5, nonce: 9, now: .zero) == [.ping(b, 9)])
        #expect(desk.acked(8) == [])
        #expect(desk.acked(9) == [.ack(a, home, 5)])
        #expect(desk.asked(b, for: a, at: home, 6, nonce: 10, now: .zero) == [.ping(b, 10)])
        #expect(desk.timer(at(319)) == [])
        #expect(desk.timer(at(320)) == [.nack(a, home, 6)])
    }

    @Test func aRelayTakesNoMoreThanItsBound() {
        var desk = RelayDesk(Configuration())
        for nonce in 0..<300 { _ = desk.asked(b, for: a, at: home, 5, nonce: UInt64(nonce), now: .zero) }
        #expect(desk.count == 256)
    }

    // MARK: Fast path

    @Test func aRefusalNeedsAWitness() {
        var path = FastPath(Configuration())
        #expect(path.refused(b, alone: false, nonce: 3, at: .zero) == [])
        #expect(path.linkBroke(b) == [.redial(b)])
        #expect(path.refused(b, alone: false, nonce: 3, at: .zero) == [.askWitnesses(b, 3)])
        #expect(path.witnessed(3, refused: true) == [.suspect(b)])
    }

    @Test func inAClusterOfTwoThereIsNoWitness() {
        var path = FastPath(Configuration())
        _ = path.linkBroke(b)
        #expect(path.refused(b, alone: true, nonce: 3, at: .zero) == [.suspect(b)])
    }

    @Test func aFrameOrAWitnessThatGetsThroughEndsIt() {
        var path = FastPath(Configuration())
        _ = path.linkBroke(b)
        path.heard(b)
        #expect(path.refused(b, alone: true, nonce: 3, at: .zero) == [])
        _ = path.linkBroke(b)
        _ = path.refused(b, alone: false, nonce: 4, at: .zero)
        #expect(path.witnessed(4, refused: false) == [])
        #expect(path.witnessed(4, refused: true) == [])
    }

    // MARK: Reconnector

    @Test func aTargetIsDialledAgainAndAgain() {
        var chance = SeededGenerator(seed: 1)
        var reconnector = Reconnector(Configuration())
        reconnector.want(.seed(home), urgently: true, at: .zero, &chance)
        #expect(!reconnector.hasTriedAllSeeds)
        #expect(reconnector.timer(.zero) { _ in false } == [.seed(home)])
        #expect(reconnector.hasTriedAllSeeds)
        for _ in 0..<20 {
            reconnector.failed(.seed(home), at: .zero, &chance)
            #expect(reconnector.nextDeadline > .zero && reconnector.nextDeadline <= at(8000))
            #expect(reconnector.timer(at(8000)) { _ in false } == [.seed(home)])
        }
    }

    @Test func atMostEightDialsAtOnceTheLongestUntriedFirst() {
        var chance = SeededGenerator(seed: 1)
        var reconnector = Reconnector(Configuration())
        for number in 0..<12 {
            let address = Address("n\(number)")
            reconnector.want(
                .member(NodeID(short: UInt64(number)), address), urgently: true, at: .zero, &chance)
        }
        let first = reconnector.timer(.zero) { _ in false }
        #expect(first.count == 8)
        #expect(reconnector.nextDeadline == .never)
        reconnector.failed(first[0], at: .zero, &chance)
        let second = reconnector.timer(at(9000)) { _ in false }
        #expect(second.count == 1 && !first.contains(second[0]))
    }

    @Test func aSeedThatIsAPresentMemberWaits() {
        var chance = SeededGenerator(seed: 1)
        var reconnector = Reconnector(Configuration())
        reconnector.want(.seed(home), urgently: true, at: .zero, &chance)
        _ = reconnector.timer(.zero) { _ in false }
        reconnector.connected(.seed(home), to: b, at: .zero)
        #expect(reconnector.timer(at(8000)) { $0 == b } == [])
        #expect(reconnector.timer(at(16_000)) { _ in false } == [.seed(home)])
    }

    // MARK: Other start

    @Test func silenceMeansThatItWasOurPast() {
        var other = OtherStart(Configuration())
        #expect(
            other.seen(Version(epoch: 9, incarnation: 2), at: home, nonce: 5, now: .zero) == [.echo(home, 5)])
        #expect(other.timer(at(500)) == [.echo(home, 5)])
        #expect(other.timer(at(5000)) == [.adopt(above: 9)])
        #expect(other.nextDeadline == .never)
    }

    @Test func ofTwoClonesTheLowerGoes() {
        let low = (epochAtStart: UInt32(7), start: StartID(bits: 1))
        let high = (epochAtStart: UInt32(7), start: StartID(bits: 2))
        var other = OtherStart(Configuration())
        _ = other.seen(Version(epoch: 7, incarnation: 0), at: home, nonce: 5, now: .zero)
        #expect(other.answered(4, by: high, us: low) == [])
        #expect(other.answered(5, by: high, us: low) == [.giveWay])
        _ = other.seen(Version(epoch: 7, incarnation: 0), at: home, nonce: 6, now: .zero)
        #expect(other.answered(6, by: low, us: high) == [.adopt(above: 7)])
    }

    @Test func ourOwnEchoProvesNothing() {
        let us = (epochAtStart: UInt32(7), start: StartID(bits: 1))
        var other = OtherStart(Configuration())
        _ = other.seen(Version(epoch: 7, incarnation: 0), at: home, nonce: 5, now: .zero)
        #expect(other.answered(5, by: us, us: us) == [])
        #expect(other.nextDeadline == at(500))
    }

    /// A clone that speaks under a key which the other has retired hears it and is never heard.
    @Test func aCloneThatIsNotHeardGoes() {
        let (clone, third) = (StartID(bits: 2), StartID(bits: 3))
        var other = OtherStart(Configuration())
        #expect(other.asked(5, by: clone) == [])
        // The same question again: half a second later, or doubled on its way.
        #expect(other.asked(5, by: clone) == [])
        #expect(other.asked(6, by: clone) == [])
        #expect(other.asked(5, by: clone) == [])
        #expect(other.asked(7, by: clone) == [.giveWay])
        // It heard us, went and was started again: another start asks for the first time.
        #expect(other.asked(8, by: third) == [])
    }

    // MARK: Local health

    @Test func silentRelaysCountAgainstOurselves() {
        var health = LocalHealth(worst: 7)
        health.probeFailed(silentRelays: 0)
        #expect(health.scale == 1)
        health.probeFailed(silentRelays: 3)
        #expect(health.scale == 4)
        health.probeFailed(silentRelays: 9)
        #expect(health.scale == 8)
        health.probeAnswered()
        #expect(health.scale == 7)
    }
}
