// Where a set of tasks is cut in two: by predicted cost, along the curve, and where inputs have to move by
// how much is computed for their bytes (PROTOCOL 4).

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
