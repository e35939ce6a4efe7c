import Testing

@testable import Cluster

@Suite struct SuspicionsTests {
    let a = NodeID(short: 1), b = NodeID(short: 2), c = NodeID(short: 3), d = NodeID(short: 4),
        x = NodeID(short: 9)
    let life = Version(epoch: 1, incarnation: 0)

    private func at(_ seconds: Double) -> Instant { .zero + .seconds(seconds) }

    @Test func inAClusterOfTwoTheFloorDecides() {
        var suspicions = Suspicions(Configuration())
        suspicions.liveMembers(1)
        #expect(suspicions.suspect(x, life, by: Suspecters(a), age: .zero, refused: false, at: .zero) == true)
        #expect(suspicions.nextDeadline == at(5))
        #expect(suspicions.expired(at(4.9)).map(\.0) == [])
        #expect(suspicions.expired(at(5)).map(\.0) == [x])
        #expect(suspicions.nextDeadline == .never)
    }

    @Test func eachConfirmationShortensTheTimeByItsLogarithm() {
        var suspicions = Suspicions(Configuration())
        suspicions.liveMembers(10)
        #expect(suspicions.suspect(x, life, by: Suspecters(a), age: .zero, refused: false, at: .zero) == true)
        #expect(suspicions.nextDeadline == at(20))
        #expect(suspicions.suspect(x, life, by: Suspecters(b), age: .zero, refused: false, at: at(1)) == true)
        #expect(suspicions.nextDeadline == at(12.5))
        #expect(
            suspicions.suspect(x, life, by: Suspecters(b), age: .zero, refused: false, at: at(2)) == false)
        #expect(suspicions.suspect(x, life, by: Suspecters(c), age: .zero, refused: false, at: at(2)) == true)
        #expect(suspicions.suspect(x, life, by: Suspecters(d), age: .zero, refused: false, at: at(3)) == true)
        #expect(suspicions.nextDeadline == at(5))
    }

    @Test func fewerLiveMembersAskForFewerConfirmations() {
        var suspicions = Suspicions(Configuration())
        suspicions.liveMembers(5)
        #expect(suspicions.needed == 2)
        _ = suspicions.suspect(x, life, by: Suspecters(a), age: .zero, refused: false, at: .zero)
        suspicions.liveMembers(2)
        #expect(suspicions.needed == 0)
        #expect(suspicions.nextDeadline == at(5))
    }

    @Test func aHearerCountsFromTheFirstDoubt() {
        var suspicions = Suspicions(Configuration())
        _ = suspicions.suspect(x, life, by: Suspecters(a), age: .seconds(3), refused: false, at: at(10))
        #expect(suspicions.nextDeadline == at(12))
    }

    @Test func aRefusalShortensAndAFrameLengthensAgain() {
        var suspicions = Suspicions(Configuration())
        _ = suspicions.suspect(x, life, by: Suspecters(a), age: .zero, refused: true, at: .zero)
        #expect(suspicions.nextDeadline == at(1))
        suspicions.heard(x)
        #expect(suspicions.nextDeadline == at(5))
    }

    @Test func ourStallsAreGivenBackUpToTenSeconds() {
        var suspicions = Suspicions(Configuration())
        _ = suspicions.suspect(x, life, by: Suspecters(a), age: .zero, refused: false, at: .zero)
        suspicions.stalled(.seconds(7))
        #expect(suspicions.nextDeadline == at(12))
        suspicions.stalled(.seconds(7))
        #expect(suspicions.nextDeadline == at(15))
    }
}
