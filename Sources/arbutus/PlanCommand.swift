import ArgumentParser
import Engine
import Mosaic

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Shows what a job would do: scenes, bytes to read, tasks, memory, time. Starts nothing.",
        usage: "arbutus plan <scene> ... [<options>]")

    @OptionGroup(title: "Request")
    var request: RequestOptions

    @OptionGroup(title: "Machine")
    var machine: MachineOptions

    @Flag(help: "Write the plan as JSON to stdout.")
    var json = false

    mutating func run() throws {
        guard try !request.printsOnly() else { return }
        let wanted = try request.validated()
        let limits = try machine.limits()
        let plan = try JobPlanner(wanted).plan()
        try machine.verify(plan)
        let report = try PlanReport(plan, png: wanted.png, limits: limits)
        try Terminal.print(json ? JSONText.of(report) : report.text)
    }
}
