import Foundation
import Logging
import Mosaic

/// Log lines that people and programs read (logfmt), on stderr:
/// `2026-07-01T10:00:00.000Z info node=vm1 msg="a member is dead" member=1f0e…`
struct LogLines: LogHandler {
    /// The levels by their names, the least important first.
    static let levels = Logger.Level.allCases.map(\.rawValue)

    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    private let node: String

    /// - Parameter node: stands in every line.
    init(node: String, level: Logger.Level) { (self.node, logLevel) = (node, level) }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let extra = metadata.merging(event.metadata ?? [:]) { $1 }
        Terminal.say(
            Self.line(
                time: Date(), event.level, node: node, "\(event.message)", extra.mapValues { "\($0)" }))
    }

    /// One line, without its end.
    static func line(
        time: Date, _ level: Logger.Level, node: String, _ message: String, _ extra: [String: String]
    ) -> String {
        let stamp = time.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
        let pairs = extra.sorted { $0.key < $1.key }.map { " \($0.key)=\(value($0.value))" }.joined()
        return "\(stamp)Z \(level.rawValue) node=\(value(node)) msg=\(quoted(message))\(pairs)"
    }

    /// Bare when it is one plain word.
    private static func value(_ text: String) -> String {
        let isPlain =
            !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 32 && $0 != "\"" && $0 != "=" }
        return isPlain ? Terminal.printable(text) : quoted(text)
    }

    private static func quoted(_ text: String) -> String {
        let plain = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing(
            "\n", with: "\\n")
        return "\"\(Terminal.printable(plain))\""
    }
}
