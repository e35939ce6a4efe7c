import ArgumentParser
import Mosaic

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes a mosaic on this machine.",
        usage: "arbutus run <scene> ... --out <dir> [<options>]")

    @OptionGroup(title: "Request")
    var request: RequestOptions

    @OptionGroup(title: "Machine")
    var machine: MachineOptions

    @Option(help: ArgumentHelp("The folder of the outputs.", valueName: "dir"), completion: .directory)
    var out: String?

    @Flag(help: "Write the summary as JSON to stdout.")
    var json = false

    mutating func run() throws {
        guard try !request.printsOnly() else { return }
        let wanted = try request.validated()
        _ = wanted
    }
}
