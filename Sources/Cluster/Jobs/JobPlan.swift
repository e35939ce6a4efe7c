// The plan as the cluster sees it: for each task a key, a predicted cost and byte counts. What a task means,
// only the shell knows.

/// One task of a plan (PROTOCOL 3 and 4).
public struct PlannedTask: Hashable, Sendable {
    /// Hash of all that decides the task's bytes.
    public var key: Digest
    /// Predicted work, in any unit that is the same for the whole plan: source bytes × weight of the
    /// operation.
    public var cost: Double
    /// Bytes of its inputs, fetched when they are elsewhere.
    public var inputBytes: Int
    /// Bytes of its result, predicted.
    public var resultBytes: Int
    /// Bytes of memory that it needs while it runs.
    public var memory: Int

    /// A task as the planner describes it.
    public init(key: Digest, cost: Double, inputBytes: Int = 0, resultBytes: Int = 0, memory: Int = 0) {
        self.key = key
        self.cost = cost
        self.inputBytes = inputBytes
        self.resultBytes = resultBytes
        self.memory = memory
    }
}

/// The tasks of a job in the order in which neighbours share inputs. Splitting happens here and only here
/// (PROTOCOL 4).
public struct JobPlan: Sendable {
    /// The most tasks of a plan: a message that names later ones is refused before anything is sized by it.
    public static let mostTasks = 1 << 20
    /// The plan's own content digest.
    public let digest: Digest
    /// The engine fingerprint that the task keys contain.
    public let fingerprint: Digest
    /// The tasks in that order.
    public let tasks: [PlannedTask]
    /// Nodes that hold the inputs on their own disks: they are offered work first and fetch nothing.
    public let inputHolders: [NodeID]
    /// The most bytes of memory that any of the tasks needs.
    public let largestMemory: Int
    /// The cost of all tasks before each index, and at the end the cost of all.
    private let costBefore: [Double]
    /// Likewise the bytes of inputs and of results.
    private let inputBefore: [Int]
    private let resultBefore: [Int]
    /// The tasks by how much they compute for a byte of their inputs, the lightest first; those of one weight
    /// are alike to a factor of four. All are alike when nobody holds the inputs.
    let weights: [TaskSet]

    /// Costs that are not finite or not positive count as a tiny one, and sizes are held to 4 TiB, so that no
    /// sum goes wrong.
    public init(
        digest: Digest, fingerprint: Digest, tasks: [PlannedTask], inputHolders: [NodeID] = []
    ) {
        self.digest = digest
        self.inputHolders = inputHolders
        self.fingerprint = fingerprint
        var (cost, input, result) = ([0.0], [0], [0])
        for task in tasks {
            let sane = task.cost.isFinite && task.cost > 0 ? min(task.cost, 1e18) : 1e-9
            cost.append(cost[cost.count - 1] + sane)
            input.append(input[input.count - 1] + min(max(0, task.inputBytes), 1 << 42))
            result.append(result[result.count - 1] + min(max(0, task.resultBytes), 1 << 42))
        }
        self.tasks = tasks.map { task in
            var task = task
            task.memory = min(max(0, task.memory), 1 << 42)
            return task
        }
        largestMemory = self.tasks.map(\.memory).max() ?? 0
        (costBefore, inputBefore, resultBefore) = (cost, input, result)
        weights = inputHolders.isEmpty ? [TaskSet(0, tasks.count)] : Self.weights(cost, input)
    }

    private static func weights(_ cost: [Double], _ input: [Int]) -> [TaskSet] {
        let ratios = zip(zip(cost, cost.dropFirst()), zip(input, input.dropFirst())).map { cost, input in
            (cost.1 - cost.0) / Double(max(1, input.1 - input.0))
        }
        guard let least = ratios.min(), least > 0 else { return [TaskSet(0, ratios.count)] }
        // The hundredth keeps equal tasks together whatever their rounding.
        let alike = Dictionary(grouping: ratios.indices) { Int((ratios[$0] / least * 1.01).exponent) / 2 }
        return alike.sorted { $0.key < $1.key }.map { TaskSet($0.value.map { TaskID($0) }) }
    }

    /// How many tasks.
    public var count: Int { tasks.count }

    /// All tasks.
    public var all: TaskSet { TaskSet(0, count) }

    /// The predicted cost of one task.
    public func cost(_ task: TaskID) -> Double { costBefore[task.index + 1] - costBefore[task.index] }

    /// The predicted cost of a set.
    public func cost(_ set: TaskSet) -> Double {
        set.ranges.reduce(0) { $0 + costBefore[$1.upper] - costBefore[$1.lower] }
    }

    /// The bytes of inputs of a set.
    public func inputBytes(_ set: TaskSet) -> Int {
        set.ranges.reduce(0) { $0 + inputBefore[$1.upper] - inputBefore[$1.lower] }
    }

    /// The bytes of results of a set, predicted.
    public func resultBytes(_ set: TaskSet) -> Int {
        set.ranges.reduce(0) { $0 + resultBefore[$1.upper] - resultBefore[$1.lower] }
    }

    /// The predicted cost before `index`, for searching.
    func cost(before index: Int) -> Double { costBefore[index] }
}
