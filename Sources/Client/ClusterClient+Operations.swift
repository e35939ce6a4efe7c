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
        let (body, node) = try await data(try call("/keys", carrying: secret))
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

    /// Shuts a node out for good: the key of this secret is in use at once, and without it.
    ///
    /// - Parameters:
    ///   - node: whole id; not the one that is asked.
    ///   - secret: of a new key, in hexadecimal.
    /// - Throws: `ClientError` also when the key would cross a network in clear.
    public func deny(_ node: String, secret: String) async throws -> (keys: [KeyReport], json: Data) {
        try await keys(try call("/members/\(Self.part(node))/deny", carrying: secret))
    }

    private func call(_ path: String, carrying secret: String) throws -> Call {
        for node in nodes where !node.keepsSecrets {
            throw ClientError.refused(
                status: 400,
                detail: "the key would go to \(node) in clear, for all on the way to read; run this on a "
                    + "machine with a node, or use https")
        }
        var call = Call(path)
        (call.method, call.isSlow) = ("POST", true)
        call.body = Data("{\"secret\":\"\(secret)\"}".utf8)
        return call
    }

    /// Has a node hand its work on and leave; returns when it has begun.
    public func drain(_ node: String, forced: Bool) async throws {
        var call = Call("/members/\(Self.part(node))/drain?forced=\(forced)")
        (call.method, call.isSlow) = ("POST", true)
        _ = try await data(call)
    }

    /// Has a share of a job's tasks made again by other nodes than those that made them.
    ///
    /// - Parameter report: called for each task.
    public func verify(
        _ job: String, share: Double, report: (VerificationReport.Task) -> Void
    ) async throws -> VerificationReport {
        var call = Call("/jobs/\(Self.part(job))/verify?share=\(share)")
        (call.method, call.isSlow) = ("POST", true)
        let answer = try await send(call)
        var result = VerificationReport()
        var rest = Data()
        do {
            for try await piece in answer.body {
                rest.append(contentsOf: piece.readableBytesView)
                while let end = rest.firstIndex(of: 0x0A) {
                    let line = Data(rest[..<end])
                    rest = Data(rest[(end + 1)...])
                    if !line.isEmpty, let task = try result.take(line, of: answer.node) { report(task) }
                }
            }
        } catch let error as ClientError {
            throw error
        } catch {
            let reason = Self.meaning(of: error)
            guard let silent = reason as? Silence else { throw reason }
            throw ClientError.noNode(["\(answer.node): \(silent.reason)"])
        }
        guard result.drawn > 0, result.tasks.count == result.drawn else {
            throw ClientError.noNode(["\(answer.node) told of \(result.tasks.count) of \(result.drawn) tasks"]
            )
        }
        return result
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

/// What came of a verification.
public struct VerificationReport: Codable, Equatable, Sendable {
    /// One task.
    public struct Task: Codable, Equatable, Sendable {
        public var task: Int
        /// Who made it; nil when nobody remembers.
        public var maker: String?
        public var checker: String?
        /// Whether the digests are equal; nil when it could not be made again.
        public var isEqual: Bool?
        /// Why not.
        public var reason: String?
    }

    /// Tasks of the job that have a result, and how many of them were drawn.
    public var total = 0
    public var drawn = 0
    public var tasks: [Task] = []

    /// Tasks that came out otherwise.
    public var differing: [Task] { tasks.filter { $0.isEqual == false } }
    /// Tasks that nobody could make again.
    public var unchecked: [Task] { tasks.filter { $0.isEqual == nil } }

    /// A line of the answer; the task, when it is about one.
    mutating func take(_ line: Data, of node: NodeURL) throws -> Task? {
        struct Head: Decodable {
            let drawn: Int?
            let total: Int?
        }
        let head = try ClusterClient.read(Head.self, line, of: node)
        if let drawn = head.drawn, let total = head.total {
            (self.drawn, self.total) = (drawn, total)
            return nil
        }
        let task = try ClusterClient.read(Task.self, line, of: node)
        tasks.append(task)
        return task
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
