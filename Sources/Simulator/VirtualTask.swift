import Cluster

/// One task of a virtual job: what it really takes, and what the planner thinks that it takes.
public struct VirtualTask: Equatable, Sendable {
    /// Of one core of speed 1.
    public var seconds: Double
    /// The plan's cost, in seconds of speed 1 if the planner is right.
    public var predicted: Double
    /// Source bytes that it reads.
    public var inputBytes: Int
    /// Bytes of its blob.
    public var resultBytes: Int

    public init(
        seconds: Double, predicted: Double? = nil, inputBytes: Int = 1 << 20, resultBytes: Int = 1 << 18
    ) {
        self.seconds = seconds
        self.predicted = predicted ?? seconds
        self.inputBytes = inputBytes
        self.resultBytes = resultBytes
    }
}

/// How the tasks of a job differ: a lognormal spread, dear patches, and a planner that errs
/// (PROTOCOL section 8).
///
/// Costs are correlated along the curve only by the patches: clouds, overlaps of many scenes, a forest of
/// small files.
public struct TaskCosts: Equatable, Sendable {
    /// Mean seconds of a task, patches included, on one core of speed 1.
    public var meanSeconds = 1.2
    /// Standard deviation of the logarithm; 0: all tasks alike.
    public var sigma = 0.8
    /// Share of the tasks that lie in dear patches.
    public var dearShare = 0.1
    /// How much dearer they are.
    public var dearFactor = 20.0
    /// Tasks of one patch, about.
    public var patchTasks = 16
    /// Standard deviation of the logarithm of predicted to real, as a fraction: 0.4 is "40 % wrong".
    public var predictionError = 0.4
    /// A task whose predicted time is above so many means is planned as four (PROTOCOL section 4: splitting
    /// happens in the plan only); 0: never.
    public var splitAbove = 0.0
    /// Source bytes of a task of 1024²: two bands of uint16 deflated to half, block borders, a mask.
    public var inputBytes = 10_000_000
    /// Bytes of its blob: float32 blocks, an 8-bit plane, remnants.
    public var resultBytes = 4_500_000

    public init() {}

    /// Tasks that are alike, known exactly.
    public static func equal(seconds: Double) -> TaskCosts {
        var costs = TaskCosts()
        costs.meanSeconds = seconds
        (costs.sigma, costs.dearShare, costs.predictionError) = (0, 0, 0)
        return costs
    }

    /// `count` tasks along the curve, their mean scaled to `meanSeconds`. More when some are split.
    public func tasks(_ count: Int, seed: UInt64) -> [VirtualTask] {
        var chance = SeededGenerator(seed: seed ^ 0x636F_7374)
        let dear = patches(count, &chance)
        var seconds = (0..<count).map { index in
            TaskCosts.exponential(sigma * TaskCosts.normal(&chance)) * (dear[index] ? dearFactor : 1)
        }
        let scale = meanSeconds * Double(count) / seconds.reduce(0, +)
        seconds = seconds.map { $0 * scale }
        var tasks: [VirtualTask] = []
        for real in seconds {
            let predicted = real * TaskCosts.exponential(predictionError * TaskCosts.normal(&chance))
            let parts = splitAbove > 0 && predicted > splitAbove * meanSeconds ? 4 : 1
            let share = 1 / Double(parts)
            for _ in 0..<parts {
                tasks.append(
                    VirtualTask(
                        seconds: real * share, predicted: predicted * share,
                        inputBytes: inputBytes / parts, resultBytes: resultBytes / parts))
            }
        }
        return tasks
    }

    /// Contiguous runs that do not overlap and hold `dearShare` of all tasks.
    private func patches(_ count: Int, _ chance: inout SeededGenerator) -> [Bool] {
        var dear = [Bool](repeating: false, count: count)
        var left = Int((Double(count) * dearShare).rounded())
        while left > 0 {
            let length = min(left, max(1, patchTasks / 2 + chance.below(max(1, patchTasks))))
            let at = chance.below(max(1, count - length + 1))
            for index in at..<min(count, at + length) where !dear[index] && left > 0 {
                dear[index] = true
                left -= 1
            }
        }
        return dear
    }

    /// A standard normal number by Marsaglia's polar method, with our own logarithm: the same bits
    /// everywhere.
    private static func normal(_ chance: inout SeededGenerator) -> Double {
        while true {
            let (u, v) = (2 * chance.unit() - 1, 2 * chance.unit() - 1)
            let square = u * u + v * v
            guard square > 0, square < 1 else { continue }
            return u * (-2 * VirtualNetwork.log(square) / square).squareRoot()
        }
    }

    /// e^x by halving and a series, for the same reason.
    static func exponential(_ x: Double) -> Double {
        let limited = min(max(x, -50), 50)
        let halvings = 8
        let small = limited / 256
        var (term, sum) = (1.0, 1.0)
        for k in 1..<10 {
            term *= small / Double(k)
            sum += term
        }
        for _ in 0..<halvings { sum *= sum }
        return sum
    }
}
