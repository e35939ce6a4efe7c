import Cluster
import Simulator
import Testing

@Suite struct TaskCostsTests {
    @Test func theMeanIsWhatWasAskedFor() {
        let tasks = TaskCosts().tasks(1000, seed: 7)
        #expect(tasks.count == 1000)
        let mean = tasks.reduce(0) { $0 + $1.seconds } / 1000
        #expect(abs(mean - 1.2) < 1e-9)
        #expect(tasks == TaskCosts().tasks(1000, seed: 7))
        #expect(tasks != TaskCosts().tasks(1000, seed: 8))
    }

    /// 100 of 1000 tasks are 20 times dearer: they hold 20 · 100 / (20 · 100 + 900) = 69 % of the work.
    @Test func aTenthOfTheTasksHoldsMostOfTheWork() {
        var costs = TaskCosts()
        costs.sigma = 0
        let seconds = costs.tasks(1000, seed: 3).map(\.seconds).sorted()
        let dear = seconds.suffix(100).reduce(0, +) / seconds.reduce(0, +)
        #expect(abs(dear - 2000.0 / 2900) < 1e-9)
        #expect(abs(seconds[999] / seconds[0] - 20) < 1e-9)
    }

    @Test func equalTasksAreKnownExactly() {
        let tasks = TaskCosts.equal(seconds: 2).tasks(5, seed: 1)
        #expect(tasks.allSatisfy { abs($0.seconds - 2) < 1e-9 && abs($0.predicted - 2) < 1e-9 })
    }

    /// With a spread of 0.8 the logarithm's standard deviation is 0.8, and predictions err by 0.4.
    @Test func spreadAndErrorAreAsSaid() {
        var costs = TaskCosts()
        costs.dearShare = 0
        let tasks = costs.tasks(4000, seed: 5)
        func deviation(_ values: [Double]) -> Double {
            let mean = values.reduce(0, +) / Double(values.count)
            return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
        }
        #expect(abs(deviation(tasks.map { logarithm($0.seconds) }) - 0.8) < 0.03)
        #expect(abs(deviation(tasks.map { logarithm($0.predicted / $0.seconds) }) - 0.4) < 0.02)
    }

    /// A task predicted above the limit is planned as four that together are as long.
    @Test func dearTasksAreSplitByTheirPrediction() {
        var costs = TaskCosts()
        (costs.sigma, costs.predictionError, costs.splitAbove) = (0, 0, 4)
        let tasks = costs.tasks(100, seed: 1)
        #expect(tasks.count == 130)
        #expect(abs(tasks.reduce(0) { $0 + $1.seconds } - 120) < 1e-9)
    }

    /// Newton's method on exp, without a C library: enough for a test.
    private func logarithm(_ x: Double) -> Double {
        var (value, exponent) = (x, 0.0)
        while value > 1.5 { (value, exponent) = (value / 2, exponent + 1) }
        while value < 0.75 { (value, exponent) = (value * 2, exponent - 1) }
        let z = (value - 1) / (value + 1)
        let series = (0..<12).reversed().reduce(0.0) { $0 * z * z + 1 / Double(2 * $1 + 1) }
        return 2 * z * series + exponent * 0.693_147_180_559_945_3
    }
}
