import ArgumentParser
import Client
import Foundation

struct KeyInstall: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Gives a key to all nodes of the cluster; prints its id.",
        discussion: "The key is in use only after key use. It goes to a node on this machine, or by https.")

    @Argument(help: "A file made with arbutus key new.", completion: .file())
    var file: String

    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    mutating func run() throws {
        let secret = try SecretFile.hexadecimal(file)
        try Terminal.print(try cluster.run { try await $0.installKey(secret) })
    }
}

struct KeyUse: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "use",
        abstract: "Seals with an installed key from now on.",
        discussion: "Waits up to 15 s until every live node holds the key.")

    @Argument(help: "The key's id, as key install prints it.")
    var id: String

    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    mutating func run() throws {
        let key = id
        let keys = try cluster.run { try await $0.useKey(key).keys }
        Terminal.say(KeyTable.text(keys))
    }
}

struct KeyRetire: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Forgets a key that is not in use any more.",
        discussion: "Refused while a member that has not left lacks the key in use: it could not come back.")

    @Argument(help: "The key's id.")
    var id: String

    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    @Flag(help: "Also while a member lacks the key in use; that member stays outside.")
    var force = false

    mutating func run() throws {
        let (key, forced) = (id, force)
        let keys = try cluster.run { try await $0.retireKey(key, forced: forced).keys }
        Terminal.say(KeyTable.text(keys))
    }
}

struct KeyDeny: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deny",
        abstract: "Shuts a node out of the cluster for good.",
        discussion: """
            For a machine that is lost or in wrong hands: its sessions end, and a new key that it is not \
            given is in use at once, so that nobody hears it and it hears nobody. Put the new key in the \
            place of every other node's key file afterwards. A node that should leave in order is drained \
            instead.
            """)

    @Argument(help: "The node's name, its id or the beginning of it; arbutus members lists them.")
    var node: String

    @Argument(help: "A file made with arbutus key new.", completion: .file())
    var file: String

    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    mutating func run() throws {
        let (text, secret) = (node, try SecretFile.hexadecimal(file))
        let (id, keys) = try cluster.run { client in
            let id = try await client.nodeID(from: text)
            return (id, try await client.deny(id, secret: secret).keys)
        }
        Terminal.say("arbutus: node \(id) is denied")
        Terminal.say(KeyTable.text(keys))
    }
}

struct KeyShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the cluster's keys, without their secrets.")

    @OptionGroup(title: "Cluster") var cluster: ClientOptions

    @Flag(help: "Write the list as JSON to stdout.")
    var json = false

    mutating func run() throws {
        let (keys, bytes) = try cluster.run { try await $0.keys() }
        try Terminal.print(json ? try JSONText.indented(bytes) : KeyTable.text(keys))
    }
}

/// Keys as a table.
enum KeyTable {
    static func text(_ keys: [KeyReport]) -> String {
        var table = Table([.left, .left, .left])
        table.add("key", "state", "not held by")
        for key in keys {
            let state = key.isInUse ? "in use" : key.stage
            let lacking =
                key.stage == "retired" || key.lacking.isEmpty ? "–" : key.lacking.joined(separator: ", ")
            table.add(key.id, state, lacking)
        }
        return table.text
    }
}
