import ArgumentParser
import NodeRuntime

/// `arbutus measure-transfer`: for `scripts/bench cluster`.
struct MeasureTransferCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure-transfer", abstract: "Measures what sealed bytes cost on this machine.",
        shouldDisplay: false)

    @Option(help: "Megabytes to send through a link over loopback, from 1 to 100000.")
    var megabytes = 2000

    mutating func validate() throws {
        guard (1...100_000).contains(megabytes) else {
            throw ValidationError("--megabytes takes 1 to 100000, and not \(megabytes)")
        }
    }

    mutating func run() throws {
        let bytes = megabytes * 1_000_000
        let figures = try AsyncWork.run { try await SealedTransferTrial.run(bytes: bytes) }
        try Terminal.print(JSONText.of(figures))
    }
}
