import ArgumentParser
import NodeRuntime

/// `arbutus render-task`: a node starts it for a task that processes died of.
struct RenderTaskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render-task", abstract: "Renders one task for the node that started it.",
        shouldDisplay: false)

    mutating func run() throws { try TaskChild.run() }
}
