import ArgumentParser
import Client
import Foundation

struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Has a node hand its work on and leave the cluster for good.",
        discussion: """
            The node takes nothing new, its roles go to others, its tasks end; then it says that it has \
            left, and its process ends. It is refused while finished mosaics are on that node alone. To stop \
            a node for a while, press Ctrl-C or send SIGTERM instead.
            """)

    @Argument(help: "The node's name, its id or the beginning of it; arbutus members lists them.")
    var node: String

    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    @Flag(help: "Also when outputs are on that node alone, or nobody can take its jobs.")
    var force = false

    mutating func run() throws {
        let (text, forced) = (node, force)
        let id = try cluster.run { client in
            let id = try await client.nodeID(from: text)
            try await client.drain(id, forced: forced)
            Terminal.say("arbutus: node \(id) is handing its work on")
            try await client.departure(of: id)
            return id
        }
        Terminal.say("arbutus: node \(id) has left")
    }
}

extension ClusterClient {
    /// The member that a user means: its name, its id or the beginning of that.
    ///
    /// - Throws: `ClientError.refused`.
    func nodeID(from text: String) async throws -> String {
        let wanted = text.lowercased()
        let report = try await members().members
        let named = report.members.filter { $0.facts?.name?.lowercased() == wanted }.map(\.node)
        let all = Set(report.members.map(\.node) + [report.node])
        let found = named.isEmpty ? Array(all.filter { $0.hasPrefix(wanted) }) : named
        guard !wanted.isEmpty, let only = found.first, found.count == 1 else {
            let why = found.isEmpty ? "no member is called" : "\(found.count) members are called"
            throw ClientError.refused(
                status: 404,
                detail: "\(why) '\(text)', or has an id that begins so; arbutus members lists them")
        }
        return only
    }

    /// Returns when the members say that a node has left, or its own API is gone.
    func departure(of id: String) async throws {
        while true {
            do {
                let report = try await members().members
                let state = report.members.first { $0.node == id }?.state
                // The node itself says least about its end.
                if report.node == id { skip(node) }
                if report.node != id, state == nil || state == "left" { return }
                if report.node != id, state == "dead" {
                    throw ClientError.refused(
                        status: 409,
                        detail: "node \(id) died before it had handed all on; the others go on with its work")
                }
            } catch ClientError.noNode where nodes.count == 1 {
                return
            }
            try await Task.sleep(for: .milliseconds(300))
        }
    }
}
