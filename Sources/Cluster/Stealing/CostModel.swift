// What a task will take. The plan predicts costs in units; how long a unit takes is learnt from finished
// tasks, the latest ones counting most, because neighbours along the curve are alike (PROTOCOL 4).

/// Turns predicted cost into time and corrects itself with every measurement.
public struct CostModel: Equatable, Sendable {
    /// The share of what was learnt that each new task leaves in place.
    static let memory = 0.9

    private var seconds: Double
    private var cost: Double
    /// How many tasks were measured.
    public private(set) var measured = 0

    /// Starts with a guess of seconds a unit, worth as much as one task.
    public init(secondsPerCost guess: Double = 1) {
        seconds = guess
        cost = 1
    }

    /// Seconds that a unit of predicted cost takes on one slot.
    public var secondsPerCost: Double { seconds / cost }

    /// How long `cost` units will take on one slot.
    public func time(for cost: Double) -> Span {
        .seconds(min(max(0, cost * secondsPerCost), 1e9))
    }

    /// A task of `predicted` units took `took`. The first measurement replaces the guess.
    public mutating func learn(predicted: Double, took: Span) {
        guard predicted > 0, predicted.isFinite, took > .zero else { return }
        if measured == 0 { (seconds, cost) = (0, 0) }
        seconds = seconds * Self.memory + took.seconds
        cost = cost * Self.memory + predicted
        measured += 1
    }

    /// What another node measured; used until there is a measurement of our own.
    public mutating func adopt(secondsPerCost rate: Double) {
        guard measured == 0, rate.isFinite, rate > 0 else { return }
        (seconds, cost) = (rate, 1)
    }
}
