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
        router.post("members/:node/drain") { request, context in
            try self.authorize(request)
            return try await self.drain(request, context)
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
        struct Secret: Decodable {
            /// In hexadecimal.
            let secret: String
        }
        let body = try await collect(request)
        let decoded = Result { try JSONDecoder().decode(Secret.self, from: body) }
        guard case .success(let given) = decoded,
            let secret = [UInt8](hexadecimal: given.secret)
        else { throw Problem(.badRequest, "the body is no key; send {\"secret\": \"…\"} in hexadecimal") }
        let name: KeyID
        do { name = try ClusterNode.keyName(of: secret) } catch { throw Problem(.badRequest, "\(error)") }
        _ = try await decide(.install(name, secret: secret))
        return try Self.json(KeyList(keys: await node.keys(), installed: "\(name)"))
    }

    private func decide(_ wish: KeyRequest) async throws -> Response {
        do {
            try await node.decide(wish)
        } catch let error as RuntimeError {
            throw Problem(.conflict, "\(error)")
        }
        return try Self.json(KeyList(keys: await node.keys()))
    }

    private func drain(_ request: Request, _ context: some RequestContext) async throws -> Response {
        let text = try context.parameters.require("node")
        guard let id = NodeID(hexadecimal: text) else {
            throw Problem(.notFound, "'\(text)' is no node; ids have 16 hexadecimal digits")
        }
        do {
            try await node.drain(id, forced: request.uri.queryParameters["forced"] == "true")
        } catch let error as RuntimeError {
            throw Problem(.conflict, "\(error)")
        } catch let error as BulkFailure {
            throw Problem(.badGateway, "\(error)")
        }
        var response = try Self.json(["node": text, "state": "draining"])
        response.status = .accepted
        return response
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
