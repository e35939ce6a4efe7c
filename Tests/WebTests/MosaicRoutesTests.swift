import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Web

/// What the API says of a finished mosaic, route by route, without sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct MosaicRoutesTests {
    private func place(_ client: any TestClientProtocol, _ job: String) async throws -> [Double] {
        try #require(try await client.json("/jobs/\(job)/tilejson.json")["center"]?.numbers)
    }

    @Test func tilesArePicturesThatABrowserMayKeep() async throws {
        try await FinishedMosaic.withClient { client, mosaic in
            let jobs = "/jobs/\(mosaic.job)"
            let tile = try await client.get("\(jobs)/tiles/0/0/0.png")
            #expect(tile.status == .ok)
            #expect(tile.headers[.contentType] == "image/png")
            #expect(Array(tile.body.readableBytesView.prefix(8)) == [137, 80, 78, 71, 13, 10, 26, 10])
            let tag = try #require(tile.headers[.eTag])
            let again = try await client.get("\(jobs)/tiles/0/0/0.png", [.ifNoneMatch: tag])
            #expect(again.status == .notModified)
            #expect(again.body.readableBytes == 0)
            #expect(try await client.get("\(jobs)/tiles/0/0/0.png?index=ndvi").status == .ok)
            for wrong in ["0/1/0.png", "1/0/2.png", "-1/0/0.png", "99/0/0.png", "0/0/0.jpg", "0/0/x.png"] {
                #expect(try await client.get("\(jobs)/tiles/\(wrong)").status == .notFound, "\(wrong)")
            }
            #expect(try await client.get("\(jobs)/tiles/0/0/0.png?index=ndsi").status == .notFound)
        }
    }

    @Test func aPointHasAValueADateAndAReason() async throws {
        try await FinishedMosaic.withClient { client, mosaic in
            let center = try await place(client, mosaic.job)
            let path = "/jobs/\(mosaic.job)/point/"
            let answer = try await client.json("\(path)\(center[0]),\(center[1])")
            #expect(answer["isFinished"] == .flag(true))
            #expect(answer["crs"]?.text == "EPSG:32633")
            // The middle of 512 pixels; the geographic middle lies within a few of it.
            #expect(abs((answer["column"]?.number ?? 0) - 256) < 6)
            #expect(abs((answer["row"]?.number ?? 0) - 256) < 6)
            let value = try #require(answer["values"]?.list?.first)
            #expect(value["index"]?.text == "ndvi")
            let known = ["valid", "masked", "nodata", "undefined"]
            #expect(known.contains(try #require(value["reason"]?.text)))
            #expect(value["date"]?.text?.hasPrefix("2024-") == true)
            for (place, status) in [
                ("0,0", HTTPResponse.Status.notFound), ("here", .badRequest), ("1", .badRequest),
                ("500,10", .badRequest), ("10,91", .badRequest), ("nan,0", .badRequest),
            ] {
                #expect(try await client.get(path + place).status == status, "\(place)")
            }
        }
    }

    @Test func filesComeWholeAndByRangeAndNoOtherOnes() async throws {
        try await FinishedMosaic.withClient { client, mosaic in
            let folder = "/artifacts/\(mosaic.job)"
            let size = try #require(
                try await client.json("/jobs/\(mosaic.job)/results")["ndvi.tif"]?["file:size"]?.number)
            let whole = try await client.get("\(folder)/ndvi.tif")
            #expect(whole.status == .ok)
            #expect(whole.headers[.acceptRanges] == "bytes")
            #expect(Double(whole.body.readableBytes) == size)
            let head = try await client.get("\(folder)/ndvi.tif", [.range: "bytes=0-3"])
            #expect(head.status == .partialContent)
            #expect(head.headers[.contentRange] == "bytes 0-3/\(Int(size))")
            #expect(Array(head.body.readableBytesView) == [73, 73, 42, 0])
            let beyond = try await client.get("\(folder)/ndvi.tif", [.range: "bytes=\(Int(size))-"])
            #expect(beyond.status == .rangeNotSatisfiable)
            #expect(beyond.headers[.contentRange] == "bytes */\(Int(size))")
            for name in [
                "nothing.tif", "..%2fnode%2fkeys", "%2e%2e", "..%2f..%2f..%2fetc%2fpasswd", "ndvi.tif%00",
            ] {
                #expect(try await client.get("\(folder)/\(name)").status == .notFound, "\(name)")
            }
        }
    }

    @Test func theMosaicIsAnItemOfTheStacAPI() async throws {
        try await FinishedMosaic.withClient { client, mosaic in
            let landing = try await client.json("/stac")
            let relations = landing["links"]?.list?.compactMap { $0["rel"]?.text } ?? []
            for needed in ["self", "root", "data", "search", "conformance", "service-desc"] {
                #expect(relations.contains(needed), "\(needed)")
            }
            let center = try await place(client, mosaic.job)
            let near = center.prefix(2).map { $0 - 0.01 } + center.prefix(2).map { $0 + 0.01 }
            let box = near.map { "\($0)" }.joined(separator: ",")
            for (query, count) in [
                ("", 1), ("?bbox=\(box)", 1), ("?bbox=1,1,2,2", 0), ("?ids=\(mosaic.job)", 1),
                ("?ids=other", 0),
                ("?collections=mosaics", 1), ("?collections=others", 0),
                ("?datetime=2024-01-01T00:00:00Z/..", 1),
                ("?datetime=../2020-01-01T00:00:00Z", 0), ("?limit=1", 1),
            ] {
                let found = try await client.json("/stac/search\(query)")
                #expect(found["features"]?.list?.count == count, "\(query)")
                #expect(found["numberMatched"]?.number == Double(count), "\(query)")
            }
            for wrong in ["?bbox=1,2,3", "?bbox=a,b,c,d", "?limit=0", "?limit=x", "?datetime=yesterday"] {
                #expect(try await client.get("/stac/search\(wrong)").status == .badRequest, "\(wrong)")
            }
            let item = try await client.json("/stac/collections/mosaics/items/\(mosaic.job)")
            #expect(item["type"]?.text == "Feature")
            let address = try #require(item["assets"]?["ndvi"]?["href"]?.text)
            #expect(address.hasSuffix("/artifacts/\(mosaic.job)/ndvi.tif"))
            #expect(try await client.get("/stac/collections/others").status == .notFound)
            #expect(try await client.get("/stac/collections/mosaics/items/none").status == .notFound)
        }
    }

    @Test func theGridTilesTheMosaicAndAllOfItIsDone() async throws {
        try await FinishedMosaic.withClient { client, mosaic in
            let grid = try await client.json("/jobs/\(mosaic.job)/tasks")
            let tasks = try #require(grid["tasks"]?.list)
            let pixels = tasks.compactMap { $0["window"]?.numbers }.reduce(0) { $0 + $1[2] * $1[3] }
            #expect(pixels == 512 * 512)
            #expect(tasks.allSatisfy { $0["state"]?.text == "done" })
        }
    }

    @Test func otherSitesAskOnlyWhenTheyAreNamed() async throws {
        let origin: HTTPFields = [.origin: "https://maps.example"]
        try await FinishedMosaic.withClient { client, _ in
            let answer = try await client.get("/jobs", origin)
            #expect(answer.status == .ok)
            #expect(answer.headers[.accessControlAllowOrigin] == nil)
            #expect(answer.headers[.xContentTypeOptions] == "nosniff")
            #expect(answer.headers[.contentSecurityPolicy]?.contains("default-src 'self'") == true)
        }
        try await FinishedMosaic.withClient(origins: ["https://maps.example"]) { client, _ in
            let answer = try await client.get("/jobs", origin)
            #expect(answer.headers[.accessControlAllowOrigin] == "https://maps.example")
            let other = try await client.get("/jobs", [.origin: "https://maps.example.evil"])
            #expect(other.headers[.accessControlAllowOrigin] == nil)
            let ahead = try await client.executeRequest(
                uri: "/jobs", method: .options, headers: origin, body: nil)
            #expect(ahead.status == .noContent)
        }
    }

    /// The description is of this API: what it names is served, and what is served it names, apart from the
    /// page's own files.
    @Test func theDescriptionNamesEveryRoute() async throws {
        try await FinishedMosaic.withClient { client, mosaic in
            let document = try await client.json("/api")
            guard case .object(let paths)? = document["paths"] else {
                return #expect(Bool(false), "no paths")
            }
            var described: Set<String> = []
            for (path, methods) in paths {
                guard case .object(let methods) = methods else { continue }
                for method in methods.keys { described.insert("\(method.uppercased()) \(Self.plain(path))") }
            }
            let served = Set(
                mosaic.server.router().routes.filter { $0.method != .head }
                    .map { "\($0.method.rawValue) \(Self.plain("\($0.path)"))" })
            #expect(described.subtracting(served) == [])
            let pages = served.subtracting(described).filter { route in
                ["/ui", "/leaflet", "/basemap"].contains { route.hasPrefix("GET \($0)") } || route == "GET /"
                    || [".js", ".css", ".svg", ".json", ".html"].contains { route.hasSuffix($0) }
            }
            #expect(served.subtracting(described).subtracting(pages) == [])
            let fields = document["components"]?["schemas"]?["MosaicRequest"]?["properties"]
            #expect(fields?["mask_buffer"]?["maximum"]?.number == 10000)
        }
    }

    /// A path whose parameters have no names.
    private static func plain(_ path: String) -> String {
        let parts = path.split(separator: "/").map { part in
            part.contains("{") || part.hasPrefix(":") ? "*" : String(part)
        }
        return "/" + parts.joined(separator: "/")
    }
}
