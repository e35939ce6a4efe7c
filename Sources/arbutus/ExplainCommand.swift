import ArgumentParser
import Engine
import Mosaic

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explains one pixel: what each scene says about it, and what the mosaic makes of that.",
        usage: "arbutus explain <scene> ... --at <lon> <lat> [<options>]")

    @OptionGroup(title: "Request")
    var request: RequestOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The pixel, by longitude and latitude in degrees.", valueName: "lon lat"))
    var at: String?

    @Flag(help: "Write the explanation as JSON to stdout.")
    var json = false

    mutating func run() throws {
        guard try !request.printsOnly() else { return }
        let wanted = try request.validated()
        let (longitude, latitude) = try place()
        let plan = try JobPlanner(wanted).plan()
        let explanation = try Explanation(plan, longitude: longitude, latitude: latitude)
        try Terminal.print(json ? JSONText.of(explanation) : explanation.text)
    }

    /// The point asked for, in degrees.
    func place() throws -> (longitude: Double, latitude: Double) {
        guard let at else { throw RequestError("explain needs --at LON LAT: the point in degrees") }
        let numbers = try ArgumentText.numbers(at, option: "--at", form: "LON,LAT")
        guard (-180...180).contains(numbers[0]), (-90...90).contains(numbers[1]) else {
            throw RequestError("--at \(at) is not on the globe; give the longitude first, then the latitude")
        }
        return (numbers[0], numbers[1])
    }
}
