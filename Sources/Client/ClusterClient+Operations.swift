import Foundation

// What operators ask of the cluster.

/// A key of the cluster.
public struct KeyReport: Codable, Equatable, Sendable {
    /// Its name.
    public var id: String
    /// `installed`, `narrowed`, `retired`.
    public var stage: String
    public var isInUse: Bool
    /// Members that do not hold it.
    public var lacking: [String]
}

extension ClusterClient {
    private struct Keys: Decodable {
        let keys: [KeyReport]
        let installed: String?
    }

    /// The cluster's keys, and the JSON that said so.
    public func keys() async throws -> (keys: [KeyReport], json: Data) { try await keys(Call("/keys")) }

    /// Gives a key to all nodes.
    ///
    /// - Parameter secret: in hexadecimal.
    /// - Returns: the key's name.
    /// - Throws: `ClientError` also when the key would cross a network in clear.
    public func installKey(_ secret: String) async throws -> String {
        for node in nodes where !node.keepsSecrets {
            throw ClientError.refused(
                status: 400,
                detail: "the key would go to \(node) in clear, for all on the way to read; run this on a "
                    + "machine with a node, or use https")
        }
        var call = Call("/keys")
        call.method = "POST"
        call.body = Data("{\"secret\":\"\(secret)\"}".utf8)
        call.isSlow = true
        let (body, node) = try await data(call)
        guard let name = try Self.read(Keys.self, body, of: node).installed else {
            throw ClientError.notUnderstood("\(node)", reason: "it does not name the key")
        }
        return name
    }

    /// Seals with a key from now on; waits some seconds until all live nodes hold it.
    public func useKey(_ id: String) async throws -> (keys: [KeyReport], json: Data) {
        var call = Call("/keys/\(Self.part(id))/use")
        (call.method, call.isSlow) = ("POST", true)
        return try await keys(call)
    }

    /// Forgets a key.
    ///
    /// - Parameter forced: also while a member lacks the one in use.
    public func retireKey(_ id: String, forced: Bool) async throws -> (keys: [KeyReport], json: Data) {
        var call = Call("/keys/\(Self.part(id))?forced=\(forced)")
        (call.method, call.isSlow) = ("DELETE", true)
        return try await keys(call)
    }

    /// Has a node hand its work on and leave; returns when it has begun.
    public func drain(_ node: String, forced: Bool) async throws {
        var call = Call("/members/\(Self.part(node))/drain?forced=\(forced)")
        (call.method, call.isSlow) = ("POST", true)
        _ = try await data(call)
    }

    private func keys(_ call: Call) async throws -> (keys: [KeyReport], json: Data) {
        let (body, node) = try await data(call)
        return (try Self.read(Keys.self, body, of: node).keys, body)
    }

    /// A user's word as one part of a path.
    static func part(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}

extension NodeURL {
    /// Nobody else reads what is sent there.
    var keepsSecrets: Bool {
        guard let parts = URLComponents(string: text), let host = parts.host else { return false }
        return parts.scheme == "https" || host.hasPrefix("127.") || host == "localhost" || host == "[::1]"
            || host == "::1"
    }
}
