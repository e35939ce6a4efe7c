// What a busy node gives to an idle one: half of what is left, from the tail, so that both keep contiguous
// ranges, or, where one of the two has the inputs, what computes longest for the bytes that move; but only if
// that saves more time than moving them costs, twice over (PROTOCOL 4).

/// The link to a thief as it was measured, shared with whatever else uses it.
public struct LinkMeasure: Equatable, Sendable {
    /// There and back.
    public var roundTrip: Span
    /// Bytes a second that a transfer gets beside the others; 0: not measured yet, and taken as no hindrance.
    public var bytesPerSecond: Double

    /// A link of this speed.
    public init(roundTrip: Span, bytesPerSecond: Double) {
        self.roundTrip = roundTrip
        self.bytesPerSecond = bytesPerSecond
    }

    /// What the link may give so long after it was measured: what shared it ends after a while, so silence
    /// makes it faster, and a node that was refused once for its slow link tries again.
    func aged(_ age: Span) -> LinkMeasure {
        let doublings = min(30, max(0, (age - Self.freshFor).seconds / Self.doublesEvery.seconds))
        return LinkMeasure(
            roundTrip: roundTrip, bytesPerSecond: min(bytesPerSecond * pow2(doublings), Self.fastest))
    }

    private static let freshFor = Span.milliseconds(500)
    private static let doublesEvery = Span.milliseconds(250)
    /// No link gives more, in bytes a second.
    public static let fastest = 1e12

    /// Two to a whole or broken power, linear in between: the same on every machine.
    private func pow2(_ exponent: Double) -> Double {
        let whole = exponent.rounded(.down)
        return Double(1 << Int(whole)) * (1 + exponent - whole)
    }

    /// How long a round trip and `bytes` take.
    func time(for bytes: Int) -> Span {
        guard bytesPerSecond > 0 else { return roundTrip }
        return roundTrip + .seconds(min(Double(bytes) / bytesPerSecond, 1e9))
    }
}

/// The victim's side of a steal.
public enum Victim {
    static let gainFactor = 2.0

    /// What the victim has.
    public struct Load: Sendable {
        /// Its tasks that have not started.
        public var queue: TaskSet
        /// The predicted cost that is left of the running ones.
        public var runningCost: Double
        /// How many it runs at a time.
        public var slots: Int
        /// Its own speed.
        public var model: CostModel
        /// Its link is full, as the owner of the scenes or as the coordinator that pulls results.
        public var isSaturated: Bool
        /// The inputs are on its own disk: a thief would have to fetch what it need not.
        public var holdsInputs = true

        /// A load.
        public init(queue: TaskSet, runningCost: Double, slots: Int, model: CostModel, isSaturated: Bool) {
            self.queue = queue
            self.runningCost = runningCost
            self.slots = slots
            self.model = model
            self.isSaturated = isSaturated
        }
    }

    /// The predicted cost that is left of a task that runs for so long at `rate` seconds a unit: a tenth at
    /// least, for nobody knows how much it is.
    static func left(of cost: Double, after span: Span, _ rate: Double) -> Double {
        max(cost - span.seconds / max(1e-12, rate), cost * 0.1)
    }

    /// The tasks for the thief; empty: it is not worth while. `link` is the victim's own measure; the thief
    /// knows better what it gets.
    public static func give(_ ask: AskForWork, from load: Load, of plan: JobPlan, over link: LinkMeasure)
        -> TaskSet
    {
        guard !load.isSaturated, !load.queue.isEmpty else { return TaskSet() }
        let mine = load.model.secondsPerCost / Double(max(1, load.slots))
        let theirs =
            (ask.secondsPerCost > 0 ? ask.secondsPerCost : load.model.secondsPerCost)
            / Double(max(1, ask.idleSlots))
        let before = (plan.cost(load.queue) + load.runningCost) * mine
        var fitting = load.queue.fitting(memory: ask.memory, in: plan)
        // A slow thief gets only what it ends sooner than we would end it all.
        if theirs > mine * FirstTaste.slowFactor {
            fitting = TaskSet(fitting.tasks.filter { plan.cost($0) * theirs * 2 < before })
        }
        guard !fitting.isEmpty else { return TaskSet() }
        // Half when both are equally fast; a slower thief gets less, so that both end together.
        let share = min(0.5, mine / (mine + theirs))
        let goal = (plan.cost(fitting) + load.runningCost) * share
        let half =
            switch (load.holdsInputs, ask.holdsInputs) {
            case (true, false): plan.heaviest(of: fitting, cost: goal)
            case (false, true): plan.lightest(of: fitting, cost: goal)
            default: plan.tail(of: fitting, cost: goal)
            }
        // A thief so slow that the victim would be done with all of it sooner only makes the job longer.
        let after = max(before - plan.cost(half) * mine, plan.cost(half) * theirs)
        // What has to be fetched here as well, and results that go to the coordinator from here as well, are
        // no price of the theft.
        let bytes = ask.holdsInputs || !load.holdsInputs ? 0 : plan.inputBytes(half) + plan.resultBytes(half)
        var way = link
        if ask.bytesPerSecond > 0 { way.bytesPerSecond = ask.bytesPerSecond }
        let price = way.time(for: bytes) * gainFactor
        return Span.seconds(min(before - after, 1e9)) > price ? half : TaskSet()
    }
}

extension TaskSet {
    /// Those that need no more than `memory` bytes.
    func fitting(memory: Int, in plan: JobPlan) -> TaskSet {
        guard memory < plan.largestMemory else { return self }
        return TaskSet(tasks.filter { plan.tasks[$0.index].memory <= memory })
    }
}
