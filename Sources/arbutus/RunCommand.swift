import ArgumentParser
import Dispatch
import Engine
import Mosaic
import TileStore

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Makes a mosaic on this machine.",
        usage: "arbutus run <scene> ... --out <dir> [<options>]",
        discussion: """
            A run that was stopped or killed goes on where it was when the same command is given again.
            """)

    @OptionGroup(title: "Request")
    var request: RequestOptions

    @OptionGroup(title: "Machine")
    var machine: MachineOptions

    @Option(help: ArgumentHelp("The folder of the outputs.", valueName: "dir"), completion: .directory)
    var out: String?

    @Flag(help: "Write the summary as JSON to stdout; no progress.")
    var json = false

    mutating func run() throws {
        guard try !request.printsOnly() else { return }
        let wanted = try request.validated()
        guard let out, !out.isEmpty else {
            throw RequestError("run needs --out DIR: the folder of the outputs")
        }
        let limits = try machine.limits()
        let plan = try JobPlanner(wanted).plan()
        for warning in plan.warnings { Terminal.say("arbutus: warning: " + Terminal.printable(warning)) }
        try machine.verify(plan)
        let job = JobPlan(request: wanted, plan: plan, fingerprint: try EngineFingerprint().text)
        let runner = JobRunner(job: job, store: try TileStore(folder: machine.place.folder()), limits: limits)
        let summary = try Self.watched(runner, into: out, showing: ProgressPrinter(.fitting(json: json)))
        try Terminal.print(json ? JSONText.of(summary) : SummaryPrinter.text(summary))
        if summary.state == .partial { throw ExitCode(ExitStatus.partial) }
    }

    /// Runs the job to its end while signals may stop it and its progress is shown.
    private static func watched(_ runner: JobRunner, into out: String, showing printer: ProgressPrinter)
        throws
        -> JobSummary
    {
        let cancellation = StopSignal()
        let signals = StopSignals(cancellation) {
            printer.clear()
            Terminal.say("arbutus: stopping; press Ctrl-C again to end at once")
        }
        let ticker = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "arbutus.progress"))
        ticker.schedule(deadline: .now(), repeating: .milliseconds(100))
        ticker.setEventHandler { if !cancellation.isSet { printer.report(runner.progress) } }
        ticker.resume()
        defer {
            ticker.cancel()
            printer.finish()
        }
        return try withExtendedLifetime(signals) {
            try runner.run(into: out) { cancellation.isSet }
        }
    }
}

extension MosaicPlan {
    /// What the scenes' readers noticed, with the scene's name.
    var warnings: [String] {
        scenes.flatMap { scene in scene.warnings.map { "scene \(scene.id): \($0)" } }
    }
}
