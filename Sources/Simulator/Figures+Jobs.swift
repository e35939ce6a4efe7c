import Cluster

// The rows of PROTOCOL section 8 about stealing: how well a job fills the machines.

extension Figures {
    /// A cluster and a job for it.
    public struct JobCase: Sendable {
        public var nodes = 4
        public var tasksPerNode = 64
        public var costs = TaskCosts()
        public var speeds = [1.0]
        /// Tasks a node runs at a time, and how many of them compute.
        public var slots = 1
        public var cores = 1
        public var link: LinkCapacity?
        /// The machine with the scenes; nil: each node has them.
        public var inputsAt: Int?
        public var loss = 0.0
        public var extra: [ScheduledFault] = []
        /// The most virtual time from the submission to the end.
        public var limit = Span.seconds(3600)

        public init() {}

        /// The run that measures it. A quiet LAN: one way 0.1 ms and an exponential 0.05 ms.
        func options(seed: UInt64) -> Simulation.Options {
            var options = Figures.calm(nodes, loss, seed)
            options.network.latency = .milliseconds(1) * 0.1
            options.network.jitter = .milliseconds(1) * 0.05
            options.faultSpan = .seconds(2)
            options.configuration.link = LinkMeasure(roundTrip: .milliseconds(1), bytesPerSecond: 0)
            (options.slots, options.cores) = (slots, cores)
            (options.speeds, options.link, options.extra) = (speeds, link, extra)
            let tasks = costs.tasks(nodes * tasksPerNode, seed: seed)
            var chance = SeededGenerator(seed: seed ^ 0x7375_626D)
            options.jobs = [
                Workload(
                    at: .seconds(3), machine: chance.below(nodes), tasks: tasks, inputsAt: inputsAt)
            ]
            return options
        }
    }

    /// How a job went, seed by seed.
    public static func job(_ job: JobCase, seed: UInt64) -> JobOutcome {
        Simulation.runJob(job.options(seed: seed), limit: job.limit)
    }
}
