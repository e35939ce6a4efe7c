import ArgumentParser
import Foundation
import TileStore

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Looks after the tile store: finished tasks, kept for later runs.",
        subcommands: [StoreSize.self, StoreCollect.self])
}

struct StoreSize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "size", abstract: "Shows how full the store is.")

    @OptionGroup var place: StoreOptions

    @Flag(help: "Write the figures as JSON to stdout.")
    var json = false

    mutating func run() throws {
        let folder = try place.folder()
        let facts = StoreFacts(folder: folder, usage: try TileStore(folder: folder).usage())
        try Terminal.print(json ? JSONText.of(facts) : facts.text)
    }
}

struct StoreCollect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Forgets what was used longest ago until the store keeps its limit.")

    @OptionGroup var place: StoreOptions

    @Flag(help: "Forget everything.")
    var all = false

    @Flag(help: "Write the figures as JSON to stdout.")
    var json = false

    mutating func run() throws {
        let folder = try place.folder()
        let store = try TileStore(folder: folder)
        let freed = store.collect(everything: all)
        let facts = StoreFacts(folder: folder, usage: store.usage(), freed: freed)
        try Terminal.print(json ? JSONText.of(facts) : facts.text)
    }
}

/// What `store size` and `store gc` show.
struct StoreFacts: Codable, Equatable {
    var folder: String
    var usage: TileStore.Usage
    /// Bytes that `gc` gave back to the disk.
    var freed: Int?

    var text: String {
        var table = Table([.left, .left])
        table.add("folder", folder)
        table.add("tasks", "\(usage.blobs)")
        table.add("size", "\(Quantity.bytes(usage.bytes)) of at most \(Quantity.bytes(usage.limit))")
        if let freed { table.add("freed", Quantity.bytes(freed)) }
        return table.text
    }
}
