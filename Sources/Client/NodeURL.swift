import Foundation

/// Where a node's HTTP API is.
public struct NodeURL: Hashable, Sendable, CustomStringConvertible {
    /// The port that a node takes when its settings name none.
    public static let usualPort = 8480
    /// The node of this machine.
    public static let local = NodeURL(text: "http://127.0.0.1:\(usualPort)")

    /// `http://host:port`, without a slash at its end.
    public let text: String

    private init(text: String) { self.text = text }

    /// Reads `http://vm1:8480`, `https://cluster.example.org/arbutus`, `vm1:8480` or `vm1`.
    ///
    /// - Throws: `ClientError.badAddress`.
    public init(_ text: String) throws(ClientError) {
        let isBare = !text.contains("://")
        let parts = URLComponents(string: isBare ? "http://" + text : text)
        guard var parts, let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme),
            let host = parts.host, !host.isEmpty, parts.query == nil, parts.fragment == nil,
            parts.user == nil, (parts.port ?? 1) > 0
        else { throw .badAddress(text) }
        if isBare, parts.port == nil { parts.port = Self.usualPort }
        while parts.path.hasSuffix("/") { parts.path.removeLast() }
        guard let whole = parts.string else { throw .badAddress(text) }
        self.init(text: whole)
    }

    public var description: String { text }
}
