import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Asks the nodes of a cluster over HTTP. Any node answers for every job, so when one is dead the next is
/// asked: one that refuses the connection, says nothing in time, or has no service now (503).
///
/// Every request may be repeated at another node: a submission carries the job's id, a cancellation names
/// what is cancelled.
public final class ClusterClient: Sendable {
    /// How long to wait for what, in seconds.
    public struct Patience: Sendable {
        /// For a connection.
        public var connect = 3.0
        /// For the head of an answer that the node has at hand.
        public var answer = 15.0
        /// For an answer that the node has to get from others: a coordinator's word takes up to 35 s.
        public var slowAnswer = 60.0
        /// For the next bytes of a body.
        public var silence = 45.0

        /// The defaults.
        public init() {}
    }

    /// A request to whichever node answers.
    public struct Call: Sendable {
        /// `GET`, `POST`, `DELETE`.
        public var method = "GET"
        /// Begins with a slash.
        public var path: String
        /// JSON.
        public var body: Data?
        /// Further header fields.
        public var fields: [String: String] = [:]
        /// Whether the node has to ask others first.
        public var isSlow = false

        /// A `GET` of the path.
        public init(_ path: String) { self.path = path }
    }

    /// An answer whose body has not been read.
    public struct Answer: Sendable {
        /// Who answered.
        public let node: NodeURL
        /// An HTTP status that is no error.
        public let status: Int
        let head: HTTPHeaders
        /// The body, as it comes.
        public let body: HTTPClientResponse.Body

        /// A header field; nil when it is missing.
        public func field(_ name: String) -> String? { head.first(name: name) }
    }

    /// In the order in which they are asked at first.
    public let nodes: [NodeURL]
    private let patience: Patience
    private let token: String?
    private let http: HTTPClient
    /// Which of the nodes answered last.
    private let current = Mutex(0)

    /// Bytes of a body that is read whole, at most.
    static let bodyLimit = 64 << 20

    /// - Parameters:
    ///   - nodes: at least one.
    ///   - token: shown with every request; nil: none.
    public init(_ nodes: [NodeURL], token: String? = nil, patience: Patience = Patience()) {
        precondition(!nodes.isEmpty, "a client without nodes")
        (self.nodes, self.token, self.patience) = (nodes, token, patience)
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(patience.connect)
        configuration.timeout.read = .seconds(max(patience.silence, patience.slowAnswer))
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.redirectConfiguration = .disallow
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit { http.shutdown(queue: .global()) { _ in } }

    /// Closes the connections; the client is used up.
    public func shutDown() async throws { try await http.shutdown() }

    /// The node that is asked next.
    public var node: NodeURL { nodes[current.withLock { $0 }] }

    /// Asks another node from now on, after this one proved useless.
    public func skip(_ node: NodeURL) {
        current.withLock { if nodes[$0] == node { $0 = ($0 + 1) % nodes.count } }
    }

    // MARK: Asking

    /// Asks one node after the other until one answers.
    ///
    /// - Throws: `ClientError`: nobody answers, or the one who does refuses; `CancellationError`.
    public func send(_ call: Call) async throws -> Answer {
        var reasons: [String] = []
        for _ in nodes {
            let node = node
            do {
                let answer = try await ask(node, call)
                if answer.status != 503 { return try await checked(answer) }
                reasons.append("\(node): \(try await detail(answer))")
            } catch let silent as Silence {
                reasons.append("\(node): \(silent.reason)")
            }
            skip(node)
        }
        throw ClientError.noNode(reasons)
    }

    /// The whole body of an answer; another node is asked when one dies in the middle of it.
    ///
    /// - Returns: the bytes, and who answered.
    public func data(_ call: Call) async throws -> (Data, NodeURL) {
        var reasons: [String] = []
        for _ in nodes {
            let answer = try await send(call)
            do {
                return (try await whole(answer), answer.node)
            } catch let silent as Silence {
                reasons.append("\(answer.node): \(silent.reason)")
                skip(answer.node)
            }
        }
        throw ClientError.noNode(reasons)
    }

    /// A JSON answer.
    public func value<T: Decodable>(_ type: T.Type, _ call: Call) async throws -> T {
        let (body, node) = try await data(call)
        return try Self.read(type, body, of: node)
    }

    static func read<T: Decodable>(_ type: T.Type, _ body: Data, of node: NodeURL) throws(ClientError) -> T {
        do {
            return try JSONDecoder().decode(type, from: body)
        } catch {
            throw .notUnderstood("\(node)", reason: "\(error)")
        }
    }

    // MARK: One node

    /// A node does not answer, and why.
    struct Silence: Error {
        let reason: String
    }

    private func ask(_ node: NodeURL, _ call: Call) async throws -> Answer {
        var request = HTTPClientRequest(url: node.text + call.path)
        request.method = HTTPMethod(rawValue: call.method)
        request.headers.add(name: "Accept", value: "*/*")
        request.headers.add(name: "User-Agent", value: "arbutus")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in call.fields { request.headers.replaceOrAdd(name: name, value: value) }
        if let body = call.body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        let limit = call.isSlow ? patience.slowAnswer : patience.answer
        let response = try await within(limit) { [http, request] in
            do {
                return try await http.execute(request, deadline: .distantFuture)
            } catch {
                throw Self.meaning(of: error)
            }
        }
        return Answer(
            node: node, status: Int(response.status.code), head: response.headers, body: response.body)
    }

    /// What a failed request means: the node is silent, or we were told to stop.
    static func meaning(of error: any Error) -> any Error {
        if error is CancellationError || Task.isCancelled { return CancellationError() }
        if let error = error as? HTTPClientError {
            switch error {
            case .connectTimeout: return Silence(reason: "no connection in time")
            case .readTimeout, .deadlineExceeded: return Silence(reason: "no answer in time")
            case .remoteConnectionClosed: return Silence(reason: "it closed the connection")
            default: return Silence(reason: "\(error)")
            }
        }
        if let failed = error as? NIOConnectionError, let first = failed.connectionErrors.first {
            return meaning(of: first.error)
        }
        if error is NIOConnectionError { return Silence(reason: "the name has no address") }
        if let error = error as? IOError, error.errnoCode == ECONNREFUSED {
            return Silence(reason: "nobody listens there")
        }
        return Silence(reason: "\(error)")
    }

    /// The value of `body`, when it comes within so many seconds.
    private func within<T: Sendable>(
        _ seconds: Double, _ body: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                throw Silence(reason: "no answer within \(Int(seconds.rounded(.up))) s")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { preconditionFailure("a group without tasks") }
            return first
        }
    }

    private func checked(_ answer: Answer) async throws -> Answer {
        guard answer.status >= 400, answer.status != 416 else { return answer }
        throw ClientError.refused(status: answer.status, detail: try await detail(answer))
    }

    private func whole(_ answer: Answer) async throws -> Data {
        do {
            return Data((try await answer.body.collect(upTo: Self.bodyLimit)).readableBytesView)
        } catch {
            throw Self.meaning(of: error)
        }
    }

    /// The sentence in a refusal; not every proxy writes problem details.
    private func detail(_ answer: Answer) async throws -> String {
        struct Problem: Decodable {
            let detail: String
        }
        let body = try await whole(answer)
        switch Result(catching: { try JSONDecoder().decode(Problem.self, from: body) }) {
        case .success(let problem): return problem.detail
        case .failure: return "\(answer.node) answers with status \(answer.status)"
        }
    }
}

extension TimeAmount {
    /// So many seconds, to the millisecond.
    static func seconds(_ seconds: Double) -> TimeAmount { .milliseconds(Int64(seconds * 1000)) }
}
