// Before a node gets a range it shows how fast it is: it first gets one cheap task a slot. A node that is ten
// times slower than the others would else start on the dearest task of a full range, and the whole job would
// wait for it (PROTOCOL 4).

/// The ranges that wait for nodes which are being tried.
public struct FirstTaste: Equatable, Sendable {
    /// For so long a range is kept for its node; then anyone may have it.
    static let keptFor = Span.seconds(2)
    /// A job with fewer tasks a slot is dealt at once: trying costs more than it could save.
    static let tasksASlot = 16
    /// A node whose tasks take so many times as long as usual is slow.
    static let slowFactor = 2.5

    private var kept: [NodeID: TaskSet] = [:]
    private var all = TaskSet()
    private var until = Instant.never

    init() {}

    /// Deals cheap tasks to `nodes`, one a slot, and keeps ranges of the rest for them; empty: the job is too
    /// small for that.
    mutating func deal(
        _ open: TaskSet, of plan: JobPlan, among nodes: [(id: NodeID, slots: Int)], now: Instant
    ) -> [Offers.Offer] {
        let slots = nodes.reduce(0) { $0 + max(1, $1.slots) }
        guard nodes.count > 1, open.count >= slots * Self.tasksASlot else { return [] }
        // From the lower quartile on: cheap, and not so cheap that starting it is all that is measured.
        let byCost = open.tasks.sorted { (plan.cost($0), $0) < (plan.cost($1), $1) }
        let (quarter, half) = (byCost.count / 4, byCost.count / 2)
        // Costs are differences of sums: equal ones may differ in the last bits.
        let cheap = plan.cost(byCost[quarter]) * 0.999...plan.cost(byCost[half]) * 1.001
        let ranges = Offers.split(open, of: plan, among: nodes.map(\.id))
        kept = Dictionary(uniqueKeysWithValues: ranges.map { ($0.node, $0.tasks) })
        all = open
        var others = byCost[quarter...]
        var offers: [Offers.Offer] = []
        for (node, slots) in nodes {
            // Of its own range where that has cheap ones: neighbours share source blocks.
            var taste = TaskSet()
            for task in kept[node]?.tasks ?? [] where taste.count < max(1, slots) {
                if cheap.contains(plan.cost(task)), all.contains(task) { taste.insert(task) }
            }
            while taste.count < max(1, slots), let next = others.popFirst() {
                if all.contains(next) { taste.insert(next) }
            }
            all.subtract(taste)
            offers.append(Offers.Offer(node: node, tasks: taste))
        }
        kept = kept.mapValues { $0.intersection(all) }
        until = now + Self.keptFor
        return offers
    }

    /// What was kept for a node that asks.
    mutating func claim(by node: NodeID) -> TaskSet {
        guard let range = kept.removeValue(forKey: node) else { return TaskSet() }
        all.subtract(range)
        return range
    }

    /// What nodes did not come for in time: they are slow, or gone.
    mutating func expired(now: Instant) -> TaskSet {
        guard until <= now else { return TaskSet() }
        defer { self = FirstTaste() }
        return all
    }

    /// Tasks that are kept for somebody.
    var keptTasks: TaskSet { all }

    /// When `expired` has something to say.
    var nextDeadline: Instant? { all.isEmpty ? nil : until }

    /// Our own stall extends the wait.
    mutating func stalled(_ length: Span) { if until != .never { until = until + length } }
}

/// How fast the nodes of a job are, as they say when they ask and in their heartbeats.
struct UsualSpeed: Equatable, Sendable {
    private static let freshFor = Span.milliseconds(250)
    private var rates: [NodeID: Double] = [:]
    private var median = 0.0
    private var at: Instant?

    /// A node measured so many seconds a unit of cost.
    mutating func note(_ node: NodeID, _ secondsPerCost: Double) {
        if secondsPerCost > 0, secondsPerCost.isFinite { rates[node] = secondsPerCost }
    }

    /// Only these nodes count from now on: those that died say nothing about who is slow.
    mutating func keep(only nodes: [NodeID]) {
        let kept = Set(nodes)
        let count = rates.count
        rates = rates.filter { kept.contains($0.key) }
        if rates.count != count { at = nil }
    }

    /// The median of what nodes measured; 0: none did.
    mutating func secondsPerCost(now: Instant) -> Double {
        if let at, median > 0, now - at < Self.freshFor { return median }
        let known = rates.values.sorted()
        (median, at) = (known.isEmpty ? 0 : known[known.count / 2], now)
        return median
    }

    /// Whether a node that measured this is slow beside the others.
    mutating func isSlow(_ secondsPerCost: Double, now: Instant) -> Bool {
        let usual = self.secondsPerCost(now: now)
        return usual > 0 && secondsPerCost > usual * FirstTaste.slowFactor
    }

    /// Whether it was measured, and is not slow.
    mutating func isFast(_ node: NodeID, now: Instant) -> Bool {
        rates[node].map { !isSlow($0, now: now) } ?? false
    }
}
