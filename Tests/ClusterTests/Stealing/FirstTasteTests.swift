import Testing

@testable import Cluster

@Suite struct FirstTasteTests {
    /// Costs 1, 2, 3, … : the lower quartile of 32 tasks begins at the ninth.
    let plan = testPlan(32) { Double($0 + 1) }

    /// Half of the cost lies before the 23rd task, and no cheap one behind it: the other node gets what is
    /// next of the cheap ones.
    @Test func eachNodeIsTriedOnACheapTask() {
        var tastes = FirstTaste()
        let offers = tastes.deal(plan.all, of: plan, among: [(node(1), 1), (node(2), 1)], now: at(0))
        #expect(
            offers == [
                Offers.Offer(node: node(1), tasks: set(8..<9)),
                Offers.Offer(node: node(2), tasks: set(9..<10)),
            ])
        #expect(tastes.keptTasks == set(0..<8, 10..<32))
        #expect(tastes.nextDeadline == at(2))
    }

    /// Where all cost the same, so that a node's own blocks serve its first task and the next.
    @Test func theFirstTaskIsOneOfTheNodesOwnRange() {
        let even = testPlan(48) { _ in 2 }
        var tastes = FirstTaste()
        let offers = tastes.deal(even.all, of: even, among: [(node(1), 2), (node(2), 1)], now: at(0))
        #expect(offers.map(\.tasks) == [set(0..<2), set(24..<25)])
        let (first, second) = (tastes.claim(by: node(1)), tastes.claim(by: node(2)))
        #expect(first == set(2..<24))
        #expect(second == set(25..<48))
    }

    @Test func aNodeThatComesGetsItsRange() {
        var tastes = FirstTaste()
        _ = tastes.deal(plan.all, of: plan, among: [(node(1), 1), (node(2), 1)], now: at(0))
        let first = tastes.claim(by: node(1))
        #expect(first.first == TaskID(0))
        #expect(first.intersection(set(8..<10)).isEmpty)
        let second = tastes.claim(by: node(1))
        #expect(second.isEmpty)
        // The rest goes to everyone when the other does not come.
        let early = tastes.expired(now: at(1.9))
        let late = tastes.expired(now: at(2))
        #expect(early.isEmpty)
        #expect(late == plan.all.subtracting(first).subtracting(set(8..<10)))
        #expect(tastes.keptTasks.isEmpty)
    }

    @Test func aSmallJobIsDealtAtOnce() {
        var tastes = FirstTaste()
        let offers = tastes.deal(plan.all, of: plan, among: [(node(1), 2), (node(2), 1)], now: at(0))
        #expect(offers.isEmpty)
        #expect(tastes.nextDeadline == nil)
    }

    @Test func slownessIsMeasuredAgainstTheMedian() {
        var speed = UsualSpeed()
        let unknown = speed.isSlow(10, now: at(0))
        #expect(!unknown)
        for number in 1...4 as ClosedRange<UInt64> { speed.note(node(number), 1) }
        speed.note(node(5), 10)
        let usual = speed.secondsPerCost(now: at(1))
        #expect(usual == 1)
        let (slow, usualEnough) = (speed.isSlow(2.6, now: at(1)), speed.isSlow(2.4, now: at(1)))
        #expect(slow && !usualEnough)
        let fast = [1, 5, 6].map { speed.isFast(node($0), now: at(1)) }
        #expect(fast == [true, false, false])
    }
}
