import Foundation
import Logging
import Mosaic

/// An address to listen at or to be reached at.
struct HostPort: Equatable, CustomStringConvertible {
    var host: String
    var port: UInt16

    init(host: String, port: UInt16) { (self.host, self.port) = (host, port) }

    /// `vm1:7480`, `0.0.0.0:7480`, `[::1]:7480`; nil for anything else.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
            port > 0
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        let allowed = host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-_:%".contains($0)) }
        // A node tells its address in 255 bytes, port and all.
        guard !host.isEmpty, host.utf8.count <= 247, allowed else { return nil }
        self.init(host: host, port: port)
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Only processes of this machine reach it.
    var isLoopback: Bool { host.hasPrefix("127.") || host == "localhost" || host == "::1" }
}

/// How a node is set up: `arbutus node` (INTERFACES.md, Configuration).
struct NodeSettings: Equatable {
    /// For people; the key file is what makes a node itself.
    var name: String
    /// The folder of journal, key and tile store.
    var data: String
    /// TCP and UDP of the cluster.
    var listen: HostPort
    /// The address that others are told; nil: the one that they see.
    var advertise: HostPort?
    var seeds: [HostPort]
    /// The cluster key; nil: a key for this machine alone, and no listening beyond loopback.
    var keyFile: String?
    var web: HostPort
    /// What writes over HTTP must show; nil: writes are allowed from loopback only.
    var tokenFile: String?
    /// Sites whose pages may ask this node (CORS): `https://host`, or `*`.
    var origins: [String]
    /// Tasks at a time.
    var slots: Int
    /// Bytes.
    var memory: Int
    /// Folders whose files other nodes may read.
    var sceneRoots: [String]
    /// The folder of finished mosaics.
    var outputs: String
    /// What is logged.
    var logLevel: Logger.Level

    /// Every key and what it takes.
    static let known: [String: String] = [
        "node.name": "a name of at most 64 letters, digits, dots and dashes",
        "node.data": "the path of a folder",
        "cluster.listen": "an address with its port, such as 0.0.0.0:7480",
        "cluster.advertise": "an address with its port by which other nodes reach this one, such as vm1:7480",
        "cluster.seeds": "a list of addresses with ports, such as [\"vm1:7480\", \"vm2:7480\"]",
        "cluster.key_file": "the path of a file made with arbutus key new",
        "web.listen": "an address with its port, such as 127.0.0.1:8480",
        "web.token_file": "the path of a file with a token",
        "web.origins": "a list of sites such as [\"https://maps.example.org\"], or [\"*\"] for all",
        "work.slots": "auto, or a number of tasks from 1 to 1024",
        "work.memory": "a size such as 8GB, or a share of the memory such as 60%",
        "work.scene_roots": "a list of absolute paths of folders",
        "outputs.store": "the path of a folder",
        "log.level": LogLines.levels.joined(separator: ", "),
    ]

    /// - Parameters:
    ///   - cores: of this machine, for `slots: auto`.
    ///   - installed: bytes of memory.
    /// - Throws: `SettingsError` with the key, the value, and what is allowed.
    init(
        _ table: SettingsTable, hostName: String, home: String,
        cores: Int = ProcessInfo.processInfo.activeProcessorCount, installed: Int = MemorySize.installed()
    ) throws {
        name = try table.text("node.name") ?? Self.plainName(hostName)
        guard Self.isName(name) else { throw table.wrong("node.name", name) }
        data = try table.text("node.data") ?? home + "/.local/share/arbutus"
        keyFile = try table.text("cluster.key_file")
        let open = keyFile == nil ? "127.0.0.1" : "0.0.0.0"
        listen = try Self.address("cluster.listen", table) ?? HostPort(host: open, port: 7480)
        guard keyFile != nil || listen.isLoopback else {
            throw table.wrong(
                "cluster.listen", "\(listen)",
                because:
                    "for without cluster.key_file a node listens on loopback only (arbutus key new makes one)"
            )
        }
        advertise = try Self.address("cluster.advertise", table)
        seeds = try (table.list("cluster.seeds") ?? []).map { text in
            guard let seed = HostPort(text) else { throw table.wrong("cluster.seeds", text) }
            return seed
        }
        web = try Self.address("web.listen", table) ?? HostPort(host: "127.0.0.1", port: 8480)
        tokenFile = try table.text("web.token_file")
        origins = try (table.list("web.origins") ?? []).map { text in
            guard text == "*" || text.wholeMatch(of: /https?:\/\/[^\/\s]+/) != nil else {
                throw table.wrong("web.origins", text)
            }
            return text
        }
        slots = try Self.slots(table, cores)
        memory = try Self.memory(table, installed)
        sceneRoots = try (table.list("work.scene_roots") ?? []).map { text in
            guard text.hasPrefix("/"), !text.split(separator: "/").contains("..") else {
                throw table.wrong("work.scene_roots", text)
            }
            return text
        }
        outputs = try table.text("outputs.store") ?? data + "/mosaics"
        guard !outputs.hasPrefix("/vsi") else {
            throw table.wrong(
                "outputs.store", outputs,
                because: "for this version keeps mosaics in folders and not in object stores")
        }
        let level = try table.text("log.level") ?? "info"
        guard let known = Logger.Level(rawValue: level.lowercased()) else {
            throw table.wrong("log.level", level)
        }
        logLevel = known
    }

    private static func address(_ key: String, _ table: SettingsTable) throws -> HostPort? {
        guard let text = try table.text(key) else { return nil }
        guard let address = HostPort(text) else { throw table.wrong(key, text) }
        return address
    }

    private static func slots(_ table: SettingsTable, _ cores: Int) throws -> Int {
        guard let text = try table.text("work.slots"), text != "auto" else { return cores }
        guard let slots = Int(text), (1...1024).contains(slots) else { throw table.wrong("work.slots", text) }
        return slots
    }

    private static func memory(_ table: SettingsTable, _ installed: Int) throws -> Int {
        let text = try table.text("work.memory") ?? "60%"
        do {
            let bytes = try MemorySize.bytes(text, of: installed)
            guard (MemorySize.least...installed).contains(bytes) else {
                throw table.wrong(
                    "work.memory", text,
                    because:
                        "for it is \(Quantity.bytes(bytes)) of \(Quantity.bytes(installed)) on this machine")
            }
            return bytes
        } catch is RequestError {
            throw table.wrong("work.memory", text)
        }
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0)) }
    }

    /// A host's name without what a node's name may not have.
    private static func plainName(_ host: String) -> String {
        let kept = host.filter { $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0)) }
        return kept.isEmpty ? "node" : String(kept.prefix(64))
    }
}
