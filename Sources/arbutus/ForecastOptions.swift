import ArgumentParser
import Cluster
import Foundation
import Mosaic
import Simulator

/// "How long would this job take on k nodes of these speeds?": options of `arbutus simulate`, and the answer.
struct ForecastOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Mean seconds of a task on a core of speed 1; --tasks says how many.",
            valueName: "s"))
    var taskSeconds: Double?

    @Option(
        help: ArgumentHelp(
            "Speeds of the nodes' cores, separated by commas: 1,1,0.5. A shorter list is repeated.",
            valueName: "list"))
    var speeds: String?

    @Option(
        help: ArgumentHelp(
            "Each node's link both ways, such as 1Gb/s or 100Mb/s (default: it costs no time).",
            valueName: "rate"))
    var link: String?

    @Option(help: ArgumentHelp("Cores of a node that compute.", valueName: "n"))
    var cores = 2

    @Option(
        help: ArgumentHelp(
            "The node whose disk holds the scenes, counted from 0 (default: each node reads them from "
                + "elsewhere, at no cost).", valueName: "n"))
    var scenesAt: Int?

    @Option(help: ArgumentHelp("Source bytes of a task in MB.", valueName: "MB"))
    var inputMB = 10.0

    @Option(help: ArgumentHelp("Bytes of a task's result in MB.", valueName: "MB"))
    var resultMB = 4.5

    @Option(
        help: ArgumentHelp(
            "How tasks differ: the standard deviation of the logarithm of their seconds.", valueName: "sigma")
    )
    var spread = 0.8

    @Option(
        help: ArgumentHelp("Share of the tasks, in patches, that are 20 times dearer.", valueName: "share"))
    var dear = 0.0

    @Option(
        help: ArgumentHelp("How wrong the plan's predicted costs are: 0.4 is 40 %.", valueName: "share"))
    var error = 0.4

    @Option(
        help: ArgumentHelp(
            "Measure a row of the protocol's figures (see scripts/bench).", visibility: .hidden))
    var figure: String?

    /// Whether a forecast is asked for, not a run with faults.
    var isAsked: Bool { taskSeconds != nil || speeds != nil || link != nil }

    /// Turns a run into a forecast's: a warm cluster, and a job one second after its start.
    func apply(to options: inout Simulation.Options, tasks: Int) throws {
        guard tasks > 0 else { throw RequestError("a forecast needs the job's size: --tasks N") }
        options.speeds = try speedList()
        if let scenesAt, !(0..<options.nodes).contains(scenesAt) {
            throw RequestError("--scenes-at \(scenesAt) is not from 0 to \(options.nodes - 1)")
        }
        guard (1...1024).contains(cores) else { throw RequestError("--cores \(cores) is not from 1 to 1024") }
        (options.cores, options.slots) = (cores, link == nil ? cores : cores + 1)
        options.link = try link.map(Self.capacity)
        options.warm = true
        options.joinSpan = .milliseconds(5)
        options.network.latency = Span(nanoseconds: 100_000)
        options.network.jitter = Span(nanoseconds: 50_000)
        options.configuration.link = LinkMeasure(roundTrip: .milliseconds(1), bytesPerSecond: 0)
        options.checks = options.nodes <= 64
        options.jobs = [
            Workload(
                at: .seconds(3), machine: 0, tasks: try costs().tasks(tasks, seed: options.seed),
                inputsAt: link == nil ? nil : scenesAt)
        ]
    }

    /// The command that gives the same forecast, every option named.
    func command(_ options: Simulation.Options, tasks: Int, schedule: String?, extra: String?) -> String {
        var words = ["arbutus simulate --seed \(options.seed) --nodes \(options.nodes) --tasks \(tasks)"]
        words.append("--task-seconds \(taskSeconds ?? 1.2) --speeds \(speeds ?? "1") --cores \(cores)")
        words.append("--spread \(spread) --dear \(dear) --error \(error)")
        if let link { words.append("--link \(link) --input-mb \(inputMB) --result-mb \(resultMB)") }
        if let extra { words.append("--extra '\(extra)'") }
        if let schedule { words.append("--schedule \(schedule)") }
        if let scenesAt { words.append("--scenes-at \(scenesAt)") }
        return words.joined(separator: " ")
    }

    /// Seconds that the slowest node needs alone: the job takes less.
    func alone(_ options: Simulation.Options) -> Double {
        let work = options.jobs.flatMap(\.tasks).reduce(0) { $0 + $1.seconds }
        let slowest = options.speeds.min() ?? 1
        let bytes = options.jobs.flatMap(\.tasks).reduce(0) { $0 + $1.inputBytes + 2 * $1.resultBytes }
        return work / slowest + Double(bytes) / (options.link?.up ?? .infinity)
    }

    private func costs() throws -> TaskCosts {
        var costs = TaskCosts()
        costs.meanSeconds = try Self.checked(taskSeconds ?? 1.2, "--task-seconds", 0.001...86_400)
        costs.sigma = try Self.checked(spread, "--spread", 0...3)
        costs.dearShare = try Self.checked(dear, "--dear", 0...1)
        costs.predictionError = try Self.checked(error, "--error", 0...3)
        costs.inputBytes = Int(try Self.checked(inputMB, "--input-mb", 0...100_000) * 1e6)
        costs.resultBytes = Int(try Self.checked(resultMB, "--result-mb", 0...100_000) * 1e6)
        return costs
    }

    private func speedList() throws -> [Double] {
        try (speeds ?? "1").split(separator: ",", omittingEmptySubsequences: false).map { word in
            guard let speed = Double(word) else {
                throw RequestError("--speeds: '\(word)' is not a number; it is a list such as 1,1,0.5")
            }
            return try Self.checked(speed, "--speeds", 0.001...1000)
        }
    }

    private static func checked(_ value: Double, _ name: String, _ range: ClosedRange<Double>) throws
        -> Double
    {
        guard range.contains(value) else {
            throw RequestError("\(name) \(value) is not from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// `1Gb/s`, `100Mb/s`: bits, as networks are sold.
    static func capacity(_ text: String) throws -> LinkCapacity {
        for (unit, factor) in [("gb/s", 1.0), ("gbit/s", 1.0), ("mb/s", 0.001), ("mbit/s", 0.001)] {
            guard text.lowercased().hasSuffix(unit) else { continue }
            let digits = text.dropLast(unit.count).trimmingCharacters(in: .whitespaces)
            guard let rate = Double(digits), rate > 0, rate * factor <= 1000 else { break }
            return .gigabits(rate * factor)
        }
        throw RequestError("--link \(text) is no rate; it is bits a second, such as 1Gb/s or 100Mb/s")
    }
}

extension SimulateCommand {
    /// Prints the numbers of one row of the protocol's figures as JSON.
    func measure(_ name: String) throws {
        guard let row = FigureRow(rawValue: name) else {
            let known = FigureRow.allCases.map(\.rawValue).joined(separator: ", ")
            throw RequestError("no figure is named \(name); there are \(known)")
        }
        try Terminal.print(JSONText.of(FigureFacts(row, seed: seed, seeds: seeds)))
    }

    /// Runs a job on machines as described, without faults unless some are asked for.
    func foresee(_ seed: UInt64) throws {
        var options = Simulation.Options()
        if schedule != nil || extra != nil { options = try self.options(seed: seed) }
        if schedule == nil { options.kinds = [] }
        guard (1...5000).contains(nodes ?? 1) else {
            throw RequestError("--nodes \(nodes ?? 1) is not from 1 to 5000")
        }
        (options.nodes, options.seed) = (nodes ?? 1, seed)
        try forecast.apply(to: &options, tasks: tasks)
        if !json {
            try Terminal.print(forecast.command(options, tasks: tasks, schedule: schedule, extra: extra))
        }
        let limit = Span.seconds(100) + .seconds(3 * forecast.alone(options))
        if options.kinds.isEmpty { options.faultSpan = .seconds(2) }
        let facts = ForecastFacts(Simulation.runJob(options, limit: limit), options: options)
        try Terminal.print(json ? JSONText.of(facts) : facts.text)
        guard facts.violation == nil, facts.makespanSeconds != nil else { throw ExitCode(ExitStatus.failed) }
    }
}

/// What a forecast shows.
struct ForecastFacts: Codable {
    var seed: UInt64
    var nodes: Int
    var speeds: [Double]
    var tasks: Int
    /// From the submission to the published outputs; nil when the job did not end in time.
    var makespanSeconds: Double?
    /// From the first task to the last result.
    var computingSeconds: Double?
    /// Core seconds at speed 1.
    var workSeconds: Double
    /// Work ÷ (cores × speed × computing).
    var efficiency: Double
    var steals: Int
    /// Shares of the work: on tasks with rescue copies, and on others.
    var rescuedTwice: Double
    var duplicates: Double
    var detections: [Double]
    /// A node, in order: job data sent and received, control traffic sent.
    var sentBytes: [Int]
    var receivedBytes: [Int]
    var controlBytes: [Int]
    var lostTasks: Int
    var violation: String?

    init(_ outcome: JobOutcome, options: Simulation.Options) {
        (seed, nodes, tasks) = (options.seed, options.nodes, outcome.tasks)
        speeds = (0..<options.nodes).map { options.speeds[$0 % options.speeds.count] }
        makespanSeconds = outcome.makespan?.seconds
        computingSeconds = outcome.computing?.seconds
        (workSeconds, efficiency, steals) = (outcome.work, outcome.efficiency, outcome.steals)
        (rescuedTwice, duplicates) = (outcome.rescueShare, outcome.duplicateShare)
        detections = outcome.detections.map(\.span.seconds).sorted()
        sentBytes = outcome.sent.map { Int($0) }
        receivedBytes = outcome.received.map { Int($0) }
        controlBytes = outcome.control.map { Int($0) }
        lostTasks = outcome.lostTasks
        violation = outcome.violation.map { "\($0.invariant) after \($0.at.seconds) s: \($0.what)" }
    }

    var text: String {
        func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }
        func most(_ bytes: [Int]) -> String { Quantity.bytes(bytes.max() ?? 0) }
        var table = Table([.left, .left])
        table.add("makespan", makespanSeconds.map(Quantity.duration) ?? "not within the time given")
        table.add(
            "computing",
            (computingSeconds.map(Quantity.duration) ?? "not all tasks")
                + ", the rest is planning and writing outputs")
        table.add(
            "work", "\(tasks) tasks, \(Quantity.duration(workSeconds)) of one core of speed 1")
        table.add("efficiency", percent(efficiency) + " of all cores, while computing")
        table.add("steals", "\(steals)")
        table.add("done twice", "\(percent(rescuedTwice)) by rescues, \(percent(duplicates)) otherwise")
        table.add(
            "deaths known",
            detections.isEmpty ? "nobody died" : detections.map(Quantity.duration).joined(separator: ", "))
        table.add(
            "bytes a node",
            "at most \(most(sentBytes)) sent and \(most(receivedBytes)) received, "
                + "\(most(controlBytes)) of control")
        table.add("lost", lostTasks == 0 && makespanSeconds != nil ? "nothing" : "\(lostTasks) tasks")
        if let violation { table.add("violated", violation) }
        return table.text
    }
}

/// One row of the protocol's figures, seed by seed.
struct FigureFacts: Codable {
    var row: String
    var firstSeed: UInt64
    var seeds: Int
    /// All numbers of all seeds, by what they are; infinite ones are written as 1e300.
    var numbers: [String: [Double]]
    /// Invariants that were violated: the seed, which and how.
    var violated: [String] = []

    init(_ row: FigureRow, seed: UInt64, seeds: Int) {
        (self.row, firstSeed, self.seeds) = (row.rawValue, seed, seeds)
        numbers = [:]
        for number in seed..<seed + UInt64(seeds) {
            for (name, values) in row.measure(seed: number, violated: { violated.append($0) }) {
                numbers[name, default: []] += values.map { $0.isFinite ? $0 : 1e300 }
            }
        }
    }
}
