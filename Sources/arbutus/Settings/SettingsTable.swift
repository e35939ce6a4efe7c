import Foundation
import Mosaic
import Yams

/// A setting that was given wrongly: which key, which value, what is allowed.
struct SettingsError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Settings by dotted key (`cluster.listen`), each with where it came from. Later layers hide earlier ones:
/// file < `ARBUTUS_*` environment < flags (INTERFACES.md, Configuration).
struct SettingsTable {
    /// Texts of one key; a list has several, and a plain value one.
    struct Value: Equatable {
        var texts: [String]
        /// For messages: `node.yaml`, `ARBUTUS_NODE_NAME`, `--name`.
        var origin: String
    }

    /// Every key that there is, and what it takes.
    let known: [String: String]
    private(set) var values: [String: Value] = [:]

    init(known: [String: String]) { self.known = known }

    /// Lays the YAML text of a configuration file over what is there.
    ///
    /// - Throws: `SettingsError` that names the key, or the line where the file is no YAML.
    mutating func lay(yaml text: String, from file: String) throws {
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch {
            throw SettingsError(
                "\(file) is no YAML: \("\(error)".replacing("\n", with: " ")); mend that line")
        }
        guard let root, root != Node("", Tag(.null)) else { return }
        guard case .mapping(let sections) = root else {
            throw SettingsError("\(file) holds no sections; write for example: node: { name: vm1 }")
        }
        for (section, content) in sections {
            let name = section.string ?? "?"
            guard known.keys.contains(where: { $0.hasPrefix(name + ".") }) else {
                throw unknown(
                    name, in: file,
                    of: Set(known.keys.compactMap { $0.split(separator: ".").first.map(String.init) }))
            }
            if case .scalar(let scalar) = content, scalar.string.isEmpty { continue }
            guard case .mapping(let entries) = content else {
                throw SettingsError("\(name) in \(file) is no section; write for example: \(name): { … }")
            }
            for (key, value) in entries {
                try set("\(name).\(key.string ?? "?")", Self.texts(value), from: file)
            }
        }
    }

    /// Lays environment variables over what is there: `ARBUTUS_CLUSTER_LISTEN` is `cluster.listen`; lists
    /// are separated by commas. Other variables that begin with `ARBUTUS_` belong to other parts and are
    /// left alone.
    mutating func lay(environment: [String: String]) throws {
        for key in known.keys.sorted() {
            let name = "ARBUTUS_" + key.replacing(".", with: "_").uppercased()
            guard let text = environment[name] else { continue }
            try set(
                key, text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }, from: name)
        }
    }

    /// Lays one value over what is there.
    ///
    /// - Throws: `SettingsError` when there is no such key.
    mutating func set(_ key: String, _ texts: [String]?, from origin: String) throws {
        guard known[key] != nil else { throw unknown(key, in: origin, of: Set(known.keys)) }
        guard let texts else {
            throw SettingsError("\(key) in \(origin) is no value; it takes \(known[key] ?? "a value")")
        }
        values[key] = Value(texts: texts, origin: origin)
    }

    /// The single text of a key; nil when it was not given.
    func text(_ key: String) throws -> String? {
        guard let value = values[key] else { return nil }
        guard value.texts.count == 1, let text = value.texts.first, !text.isEmpty else {
            throw wrong(key, value.texts.joined(separator: ", "))
        }
        return text
    }

    /// The texts of a list; nil when it was not given.
    func list(_ key: String) -> [String]? { values[key]?.texts.filter { !$0.isEmpty } }

    /// The error for a value that the key does not take.
    func wrong(_ key: String, _ text: String, because reason: String = "") -> SettingsError {
        let origin = values[key].map { " (\($0.origin))" } ?? ""
        let why = reason.isEmpty ? "" : ", \(reason)"
        return SettingsError(
            "\(key): \(RequestError.quoted(text)) is not allowed\(origin)\(why); "
                + "it takes \(known[key] ?? "a value")")
    }

    private func unknown(_ key: String, in origin: String, of keys: Set<String>) -> SettingsError {
        SettingsError(
            "there is no setting \(RequestError.quoted(key)) (\(origin)); there are "
                + keys.sorted().joined(separator: ", "))
    }

    private static func texts(_ node: Node) -> [String]? {
        switch node {
        case .scalar(let scalar): [scalar.string]
        case .sequence(let items):
            items.reduce(into: [String]?.some([])) { texts, item in
                guard let text = item.string else {
                    texts = nil
                    return
                }
                texts?.append(text)
            }
        default: nil
        }
    }
}
