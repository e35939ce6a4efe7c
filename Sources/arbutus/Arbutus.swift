import ArgumentParser

@main
struct Arbutus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "arbutus", abstract: "Turns satellite scenes into mosaics.", subcommands: [])
}
