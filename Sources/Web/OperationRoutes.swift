import Cluster
import Foundation
import HTTPTypes
import Hummingbird
import NodeRuntime

// What operators do over HTTP: keys, leaving.

extension WebServer {
    func addOperationRoutes(to router: Router<BasicRequestContext>) {
        router.get("keys") { [node] request, _ in
            try self.authorize(request)
            return try Self.json(KeyList(keys: await node.keys()))
        }
        router.post("keys") { request, _ in
            try self.authorize(request)
            return try await self.installKey(request)
        }
        router.post("keys/:key/use") { request, context in
            try self.authorize(request)
            return try await self.decide(.use(try Self.key(context)))
        }
        router.delete("keys/:key") { request, context in
            try self.authorize(request)
            let forced = request.uri.queryParameters["forced"] == "true"
            return try await self.decide(.retire(try Self.key(context), forced: forced))
        }
        router.post("jobs/:id/verify") { request, context in
            try self.authorize(request)
            return try await self.verify(request, context)
        }
        router.post("members/:node/drain") { request, context in
            try self.authorize(request)
            return try await self.drain(request, context)
        }
        router.post("members/:node/deny") { request, context in
            try self.authorize(request)
            let id = try Self.node(context)
            let (name, secret) = try await self.key(in: request)
            return try await self.decide(.deny(id, newKey: name, secret: secret))
        }
    }

    /// The keys of the cluster.
    private struct KeyList: Codable {
        let keys: [ClusterNode.KeyStatus]
        /// The one that this request installed.
        var installed: String?
    }

    private static func key(_ context: some RequestContext) throws -> KeyID {
        let text = try context.parameters.require("key")
        guard let key = KeyID(text) else {
            throw Problem(.notFound, "'\(text)' is no name of a key; arbutus key list shows them")
        }
        return key
    }

    private func installKey(_ request: Request) async throws -> Response {
        let (name, secret) = try await key(in: request)
        _ = try await decide(.install(name, secret: secret))
        return try Self.json(KeyList(keys: await node.keys(), installed: "\(name)"))
    }

    /// The secret in the body, and its name.
    private func key(in request: Request) async throws -> (name: KeyID, secret: [UInt8]) {
        struct Secret: Decodable {
            /// In hexadecimal.
            let secret: String
        }
        let body = try await collect(request)
        let decoded = Result { try JSONDecoder().decode(Secret.self, from: body) }
        guard case .success(let given) = decoded,
            let secret = [UInt8](hexadecimal: given.secret)
        else { throw Problem(.badRequest, "the body is no key; send {\"secret\": \"…\"} in hexadecimal") }
        do { return (try ClusterNode.keyName(of: secret), secret) } catch {
            throw Problem(.badRequest, "\(error)")
        }
    }

    private func decide(_ wish: KeyRequest) async throws -> Response {
        do {
            try await node.decide(wish)
        } catch let error as RuntimeError {
            throw Problem(.conflict, "\(error)")
        }
        return try Self.json(KeyList(keys: await node.keys()))
    }

    /// Answers with a line of JSON for each task, as it comes, and blank lines meanwhile.
    private func verify(_ request: Request, _ context: some RequestContext) async throws -> Response {
        let header = try await job(context).header
        let text = request.uri.queryParameters["share"].map(String.init) ?? "0.01"
        guard let share = Double(text), share > 0, share <= 1 else {
            throw Problem(.badRequest, "a share of '\(text)' is none; it is above 0 and at most 1")
        }
        let verification: ClusterNode.Verification
        do {
            verification = try await node.verification(of: header, share: share)
        } catch let error as RuntimeError {
            throw Problem(.conflict, "\(error)")
        }
        let body = ResponseBody { [node] writer in
            let lines = AsyncStream<ByteBuffer>.makeStream()
            let pulse = Task {
                while !Task.isCancelled {
                    lines.continuation.yield(ByteBuffer(string: "\n"))
                    do { try await Task.sleep(for: .seconds(5)) } catch { return }
                }
            }
            let work = Task {
                defer { lines.continuation.finish() }
                lines.continuation.yield(
                    try Self.line(["drawn": verification.tasks.count, "total": verification.total]))
                try await node.verify(verification) { lines.continuation.yield(try Self.line($0)) }
            }
            defer {
                pulse.cancel()
                work.cancel()
            }
            for await line in lines.stream { try await writer.write(line) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
    }

    private static func line(_ value: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ByteBuffer(bytes: try encoder.encode(value) + [0x0A])
    }

    private func drain(_ request: Request, _ context: some RequestContext) async throws -> Response {
        let id = try Self.node(context)
        do {
            try await node.drain(id, forced: request.uri.queryParameters["forced"] == "true")
        } catch let error as RuntimeError {
            throw Problem(.conflict, "\(error)")
        } catch let error as BulkFailure {
            throw Problem(.badGateway, "\(error)")
        }
        var response = try Self.json(["node": "\(id)", "state": "draining"])
        response.status = .accepted
        return response
    }

    private static func node(_ context: some RequestContext) throws -> NodeID {
        let text = try context.parameters.require("node")
        guard let id = NodeID(hexadecimal: text) else {
            throw Problem(.notFound, "'\(text)' is no node; ids have 16 hexadecimal digits")
        }
        return id
    }
}

extension [UInt8] {
    /// Reads pairs of hexadecimal digits; nil for anything else.
    init?(hexadecimal text: String) {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
