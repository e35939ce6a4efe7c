import ArgumentParser
import Client
import Foundation

struct JobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Lists the jobs of the cluster.")

    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    @Flag(help: "Write the list as JSON to stdout.")
    var json = false

    mutating func run() throws {
        let (jobs, bytes) = try cluster.run { try await $0.jobs() }
        try Terminal.print(json ? try JSONText.indented(bytes) : JobTable.text(jobs))
    }
}

struct JobCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Shows one job.")

    @OptionGroup var job: JobArgument
    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    @Flag(help: "Write the job as JSON to stdout.")
    var json = false

    mutating func run() throws {
        let text = job.id
        let (job, bytes) = try cluster.run { try await $0.job(try await $0.jobID(from: text)) }
        try Terminal.print(json ? try JSONText.indented(bytes) : JobTable.text(job))
    }
}

struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Stops a job; resume goes on with it.")

    @OptionGroup var job: JobArgument
    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    @Flag(help: "Write the job as JSON to stdout.")
    var json = false

    mutating func run() throws {
        let text = job.id
        let (job, bytes) = try cluster.run { try await $0.cancel(try await $0.jobID(from: text)) }
        try Terminal.print(json ? try JSONText.indented(bytes) : JobTable.text(job))
    }
}

struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Starts the next run of a job that failed, is partial or was cancelled.",
        discussion: "Tasks that are done are not done again.")

    @OptionGroup var job: JobArgument
    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    @Flag(help: "Write the job as JSON to stdout.")
    var json = false

    mutating func run() throws {
        let text = job.id
        let (job, bytes) = try cluster.run { try await $0.resume(try await $0.jobID(from: text)) }
        try Terminal.print(json ? try JSONText.indented(bytes) : JobTable.text(job))
    }
}

struct MembersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members", abstract: "Lists the nodes of the cluster as one of them sees them.")

    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    @Flag(help: "Write the list as JSON to stdout.")
    var json = false

    mutating func run() throws {
        let (members, bytes) = try cluster.run { try await $0.members() }
        try Terminal.print(json ? try JSONText.indented(bytes) : MemberTable.text(members))
    }
}

extension JSONText {
    /// JSON of a node in the form in which all commands write it.
    static func indented(_ bytes: Data) throws -> String {
        let value = try JSONSerialization.jsonObject(with: bytes)
        let text = try JSONSerialization.data(
            withJSONObject: value, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        return String(decoding: text, as: UTF8.self)
    }
}

/// Jobs as tables.
enum JobTable {
    /// A line for each job.
    static func text(_ jobs: [JobReport]) -> String {
        var table = Table([.left, .left, .left, .right, .left, .left])
        table.add("job", "state", "now", "run", "coordinator", "title")
        for job in jobs {
            table.add(job.jobID, job.state, now(job), "\(job.run)", job.coordinator, job.title)
        }
        return table.text
    }

    /// What one job is.
    static func text(_ job: JobReport) -> String {
        var table = Table([.left, .left])
        table.add("job", job.jobID)
        table.add("title", job.title)
        table.add("state", job.state)
        if let message = job.message { table.add("why", message) }
        table.add("now", now(job))
        table.add("run", "\(job.run)")
        table.add("coordinator", job.coordinator)
        table.add("keepers", job.keepers.isEmpty ? "none yet" : job.keepers.joined(separator: ", "))
        table.add("outputs on", job.holders.isEmpty ? "none yet" : job.holders.joined(separator: ", "))
        return table.text
    }

    private static func now(_ job: JobReport) -> String {
        guard job.ending == nil else { return "ended" }
        return words(job.phase)
    }

    /// `waitingForRoom` as people write it.
    static func words(_ phase: String) -> String {
        phase.reduce(into: "") { text, letter in
            text += letter.isUppercase ? " " + letter.lowercased() : String(letter)
        }
    }
}

/// Members as a table.
enum MemberTable {
    static func text(_ members: MembersReport) -> String {
        var table = Table([.left, .left, .left, .left, .right, .right, .left, .left])
        table.add("node", "name", "state", "address", "epoch", "slots", "room", "why")
        for member in members.members {
            let slots = member.slots.map { "\($0)" } ?? "–"
            let room = member.hasRoom.map { $0 ? "yes" : "no" } ?? "–"
            let node = member.node == members.node ? member.node + " (answers)" : member.node
            table.add(
                node, member.facts?.name ?? "–", member.state, member.address, "\(member.epoch)", slots, room,
                member.why ?? "–")
        }
        if !members.members.contains(where: { $0.node == members.node }) {
            table.add(members.node + " (answers)", "–", "alive", "–", "–", "–", "–", "it answers")
        }
        return table.text
    }
}
