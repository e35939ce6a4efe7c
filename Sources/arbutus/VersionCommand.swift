import ArgumentParser
import Foundation

struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows versions.")
    @Flag(help: "As JSON.") var json = false
    mutating func run() throws { Terminal.print("arbutus") }
}
