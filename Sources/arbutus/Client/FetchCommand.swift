import ArgumentParser
import Client
import Foundation
import Mosaic
import Synchronization

struct FetchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Copies the outputs of a job into a folder.",
        usage: "arbutus fetch <id> --out <dir> [<options>]",
        discussion: """
            A file appears under its name when it is whole and matches its checksum; the same command goes \
            on with what was interrupted. Prints the files' paths. Exit codes: 0 done, 1 failed, 3 the \
            mosaic is partial.
            """)

    @OptionGroup var job: JobArgument
    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    @Option(help: ArgumentHelp("The folder of the outputs.", valueName: "dir"), completion: .directory)
    var out: String

    @Flag(help: "Write the files as JSON to stdout; no progress.")
    var json = false

    mutating func run() throws {
        guard !out.isEmpty else { throw RequestError("fetch needs --out DIR: the folder of the outputs") }
        let (text, folder) = (job.id, out)
        let printer = FetchPrinter(.fitting(json: json))
        defer { printer.finish() }
        let (job, files) = try cluster.run(stopping: printer.finish) { client in
            let id = try await client.jobID(from: text)
            let job = try await client.job(id).job
            return (job, try await JobFetch(client, job: id, into: folder).run { printer.report($0) })
        }
        printer.finish()
        try Terminal.print(json ? try JSONText.of(files) : files.map(\.path).joined(separator: "\n"))
        if job.state == "partial" {
            if !json {
                Terminal.say("arbutus: the mosaic is partial: tasks failed, and their pixels are marked")
            }
            throw ExitCode(ExitStatus.partial)
        }
    }
}

/// Shows on stderr how a fetch goes on.
final class FetchPrinter: Sendable {
    private struct State {
        var shownAt: ContinuousClock.Instant?
        var isDrawn = false
        var isFinished = false
    }

    private let style: ProgressPrinter.Style
    private let state = Mutex(State())

    init(_ style: ProgressPrinter.Style) { self.style = style }

    /// Takes a report from any thread.
    func report(_ progress: JobFetch.Progress) {
        let now = ContinuousClock.now
        state.withLock { state in
            guard !state.isFinished else { return }
            func due(_ seconds: Double) -> Bool {
                state.shownAt.map { now - $0 >= .seconds(seconds) } ?? true
            }
            switch style {
            case .silent: return
            case .lines where due(5): Terminal.say(Self.line(progress))
            case .redrawn where due(0.1):
                let line = Self.line(progress).prefix(max(0, Terminal.columns - 1))
                Terminal.write("\r\u{1B}[2K" + line, to: .standardError)
                state.isDrawn = true
            case .lines, .redrawn: return
            }
            state.shownAt = now
        }
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

    /// `fetching ndvi.tif: 12.3 MB of 45.6 MB, 2 of 8 files`
    static func line(_ progress: JobFetch.Progress) -> String {
        "fetching \(Terminal.printable(progress.file)): \(Quantity.bytes(progress.bytesDone)) of "
            + "\(Quantity.bytes(progress.bytesTotal)), \(progress.filesDone) of \(progress.filesTotal) files"
    }
}
