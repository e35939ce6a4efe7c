// Sets of tasks as ranges of the plan's order. Work moves in contiguous pieces, so a thousand tasks are
// usually one range, in memory and on the wire alike.

/// Contiguous tasks, half open: `lower` is in, `upper` is not (PROTOCOL 4).
public struct TaskRange: Hashable, Sendable, CustomStringConvertible {
    /// The first task's index.
    public var lower: Int
    /// One past the last task's index.
    public var upper: Int

    /// The tasks from `lower` up to, not including, `upper`.
    public init(_ lower: Int, _ upper: Int) {
        precondition(lower <= upper, "range ends at \(upper), before its start \(lower)")
        self.lower = lower
        self.upper = upper
    }

    /// How many tasks.
    public var count: Int { upper - lower }

    /// `lower..<upper`.
    public var description: String { "\(lower)..<\(upper)" }
}

/// A set of tasks: sorted, disjoint, non-touching, non-empty ranges.
public struct TaskSet: Hashable, Sendable, CustomStringConvertible {
    /// Sorted, disjoint, not touching each other.
    public private(set) var ranges: [TaskRange] = []

    /// No tasks.
    public init() {}

    /// One range; empty when the range is.
    public init(_ lower: Int, _ upper: Int) { ranges = lower < upper ? [TaskRange(lower, upper)] : [] }

    /// These tasks, in any order.
    public init(_ tasks: some Sequence<TaskID>) {
        for task in tasks.sorted() { append(TaskRange(task.index, task.index + 1)) }
    }

    /// Ranges from a peer; nil unless they are sorted, disjoint and inside `0..<count` (S11).
    public init?(checking ranges: [TaskRange], count: Int) {
        var end = 0
        for range in ranges {
            guard range.lower >= end, range.upper > range.lower, range.upper <= count else { return nil }
            end = range.upper
            append(range)
        }
    }

    /// How many tasks.
    public var count: Int { ranges.reduce(0) { $0 + $1.count } }

    /// True without tasks.
    public var isEmpty: Bool { ranges.isEmpty }

    /// One past the highest index; 0 when empty.
    public var upper: Int { ranges.last?.upper ?? 0 }

    /// All tasks in order.
    public var tasks: [TaskID] { ranges.flatMap { ($0.lower..<$0.upper).map(TaskID.init) } }

    /// The first task.
    public var first: TaskID? { ranges.first.map { TaskID($0.lower) } }

    /// The index of the first range that ends after `index`.
    private func position(after index: Int) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upper <= index { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Membership, by binary search.
    public func contains(_ task: TaskID) -> Bool {
        let at = position(after: task.index)
        return at < ranges.count && ranges[at].lower <= task.index
    }

    /// Adds one task.
    public mutating func insert(_ task: TaskID) { insert(TaskRange(task.index, task.index + 1)) }

    /// Adds a range.
    public mutating func insert(_ range: TaskRange) {
        guard range.count > 0 else { return }
        var new = range
        let from = position(after: range.lower - 1)
        var to = from
        while to < ranges.count, ranges[to].lower <= new.upper {
            new.lower = min(new.lower, ranges[to].lower)
            new.upper = max(new.upper, ranges[to].upper)
            to += 1
        }
        ranges.replaceSubrange(from..<to, with: [new])
    }

    /// Removes one task.
    public mutating func remove(_ task: TaskID) { remove(TaskRange(task.index, task.index + 1)) }

    /// Removes a range.
    public mutating func remove(_ range: TaskRange) {
        guard range.count > 0 else { return }
        let from = position(after: range.lower)
        var to = from
        var rest: [TaskRange] = []
        while to < ranges.count, ranges[to].lower < range.upper {
            if ranges[to].lower < range.lower { rest.append(TaskRange(ranges[to].lower, range.lower)) }
            if ranges[to].upper > range.upper { rest.append(TaskRange(range.upper, ranges[to].upper)) }
            to += 1
        }
        if to > from { ranges.replaceSubrange(from..<to, with: rest) }
    }

    /// Removes the tasks of `other`: in place when that is small beside this set.
    public mutating func subtract(_ other: TaskSet) {
        if isEmpty || other.isEmpty { return }
        guard other.ranges.count * 8 < ranges.count else {
            self = subtracting(other)
            return
        }
        for range in other.ranges { remove(range) }
    }

    /// Adds the tasks of `other`, likewise.
    public mutating func formUnion(_ other: TaskSet) {
        guard other.ranges.count * 8 < ranges.count else {
            self = union(other)
            return
        }
        for range in other.ranges { insert(range) }
    }

    /// Adds a range that is not before the last one.
    private mutating func append(_ range: TaskRange) {
        if let last = ranges.last, last.upper >= range.lower {
            ranges[ranges.count - 1].upper = max(last.upper, range.upper)
        } else {
            ranges.append(range)
        }
    }

    /// The tasks of either.
    public func union(_ other: TaskSet) -> TaskSet {
        if isEmpty { return other }
        var result = TaskSet()
        var (i, j) = (0, 0)
        while i < ranges.count || j < other.ranges.count {
            if j == other.ranges.count || (i < ranges.count && ranges[i].lower <= other.ranges[j].lower) {
                result.append(ranges[i])
                i += 1
            } else {
                result.append(other.ranges[j])
                j += 1
            }
        }
        return result
    }

    /// The tasks of both.
    public func intersection(_ other: TaskSet) -> TaskSet {
        var result = TaskSet()
        var (i, j) = (0, 0)
        while i < ranges.count, j < other.ranges.count {
            let (a, b) = (ranges[i], other.ranges[j])
            let (lower, upper) = (max(a.lower, b.lower), min(a.upper, b.upper))
            if lower < upper { result.append(TaskRange(lower, upper)) }
            if a.upper < b.upper { i += 1 } else { j += 1 }
        }
        return result
    }

    /// The tasks of `self` that are not in `other`.
    public func subtracting(_ other: TaskSet) -> TaskSet {
        var result = TaskSet()
        var j = 0
        for range in ranges {
            var lower = range.lower
            while j < other.ranges.count, other.ranges[j].upper <= lower { j += 1 }
            var k = j
            while k < other.ranges.count, other.ranges[k].lower < range.upper {
                let gap = other.ranges[k]
                if gap.lower > lower { result.append(TaskRange(lower, gap.lower)) }
                lower = max(lower, gap.upper)
                k += 1
            }
            if lower < range.upper { result.append(TaskRange(lower, range.upper)) }
        }
        return result
    }

    /// The ranges, comma separated.
    public var description: String { ranges.map(\.description).joined(separator: ", ") }
}

extension TaskSet {
    /// The compact form: for each range the gap since the last one and the length, both as LEB128 (PROTOCOL
    /// 3).
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        func append(_ value: Int) {
            var rest = UInt64(value)
            while rest > 127 {
                bytes.append(UInt8(rest & 127) | 128)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        var end = 0
        for range in ranges {
            append(range.lower - end)
            append(range.count)
            end = range.upper
        }
        return bytes
    }

    /// Reads the compact form; nil when it is malformed or reaches past `count`. Allocates no more than the
    /// bytes earn.
    public init?(decoding bytes: [UInt8], count: Int) {
        var at = 0
        func next() -> Int? {
            var (value, shift) = (0, 0)
            while at < bytes.count, shift < 35 {
                value |= Int(bytes[at] & 127) << shift
                at += 1
                if bytes[at - 1] < 128 { return value }
                shift += 7
            }
            return nil
        }
        var end = 0
        while at < bytes.count {
            guard let gap = next(), let length = next(), length > 0, end == 0 || gap > 0 else { return nil }
            guard end + gap + length <= count else { return nil }
            append(TaskRange(end + gap, end + gap + length))
            end += gap + length
        }
    }
}
