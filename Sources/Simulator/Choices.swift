import Cluster

// A run in words: what `Options.command` prints and what `arbutus simulate` reads are the same choices, so a
// printed command repeats its run. What a command does not say is drawn from the seed.

/// One fault or job that is left out of a run: a schedule's name, "job" or "extra", and its position there.
public struct Omission: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let source: String
    public let position: Int

    public init(_ source: String, _ position: Int) {
        self.source = source
        self.position = position
    }

    public static func < (a: Omission, b: Omission) -> Bool {
        (a.source, a.position) < (b.source, b.position)
    }

    /// `source:position`, as the command line has it.
    public var description: String { "\(source):\(position)" }
}

/// A choice that cannot be; the text names it and says what can.
public struct ChoiceError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// What a command says about a run; nil leaves it to the seed.
public struct Choices: Equatable, Sendable {
    public var nodes: Int?
    /// Names with commas between them, or "none".
    public var schedule: String?
    /// Virtual minutes of faults.
    public var minutes: Double?
    /// Virtual seconds within which the nodes start.
    public var join: Double?
    /// `source:position` with commas between them; `a-b` for a span of positions.
    public var without: String?
    /// Faults beside the schedules', each as `Fault.text` has it, with semicolons between them.
    public var extra: String?
    /// Latency and jitter in milliseconds, loss, duplicates, reordered and replayed shares, commas between.
    public var network: String?

    public init() {}

    /// The run of a seed with these choices.
    public func options(seed: UInt64) throws(ChoiceError) -> Simulation.Options {
        var options = Simulation.Options.mixed(seed: seed)
        if let nodes {
            guard (1...5000).contains(nodes) else {
                throw ChoiceError("--nodes \(nodes) is not from 1 to 5000")
            }
            options.nodes = nodes
        }
        if let schedule { options.kinds = try Choices.kinds(schedule) }
        if let minutes {
            guard minutes > 0, minutes <= 10_000 else {
                throw ChoiceError("--minutes is not from 0 to 10000")
            }
            options.faultSpan = .milliseconds(Int((minutes * 60_000).rounded()))
        }
        if let join {
            guard join >= 0, join <= 3600 else { throw ChoiceError("--join is not from 0 to 3600") }
            options.joinSpan = .milliseconds(Int((join * 1000).rounded()))
        }
        if let without { options.without = try Choices.omissions(without) }
        if let extra { options.extra = try Choices.faults(extra, nodes: options.nodes) }
        if let network { options.network = try Choices.conditions(network) }
        return options
    }

    private static func kinds(_ text: String) throws(ChoiceError) -> [ScheduleKind] {
        var kinds: [ScheduleKind] = []
        for word in text.split(separator: ",") where text != "none" {
            guard let kind = ScheduleKind(rawValue: String(word)) else {
                let known = ScheduleKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw ChoiceError("no schedule is named \(word); there are none, \(known)")
            }
            kinds.append(kind)
        }
        return kinds
    }

    private static func omissions(_ text: String) throws(ChoiceError) -> Set<Omission> {
        var omissions: Set<Omission> = []
        for word in text.split(separator: ",") {
            let parts = word.split(separator: ":")
            let ends = parts.count == 2 ? parts[1].split(separator: "-").map { Int($0) } : []
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2,
                (0...100_000).contains(first), (first...100_000).contains(max(first, last))
            else { throw ChoiceError("--without \(word) is not name:position or name:first-last") }
            for position in first...max(first, last) {
                omissions.insert(Omission(String(parts[0]), position))
            }
        }
        return omissions
    }

    private static func faults(_ text: String, nodes: Int) throws(ChoiceError) -> [ScheduledFault] {
        var faults: [ScheduledFault] = []
        for word in text.split(separator: ";") {
            guard let fault = ScheduledFault(text: String(word)) else {
                throw ChoiceError("--extra \(word) is not a moment in ms and a fault, as 13000/crash/0 is")
            }
            guard fault.fault.highestMachine < nodes else {
                throw ChoiceError("--extra \(word) names a machine beyond the \(nodes) of this run")
            }
            faults.append(fault)
        }
        return faults
    }

    private static func conditions(_ text: String) throws(ChoiceError) -> NetworkConditions {
        let numbers = text.split(separator: ",").compactMap { Double($0) }
        guard numbers.count == 6, numbers.allSatisfy({ $0 >= 0 && $0 <= 60_000 }),
            numbers[2...].allSatisfy({ $0 <= 1 })
        else {
            throw ChoiceError("--network \(text) is not latency,jitter,loss,duplicates,reordered,replayed")
        }
        var conditions = NetworkConditions()
        conditions.latency = .seconds(numbers[0] / 1000)
        conditions.jitter = .seconds(numbers[1] / 1000)
        conditions.loss = numbers[2]
        conditions.duplicates = numbers[3]
        conditions.reordered = numbers[4]
        conditions.replayed = numbers[5]
        return conditions
    }
}

extension Simulation.Options {
    /// The command that repeats the run.
    public var command: String {
        var words = ["arbutus simulate", "--seed \(seed)", "--nodes \(nodes)"]
        words.append("--minutes \(faultSpan.seconds / 60)")
        words.append("--schedule \(kinds.isEmpty ? "none" : kinds.map(\.rawValue).joined(separator: ","))")
        words.append("--join \(joinSpan.seconds)")
        if !without.isEmpty { words.append("--without \(Simulation.Options.text(without))") }
        if !extra.isEmpty { words.append("--extra '\(extra.map(\.text).joined(separator: ";"))'") }
        if network != NetworkConditions() {
            let shares = [network.loss, network.duplicates, network.reordered, network.replayed]
            let spans = [network.latency, network.jitter].map { "\($0.seconds * 1000)" }
            words.append("--network \((spans + shares.map { "\($0)" }).joined(separator: ","))")
        }
        return words.joined(separator: " ")
    }

    /// Neighbouring positions of one source as a span.
    private static func text(_ omissions: Set<Omission>) -> String {
        var spans: [(source: String, first: Int, last: Int)] = []
        for omission in omissions.sorted() {
            if let end = spans.last, end.source == omission.source, end.last + 1 == omission.position {
                spans[spans.count - 1].last = omission.position
            } else {
                spans.append((omission.source, omission.position, omission.position))
            }
        }
        return spans.map { span in
            span.first == span.last
                ? "\(span.source):\(span.first)" : "\(span.source):\(span.first)-\(span.last)"
        }.joined(separator: ",")
    }
}
