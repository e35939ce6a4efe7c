import Cluster

/// The rows of PROTOCOL section 8 that membership decides, measured by simulation. A figure is the
/// distribution over seeds; what is assumed is said with it.
public enum Figures {
    /// Numbers in ascending order.
    public struct Distribution: Sendable {
        public let values: [Double]

        public init(_ values: [Double]) { self.values = values.sorted() }

        /// The middle value; NaN without values.
        public var median: Double { quantile(0.5) }
        /// The value that 99 of 100 do not exceed; NaN without values.
        public var p99: Double { quantile(0.99) }
        /// The average; NaN without values.
        public var mean: Double { values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count) }

        /// The smallest value that at least this share of the values does not exceed; NaN without values.
        public func quantile(_ share: Double) -> Double {
            guard !values.isEmpty else { return .nan }
            let rank = (share * Double(values.count)).rounded(.up)
            return values[min(values.count - 1, max(0, Int(rank) - 1))]
        }
    }

    /// What one run of a quiet cluster sends and how many deaths it wrongly declares.
    public struct Quiet: Sendable {
        /// Bytes a second and node, IP and UDP headers included, sent.
        public var datagramRate = 0.0
        /// Bytes a second and node on links, TCP and IP headers included.
        public var frameRate = 0.0
        public var falseDeaths = 0
        public var nodeHours = 0.0
        public var events = 0
        /// Virtual time that was measured.
        public var span = Span.zero
        /// Real seconds that this took.
        public var wallSeconds = 0.0
    }

    /// Seconds from the silence of one node until every other node calls it dead. The cluster is warm,
    /// latency 1 ms plus an exponential millisecond; `kind` is "crash" (the host falls silent) or "kill" (the
    /// process dies, the host stays).
    public static func detection(nodes: Int, loss: Double, kind: String, seeds: Range<UInt64>) -> Distribution
    {
        Distribution(
            seeds.map { seed in
                var options = calm(nodes, loss, seed)
                options.faultSpan = .seconds(70)
                var chance = SeededGenerator(seed: seed ^ 0x6465_7465_6374)
                let victim = chance.below(nodes)
                let at = chance.span(from: .seconds(20), to: .seconds(30))
                options.extra = [ScheduledFault(at: at, kind == "kill" ? .kill(victim) : .crash(victim))]
                let simulation = Simulation(options)
                simulation.strike(stopWhenKnown: true)
                return simulation.report().detections.first { $0.kind == kind }?.span.seconds ?? .infinity
            })
    }

    /// A warm cluster without faults but loss, measured from 20 s on. With `starved`, that share of the nodes
    /// stalls again and again for 0.3–8 s; only deaths of the others count as false.
    public static func quiet(
        nodes: Int, loss: Double, starved: Double = 0, span: Span, seed: UInt64
    ) -> Quiet {
        var options = calm(nodes, loss, seed)
        options.faultSpan = .seconds(20)
        var chance = SeededGenerator(seed: seed ^ 0x7374_6172_7665)
        for index in 0..<Int(Double(nodes) * starved) {
            var at = Span.seconds(20)
            while at < span + .seconds(20) {
                at = at + chance.span(from: .seconds(1), to: .seconds(20))
                options.extra.append(
                    ScheduledFault(
                        at: at, .stall(index, chance.span(from: .milliseconds(300), to: .seconds(8)))))
            }
        }
        let simulation = Simulation(options)
        simulation.strike()
        let before = simulation.report()
        let clock = ContinuousClock()
        let began = clock.now
        simulation.go(on: span)
        let took = began.duration(to: clock.now).components
        let after = simulation.report()
        let (start, end) = (before.span.seconds, after.span.seconds)
        var quiet = Quiet()
        quiet.datagramRate = (after.datagramRate * end - before.datagramRate * start) / (end - start)
        quiet.frameRate = (after.frameRate * end - before.frameRate * start) / (end - start)
        quiet.falseDeaths = after.falseDeaths - before.falseDeaths
        quiet.nodeHours = Double(nodes) * (end - start) / 3600
        quiet.wallSeconds = Double(took.seconds) + Double(took.attoseconds) * 1e-18
        quiet.events = after.events - before.events
        quiet.span = Span.seconds(end - start)
        return quiet
    }

    /// Seconds from the healing of a partition into two random halves, which lasted a minute, until all views
    /// agree.
    public static func merging(nodes: Int, seeds: Range<UInt64>) -> Distribution {
        Distribution(
            seeds.map { seed in
                var options = calm(nodes, 0, seed)
                var chance = SeededGenerator(seed: seed ^ 0x6D65_7267_65)
                var groups = (0..<nodes).map { _ in chance.below(2) }
                (groups[0], groups[nodes - 1]) = (0, 1)
                options.faultSpan = .seconds(90) + chance.span(from: .zero, to: .seconds(8))
                options.extra = [ScheduledFault(at: .seconds(30), .partition(groups))]
                let simulation = Simulation(options)
                simulation.strike()
                simulation.heal()
                return simulation.rest(watching: .milliseconds(200))?.seconds ?? .infinity
            })
    }

    static func calm(_ nodes: Int, _ loss: Double, _ seed: UInt64) -> Simulation.Options {
        var options = Simulation.Options()
        options.nodes = nodes
        options.seed = seed
        options.joinSpan = .milliseconds(5)
        options.warm = true
        options.network.loss = loss
        options.checks = nodes <= 64
        return options
    }
}
