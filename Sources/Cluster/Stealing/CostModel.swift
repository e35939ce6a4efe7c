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

extension JobPlan {
    /// The tail of `set` whose predicted cost comes nearest to `goal`. At least one task when `set` has any;
    /// contiguous along the curve apart from what is done already.
    public func tail(of set: TaskSet, cost goal: Double) -> TaskSet {
        var tail = TaskSet()
        var taken = 0.0
        for range in set.ranges.reversed() {
            let whole = cost(before: range.upper) - cost(before: range.lower)
            if taken + whole <= goal {
                tail.insert(range)
                taken += whole
                continue
            }
            // Within this range: the cut nearest to the goal.
            var (low, high) = (range.lower, range.upper)
            while low < high {
                let middle = (low + high) / 2
                let cut = taken + cost(before: range.upper) - cost(before: middle)
                if cut <= goal { high = middle } else { low = middle + 1 }
            }
            if low > range.lower {
                let under = goal - (taken + cost(before: range.upper) - cost(before: low))
                let over = cost(TaskID(low - 1)) - under
                if over < under || (tail.isEmpty && low == range.upper) { low -= 1 }
            }
            tail.insert(TaskRange(low, range.upper))
            break
        }
        if tail.isEmpty, let last = set.ranges.last { tail.insert(TaskRange(last.upper - 1, last.upper)) }
        return tail
    }

    /// The head of `set` whose predicted cost comes nearest to `cost`; at least one task when `set` has any.
    public func head(of set: TaskSet, cost goal: Double) -> TaskSet {
        let all = cost(set)
        guard all > goal else { return set }
        let rest = tail(of: set, cost: all - goal)
        let head = set.subtracting(rest)
        return head.isEmpty ? TaskSet(set.first.map { [$0] } ?? []) : head
    }

    /// Those of `set` with the most computing for each byte of their inputs, for about `goal`: a thief that
    /// has to fetch them fetches the least. The tail of those that are alike.
    func heaviest(of set: TaskSet, cost goal: Double) -> TaskSet {
        ranked(set, by: weights.reversed(), cost: goal)
    }

    /// Likewise those with the least computing: whoever has the inputs spares the others most of the way.
    func lightest(of set: TaskSet, cost goal: Double) -> TaskSet { ranked(set, by: weights, cost: goal) }

    private func ranked(_ set: TaskSet, by weights: [TaskSet], cost goal: Double) -> TaskSet {
        var (ranked, left) = (TaskSet(), goal)
        for alike in weights {
            let some = set.intersection(alike)
            guard !some.isEmpty else { continue }
            guard cost(some) < left else {
                let tail = tail(of: some, cost: left)
                // Nearer to the goal without it, when one of these tasks costs much more than what is left.
                return !ranked.isEmpty && cost(tail) > 2 * left ? ranked : ranked.union(tail)
            }
            ranked = ranked.union(some)
            left -= cost(some)
        }
        return ranked
    }
}
