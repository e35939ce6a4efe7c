import ArgumentParser
import Client
import Foundation
import Synchronization

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Follows a job to its end.",
        discussion: """
            Exit codes: 0 done, 1 failed or cancelled, 3 partial. A node that dies is left for the next one; \
            with --json the job is written to stdout when it has ended.
            """)

    @OptionGroup var job: JobArgument
    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    @Flag(help: "Write the job at its end as JSON to stdout; no progress.")
    var json = false

    mutating func run() throws {
        let text = job.id
        let printer = WatchPrinter(.fitting(json: json))
        defer { printer.finish() }
        let last = try cluster.run(stopping: printer.finish) { client in
            let id = try await client.jobID(from: text)
            return try await JobWatch(client, job: id).run { printer.report($0) }
        }
        printer.finish()
        if json { try Terminal.print(try JSONText.of(last)) }
        try WatchPrinter.end(last, quietly: json)
    }
}

/// Shows how a job goes on, on stderr: one redrawn line on a terminal, a line for each change in a pipe.
final class WatchPrinter: Sendable {
    private struct State {
        var shown = ""
        var isDrawn = false
        var isFinished = false
        var shownAt: ContinuousClock.Instant?
        var phase = ""
        var isRunning = false
    }

    private let style: ProgressPrinter.Style
    private let state = Mutex(State())

    init(_ style: ProgressPrinter.Style) { self.style = style }

    /// Takes a piece of news from any thread.
    func report(_ news: JobWatch.News) {
        state.withLock { state in
            guard !state.isFinished else { return }
            let line = Self.line(news)
            switch style {
            case .silent: return
            case .lines where line != state.shown && Self.isDue(news, state): Terminal.say(line)
            case .redrawn(let colour):
                let text = Self.bar(news, columns: Terminal.columns, colour: colour) ?? line
                Terminal.write("\r\u{1B}[2K" + text, to: .standardError)
                state.isDrawn = true
            case .lines: return
            }
            state.shown = line
            state.shownAt = .now
            if case .stands(let job) = news {
                (state.phase, state.isRunning) = (job.phase, job.ending == nil)
            }
        }
    }

    /// Progress is worth a line every five seconds, a change at once.
    private static func isDue(_ news: JobWatch.News, _ state: State) -> Bool {
        guard case .stands(let job) = news, job.phase == state.phase, state.isRunning, job.ending == nil,
            let last = state.shownAt
        else { return true }
        return .now - last >= .seconds(5)
    }

    /// Takes the redrawn line away for good.
    func finish() {
        state.withLock { state in
            state.isFinished = true
            guard state.isDrawn else { return }
            Terminal.write("\r\u{1B}[2K", to: .standardError)
            state.isDrawn = false
        }
    }

    /// `running, 40 %, run 2, coordinated by 1f0e…`
    static func line(_ news: JobWatch.News) -> String {
        switch news {
        case .silence(let reason): return "arbutus: " + Terminal.printable(reason) + "; trying again"
        case .stands(let job):
            var parts = [job.ending == nil ? JobTable.words(job.phase) : job.state]
            if let progress = job.progress, let done = job.tasksDone, let total = job.tasksTotal,
                job.ending == nil
            {
                parts += ["\(done) of \(total) tasks", "\(progress) %"]
                if let left = job.secondsLeft?.last, done < total {
                    parts.append("\(Quantity.duration(left)) left")
                }
            }
            if job.run > 1 { parts.append("run \(job.run)") }
            if let message = job.message, job.ending == nil { parts.append(message) }
            if job.ending == nil { parts.append("coordinated by \(job.coordinator)") }
            return Terminal.printable(parts.joined(separator: ", "))
        }
    }

    /// The line with a bar as wide as there is room for; nil when there is nothing to draw one of.
    static func bar(_ news: JobWatch.News, columns: Int, colour: Bool) -> String? {
        guard case .stands(let job) = news, let progress = job.progress, job.ending == nil else { return nil }
        let words = line(news)
        let room = min(30, columns - words.count - 3)
        guard room >= 5 else { return String(words.prefix(max(0, columns - 1))) }
        let filled = room * max(0, min(100, progress)) / 100
        let full = String(repeating: "█", count: filled)
        let drawn =
            (colour ? "\u{1B}[32m\(full)\u{1B}[0m" : full) + String(repeating: "░", count: room - filled)
        return drawn + "  " + words
    }

    /// Says how the job ended.
    ///
    /// - Throws: the exit code of INTERFACES.md, unless the job is done.
    static func end(_ job: JobReport, quietly: Bool = false) throws {
        if !quietly {
            let why = job.message.map { ": " + Terminal.printable($0) } ?? ""
            Terminal.say("arbutus: job \(job.jobID) is \(job.state)\(why)")
        }
        switch job.ending {
        case .done: return
        case .partial: throw ExitCode(ExitStatus.partial)
        case .failed, nil: throw ExitCode(ExitStatus.failed)
        }
    }
}
