import Cluster
import Foundation
import HTTPTypes
import Hummingbird
import NodeRuntime
import Synchronization

// Finished mosaics as a STAC API 1.0 (core, collections, features, item search): each job with outputs is an
// item of the one collection, with the item that its assembly wrote.

extension WebServer {
    static let collection = "mosaics"

    func addStacRoutes(to router: Router<BasicRequestContext>) {
        router.get("stac") { request, _ in try Self.json(StacDocument.landing(Self.origin(request))) }
        router.get("stac/conformance") { _, _ in
            try Self.json(StacDocument.object(["conformsTo": .list(StacDocument.conformance)]))
        }
        router.get("stac/collections") { request, _ in
            let origin = Self.origin(request)
            let collection = StacDocument.collection(origin, try await self.items(origin))
            return try Self.json(
                StacDocument.object([
                    "collections": .list([collection]),
                    "links": .list([
                        StacDocument.link("self", "\(origin)/stac/collections"),
                        StacDocument.link("root", "\(origin)/stac"),
                    ]),
                ]))
        }
        router.get("stac/collections/:collection") { request, context in
            try self.check(context)
            let origin = Self.origin(request)
            return try Self.json(StacDocument.collection(origin, try await self.items(origin)))
        }
        router.get("stac/collections/:collection/items") { request, context in
            try self.check(context)
            return try await self.find(
                StacQuery(request.uri.queryParameters), request, "/stac/collections/\(Self.collection)/items")
        }
        router.get("stac/collections/:collection/items/:item") { request, context in
            try self.check(context)
            let id = try context.parameters.require("item")
            guard let header = try await self.finished().first(where: { "\($0.id)" == id }),
                let item = try await self.item(of: header, Self.origin(request))
            else { throw Problem(.notFound, "there is no mosaic \(id.prefix(60)) in this cluster") }
            return try Self.json(item, type: "application/geo+json")
        }
        router.get("stac/search") { request, _ in
            try await self.find(StacQuery(request.uri.queryParameters), request, "/stac/search")
        }
        router.post("stac/search") { request, _ in
            let body = try await self.collect(request)
            let query: StacQuery
            do { query = try JSONDecoder().decode(StacQuery.self, from: body) } catch let problem as Problem {
                throw problem
            } catch {
                throw Problem(.badRequest, "the body is no STAC search: \(error)")
            }
            return try await self.find(query, request, "/stac/search", isPost: true)
        }
    }

    private func check(_ context: some RequestContext) throws {
        let name = try context.parameters.require("collection")
        guard name == Self.collection else {
            throw Problem(
                .notFound, "there is no collection \(name.prefix(60)); this cluster has \(Self.collection)")
        }
    }

    // MARK: Items

    private func finished() async throws -> [JobHeader] {
        await node.jobs().filter { $0.state.manifest.outputs != nil }
    }

    private func items(_ origin: String) async throws -> [JSONValue] {
        var items: [JSONValue] = []
        for header in try await finished() {
            if let item = try await item(of: header, origin) { items.append(item) }
        }
        return items
    }

    /// The item that the assembly wrote, with addresses of this server; nil when no holder can be reached.
    private func item(of header: JobHeader, _ origin: String) async throws -> JSONValue? {
        guard let outputs = header.state.manifest.outputs else { return nil }
        let key = "\(outputs)"
        if let known = stac.item(key) { return StacDocument.item(known, header, origin) }
        do {
            guard let bytes = try await node.smallOutput("mosaic.json", of: header) else { return nil }
            let item = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
            stac.keep(item, key)
            return StacDocument.item(item, header, origin)
        } catch let failure as BulkFailure {
            logger.info("the item of job \(header.id) cannot be had: \(failure)")
            return nil
        }
    }

    private func find(
        _ query: StacQuery, _ request: Request, _ path: String, isPost: Bool = false
    ) async throws -> Response {
        let origin = Self.origin(request)
        let all = try await items(origin).filter { query.matches($0, in: Self.collection) }
        let page = Array(all.dropFirst(query.start).prefix(query.limit))
        var links = [
            StacDocument.link("root", "\(origin)/stac"),
            StacDocument.link("self", "\(origin)\(path)", "application/geo+json"),
        ]
        if query.start + page.count < all.count {
            links.append(query.next(after: query.start + page.count, "\(origin)\(path)", isPost: isPost))
        }
        return try Self.json(
            StacDocument.object([
                "type": .text("FeatureCollection"), "features": .list(page), "links": .list(links),
                "numberMatched": .number(Double(all.count)), "numberReturned": .number(Double(page.count)),
            ]), type: "application/geo+json")
    }
}

/// Items by the outputs that they describe: equal outputs have equal items.
final class StacShelf: Sendable {
    private let items = Mutex<[String: JSONValue]>([:])

    func item(_ key: String) -> JSONValue? { items.withLock { $0[key] } }

    func keep(_ item: JSONValue, _ key: String) {
        items.withLock { items in
            if items.count >= 1024, let one = items.keys.first { items[one] = nil }
            items[key] = item
        }
    }
}
