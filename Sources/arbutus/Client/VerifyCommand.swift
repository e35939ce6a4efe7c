import ArgumentParser
import Client
import Foundation
import Mosaic

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Has a share of a job's tasks made again on other nodes, and compares digests.",
        discussion: """
            Each task is made by another node than the one that made it, without the results that are kept. \
            Exit codes: 0 all are equal, 1 one differs, 3 some could not be made again.
            """)

    @OptionGroup var job: JobArgument
    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    @Option(help: ArgumentHelp("How much of the job: 1%, 0.5, all.", valueName: "share"))
    var share = "1%"

    @Flag(help: "Write what came of each task as JSON to stdout.")
    var json = false

    mutating func run() throws {
        let (text, part, isQuiet) = (job.id, try Self.share(share), json)
        let report = try cluster.run { client in
            let id = try await client.jobID(from: text)
            return try await client.verify(id, share: part) { task in
                if !isQuiet { Terminal.say(Terminal.printable(Self.line(task))) }
            }
        }
        try Terminal.print(json ? try JSONText.of(report) : Self.summary(report))
        if !report.differing.isEmpty { throw ExitCode(ExitStatus.failed) }
        if !report.unchecked.isEmpty { throw ExitCode(ExitStatus.partial) }
    }

    /// `1%`, `0.01` or `all` as a number above 0 and at most 1.
    ///
    /// - Throws: `RequestError`.
    static func share(_ text: String) throws -> Double {
        let bare = text.filter { $0 != " " }
        let value =
            bare == "all" ? 1 : bare.hasSuffix("%") ? Double(bare.dropLast()).map { $0 / 100 } : Double(bare)
        guard let value, value > 0, value <= 1 else {
            throw RequestError(
                "--share \(RequestError.quoted(text)) is no share of the tasks; write 1%, 0.01 or all")
        }
        return value
    }

    /// `task 12: equal (made by 1f0e…, again by 3a7c…)`
    static func line(_ task: VerificationReport.Task) -> String {
        let maker = task.maker ?? "a node that nobody remembers"
        switch (task.isEqual, task.checker) {
        case (true?, let checker?): return "task \(task.task): equal (made by \(maker), again by \(checker))"
        case (false?, let checker?):
            return "task \(task.task): DIFFERS (made by \(maker), again by \(checker))"
        default: return "task \(task.task): not made again: \(task.reason ?? "no reason given")"
        }
    }

    /// `3 of 48 tasks made again: all equal`
    static func summary(_ report: VerificationReport) -> String {
        var words = "\(report.drawn - report.unchecked.count) of \(report.total) tasks made again: "
        if report.unchecked.count == report.drawn {
            words += "nothing could be compared"
        } else {
            words += report.differing.isEmpty ? "all equal" : "\(report.differing.count) differ"
        }
        if !report.unchecked.isEmpty { words += "; \(report.unchecked.count) could not be made again" }
        return words
    }
}
