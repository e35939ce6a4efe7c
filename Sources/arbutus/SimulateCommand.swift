import ArgumentParser
import Cluster
import Mosaic
import Simulator

struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs the cluster protocol under a virtual clock, with faults, and checks what must hold.",
        discussion: """
            First faults strike and safety is checked after every event; then they stop, and the \
            cluster must come to rest and every job must end. Each run begins with the command that \
            repeats it. When an invariant is violated the run is made small: the shortest command that \
            was found to fail in the same way is printed with the last events of the nodes concerned, \
            and the exit code is 1. scripts/fuzz-seeds runs fresh seeds and keeps what fails.

            With --task-seconds, --speeds or --link it answers a question instead: how long would a job \
            of so many tasks take on nodes like these? For example \
            'arbutus simulate --nodes 4 --speeds 1,1,0.5 --tasks 230 --task-seconds 1.2 --link 1Gb/s'.
            """)

    @Option(
        help: ArgumentHelp(
            "Nodes of the cluster, 1 to 5000; without it seeds choose 1 to 64.", valueName: "n"))
    var nodes: Int?

    @Option(
        help: ArgumentHelp(
            "Tasks of a job that the first node is given, of one second each without --task-seconds.",
            valueName: "n"))
    var tasks = 0

    @Option(help: ArgumentHelp("The first seed.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("How many seeds to run.", valueName: "n"))
    var seeds = 1

    @Option(
        help: ArgumentHelp(
            "Faults, separated by commas: none, or of "
                + ScheduleKind.allCases.map(\.rawValue).joined(separator: ", ")
                + " (default: the seed's own mixture).", valueName: "list"))
    var schedule: String?

    @Option(help: ArgumentHelp("Virtual minutes during which faults strike.", valueName: "n"))
    var minutes: Double?

    @Option(help: ArgumentHelp("Virtual seconds within which the nodes start.", valueName: "n"))
    var join: Double?

    @Option(
        help: ArgumentHelp(
            "Leave out single faults or jobs: crashes:2,job:0,keys:3-7.", valueName: "list"))
    var without: String?

    @Option(
        help: ArgumentHelp(
            "Faults beside the schedules', a moment in ms first: '13000/crash/0;20000/start/0'.",
            valueName: "list"))
    var extra: String?

    @Option(
        help: ArgumentHelp(
            "The network: latency and jitter in ms, shares lost, doubled, reordered and replayed.",
            valueName: "numbers"))
    var network: String?

    @OptionGroup(title: "How long would a job take?")
    var forecast: ForecastOptions

    @Flag(help: "Write the reports as JSON to stdout, one behind the other.")
    var json = false

    mutating func run() throws {
        guard (1...1_000_000).contains(seeds) else {
            throw RequestError("--seeds \(seeds) is not from 1 to 1000000")
        }
        if let name = forecast.figure { return try measure(name) }
        if forecast.isAsked {
            for number in seed..<seed + UInt64(seeds) { try foresee(number) }
            return
        }
        for number in seed..<seed + UInt64(seeds) {
            let options = try options(seed: number)
            if !json { try Terminal.print("\(options.command)\(tasks > 0 ? " --tasks \(tasks)" : "")") }
            let report = Simulation.run(options)
            let facts = SimulationFacts(report, options: options)
            try Terminal.print(json ? JSONText.of(facts) : facts.text)
            guard report.violation == nil else {
                if !json { try explain(report) }
                throw ExitCode(ExitStatus.failed)
            }
        }
    }

    /// The smallest run that fails in the same way, and what its nodes heard last.
    private func explain(_ failed: Simulation.Report) throws {
        let small = Simulation.shrunk(failed)
        guard let violation = small.violation, let command = small.command else { return }
        try Terminal.print("\nmade small, \(violation.invariant): \(violation.what)")
        try Terminal.print("\(small.recent.joined(separator: "\n"))\n\n\(command)")
    }

    func options(seed: UInt64) throws -> Simulation.Options {
        var choices = Choices()
        choices.nodes = nodes
        choices.schedule = schedule
        choices.minutes = minutes
        choices.join = join
        choices.without = without
        choices.extra = extra
        choices.network = network
        var options: Simulation.Options
        do {
            options = try choices.options(seed: seed)
        } catch { throw RequestError(error.description) }
        guard (0...100_000).contains(tasks) else {
            throw RequestError("--tasks \(tasks) is not from 0 to 100000")
        }
        if tasks > 0 {
            options.jobs = [
                Workload(at: .seconds(10), machine: 0, costs: [Double](repeating: 1, count: tasks))
            ]
        }
        return options
    }
}

/// What `simulate` shows of a run.
struct SimulationFacts: Codable {
    var seed: UInt64
    var nodes: Int
    var violation: String?
    /// Of the whole run; equal seeds give equal traces.
    var trace: String
    var virtualSeconds: Double
    /// From the end of the faults to rest; nil when it was not reached.
    var restedAfterSeconds: Double?
    /// From a node's silence until every running node knew, in seconds.
    var detections: [Double]
    var falseDeaths: Int
    var completedJobs: Int
    /// Starts of tasks, repeated ones included.
    var taskRuns: Int
    /// A node and second.
    var datagramBytes: Double
    var frameBytes: Double

    init(_ report: Simulation.Report, options: Simulation.Options) {
        seed = options.seed
        nodes = options.nodes
        violation = report.violation.map { "\($0.invariant) after \($0.at.seconds) s: \($0.what)" }
        trace = String(report.trace, radix: 16)
        virtualSeconds = report.span.seconds
        restedAfterSeconds = report.restedAfter?.seconds
        detections = report.detections.map(\.span.seconds).sorted()
        falseDeaths = report.falseDeaths
        completedJobs = report.completedJobs
        taskRuns = report.taskRuns
        datagramBytes = report.datagramRate
        frameBytes = report.frameRate
    }

    var text: String {
        var table = Table([.left, .left])
        table.add("nodes", "\(nodes), \(Quantity.duration(virtualSeconds)) of virtual time, trace \(trace)")
        table.add("rest", restedAfterSeconds.map { "after \(Quantity.duration($0))" } ?? "not reached")
        if let slowest = detections.last {
            let middle = Quantity.duration(detections[detections.count / 2])
            table.add(
                "deaths known", "\(detections.count), median \(middle), slowest \(Quantity.duration(slowest))"
            )
        }
        table.add("false deaths", "\(falseDeaths)")
        if completedJobs + taskRuns > 0 {
            table.add("jobs", "\(completedJobs) complete, \(taskRuns) task runs")
        }
        table.add(
            "sent", "\(Int(datagramBytes)) B/s of datagrams and \(Int(frameBytes)) B/s of frames a node")
        table.add("violated", violation ?? "nothing")
        return table.text
    }
}
