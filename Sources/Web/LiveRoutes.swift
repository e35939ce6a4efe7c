import Cluster
import Foundation
import HTTPTypes
import Hummingbird
import Mosaic
import NodeRuntime
import Wire

// Jobs while they run: events, the grid of tasks, map tiles, single pixels.

extension WebServer {
    func addLiveRoutes(to router: Router<BasicRequestContext>) {
        router.get("jobs/:id/events") { request, context in
            let header = try await self.job(context).header
            let text = request.headers[.lastEventID] ?? request.uri.queryParameters["after"].map(String.init)
            let last = try text.map { text in
                guard let id = LiveEventID(text) else {
                    throw Problem(.badRequest, "Last-Event-ID \(text.prefix(50)) is none of this server's")
                }
                return id
            }
            return ServerSentEvent.response(await self.streams.join(header, after: last))
        }
        router.get("jobs/:id/tasks") { _, context in try await self.tasks(context) }
        router.get("jobs/:id/tilejson.json") { request, context in
            try await self.tileJSON(request, context)
        }
        router.get("jobs/:id/tiles/:z/:x/:y") { request, context in try await self.tile(request, context) }
        router.get("jobs/:id/point/:place") { _, context in try await self.point(context) }
    }

    /// What maps, forms and programs need besides.
    func addMapRoutes(to router: Router<BasicRequestContext>) {
        router.get("api") { _, _ in
            guard let document = self.files["openapi.json"] else {
                throw Problem(.notFound, "the description of the API is not beside the program")
            }
            return try Self.json(
                try APIDocument.whole(document.bytes), type: "application/vnd.oai.openapi+json;version=3.1")
        }
        router.get("basemap/coast.bin") { _, _ in
            do {
                let bytes = try await self.coast.bytes { try await self.node.coastline() }
                return Response(
                    status: .ok,
                    headers: [.contentType: "application/octet-stream", .cacheControl: Self.aDay],
                    body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
            } catch {
                throw Problem(.notFound, "\(error)")
            }
        }
        router.post("processes/mosaic/estimate") { request, _ in
            try self.authorize(request)
            let body = try await self.collect(request)
            let inputs: MosaicRequest
            do { inputs = try JSONDecoder().decode(Inputs.self, from: body).inputs } catch {
                throw Problem(.badRequest, "the body is no request: \(error); send {\"inputs\": {…}}")
            }
            do { return try Self.json(try await self.node.estimate(inputs)) } catch let problem as Problem {
                throw problem
            } catch {
                throw Problem(.badRequest, "\(error)")
            }
        }
    }

    private struct Inputs: Decodable { let inputs: MosaicRequest }

    // MARK: Tasks

    private func tasks(_ context: some RequestContext) async throws -> Response {
        let header = try await job(context).header
        guard let grid = try await reaching({ try await node.grid(of: header) }) else {
            return try Self.json(TaskGridAnswer(header))
        }
        let states: TaskStates?
        var doubt: String?
        do {
            states = try await node.taskStates(of: header)
        } catch let failure as BulkFailure {
            (states, doubt) = (nil, "\(failure)")
        }
        let missing = states == nil ? await node.missingTasks(of: header) : nil
        return try Self.json(
            TaskGridAnswer(header, grid, states, missing: missing ?? TaskSet(), doubt: doubt))
    }

    // MARK: Tiles

    private func tile(_ request: Request, _ context: some RequestContext) async throws -> Response {
        let header = try await job(context).header
        let parameters = context.parameters
        let name = try parameters.require("y")
        guard name.hasSuffix(".png"), let zoom = Int(try parameters.require("z")),
            let column = Int(try parameters.require("x")), let row = Int(name.dropLast(4)),
            let tile = MapTileName(zoom: zoom, column: column, row: row)
        else {
            throw Problem(
                .notFound,
                "there is no such tile; ask for tiles/z/x/y.png with z from 0 to "
                    + "\(MapTileName.deepest)")
        }
        let index = try await place(of: request.uri.queryParameters["index"].map(String.init), header)
        let tag = header.state.manifest.outputs.map { "\"\($0)-\(index)\"" }
        if let tag, request.headers[.ifNoneMatch] == tag {
            return Response(status: .notModified, headers: [.eTag: tag, .cacheControl: Self.aDay])
        }
        guard let bytes = try await reaching({ try await node.tile(tile, index: index, of: header) }) else {
            throw Problem(
                .notFound,
                "the pixels of job \(header.id) are on no node that can be reached; start one of "
                    + "its holders, or resume the job")
        }
        var headers: HTTPFields = [.contentType: "image/png"]
        headers[.cacheControl] = tag == nil ? "no-store" : Self.aDay
        headers[.eTag] = tag
        return Response(
            status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private static let aDay = "private, max-age=86400"

    /// The place of an index in the plan: by its name, or by its number; the first one when nothing is said.
    private func place(of text: String?, _ header: JobHeader) async throws -> Int {
        guard let text else { return 0 }
        guard let grid = try await reaching({ try await node.grid(of: header) }) else { return 0 }
        if let place = grid.indices.firstIndex(where: { $0.name == text }) { return place }
        if let place = Int(text), grid.indices.indices.contains(place) { return place }
        let known = grid.indices.map(\.name).joined(separator: ", ")
        throw Problem(.notFound, "job \(header.id) has no index \(text.prefix(60)); it has \(known)")
    }

    private func tileJSON(_ request: Request, _ context: some RequestContext) async throws -> Response {
        let header = try await job(context).header
        guard let grid = try await reaching({ try await node.grid(of: header) }) else {
            throw Problem(.notFound, "job \(header.id) has no plan yet; ask again when it runs")
        }
        let index = try await place(of: request.uri.queryParameters["index"].map(String.init), header)
        let origin = Self.origin(request)
        return try Self.json(
            TileJSON(header, grid, index, tiles: "\(origin)/jobs/\(header.id)/tiles/{z}/{x}/{y}.png"))
    }

    // MARK: Points

    private func point(_ context: some RequestContext) async throws -> Response {
        let header = try await job(context).header
        let text = try context.parameters.require("place")
        let parts = text.removingPercentEncoding?.split(separator: ",") ?? []
        guard parts.count == 2, let longitude = Double(parts[0]), let latitude = Double(parts[1]),
            abs(longitude) <= 360, abs(latitude) <= 90
        else {
            throw Problem(
                .badRequest, "\(text.prefix(60)) is no place; give longitude,latitude in degrees: 13.4,52.5")
        }
        do {
            let answer = try await reaching {
                try await node.point(longitude: longitude, latitude: latitude, of: header)
            }
            guard let answer else {
                throw Problem(
                    .notFound,
                    "the pixels of job \(header.id) are on no node that can be reached; start one "
                        + "of its holders, or resume the job")
            }
            return try Self.json(answer)
        } catch let outside as PlaceOutside {
            throw Problem(.notFound, "\(outside)")
        }
    }

    /// Runs what asks other nodes; one that cannot be reached is the gateway's problem, not the client's.
    func reaching<T>(_ work: () async throws -> T) async throws -> T {
        do {
            return try await work()
        } catch let failure as BulkFailure {
            throw Problem(.badGateway, "\(failure); try again, or ask another node")
        } catch let error as RuntimeError {
            throw Problem(.serviceUnavailable, "\(error)")
        }
    }
}

/// The grid of tasks: where each lies and how it stands.
struct TaskGridAnswer: Codable {
    /// One task.
    struct Item: Codable {
        let task: Int
        /// Column, row, width and height in the grid.
        let window: [Int]
        /// Corners from the upper left, clockwise: longitude, latitude, …
        let outline: [Double]
        let state: String
        /// Place in `nodes`; nil: nobody's, or unknown.
        let node: Int?
        let attempts: Int
        let seconds: Double?
    }

    let jobID: String
    let title: String
    let state: String
    /// The last event that this contains: `?after=` of the event stream.
    let last: String?
    let crs: String?
    /// West, south, east, north.
    let bbox: [Double]?
    let indices: [IndexAnswer]
    let nodes: [String]
    let progress: JobProgress?
    let tasks: [Item]
    /// Why the states are not those of this moment; nil when they are.
    let doubt: String?

    /// A job without a plan.
    init(_ header: JobHeader) {
        (jobID, title, state) = ("\(header.id)", header.title, header.stateName)
        (last, crs, bbox, progress, doubt) = (nil, nil, nil, nil, nil)
        (indices, nodes, tasks) = ([], [], [])
    }

    /// - Parameter missing: tasks that the outputs lack, where nobody remembers the states.
    init(_ header: JobHeader, _ grid: JobGrid, _ states: TaskStates?, missing: TaskSet, doubt: String?) {
        (jobID, title, state) = ("\(header.id)", header.title, header.stateName)
        last = states.map { "\($0.last)" }
        crs = grid.grid.crs.name
        bbox = grid.area.map { [$0.west, $0.south, $0.unwrappedEast, $0.north] }
        indices = grid.indices.map(IndexAnswer.init)
        nodes = states?.nodes ?? []
        progress = states?.progress
        // Nobody remembers who did what: the manifest says at least what is done.
        let usual = header.state.manifest.outputs == nil ? "waiting" : "done"
        let matches = states?.tasks.count == grid.windows.count
        self.doubt =
            doubt ?? (states == nil && header.isLive ? "the coordinator has not told yet" : nil)
        tasks = grid.windows.indices.map { number in
            let window = grid.windows[number]
            let state = matches ? states?.tasks[number] : nil
            // A job with outputs has no task at work, whatever was seen last.
            let isStale = usual == "done" && ["waiting", "queued", "running"].contains(state?.state)
            return Item(
                task: number, window: [window.x, window.y, window.width, window.height],
                outline: grid.outlines[number],
                state: missing.contains(TaskID(number))
                    ? "failed" : isStale ? usual : state?.state ?? usual,
                node: state.flatMap { $0.node >= 0 ? $0.node : nil }, attempts: state?.attempts ?? 0,
                seconds: state.flatMap { $0.seconds >= 0 ? $0.seconds : nil })
        }
    }
}

/// An index with what a legend needs.
struct IndexAnswer: Codable {
    let name: String
    let title: String
    let low: Double
    let high: Double
    /// Colours from low to high, evenly spaced: `#rrggbb`.
    let colours: [String]

    init(_ index: SpectralIndex) {
        (name, title) = (index.name, index.title)
        (low, high) = (index.range.low, index.range.high)
        let entries = index.colormap.palette.entries
        colours = (0...16).map { step in
            let colour = entries[min(255, 1 + Int((Double(step) * 254 / 16).rounded()))]
            return "#"
                + [colour.red, colour.green, colour.blue].map { channel in
                    let digits = String(channel, radix: 16)
                    return digits.count == 1 ? "0" + digits : digits
                }.joined()
        }
    }
}

/// TileJSON 3.0.0 (https://github.com/mapbox/tilejson-spec).
struct TileJSON: Codable {
    let tilejson: String
    let name: String
    let scheme: String
    let tiles: [String]
    let minzoom: Int
    let maxzoom: Int
    let bounds: [Double]?
    let center: [Double]?
    let attribution: String

    init(_ header: JobHeader, _ grid: JobGrid, _ index: Int, tiles address: String) {
        (tilejson, scheme, minzoom) = ("3.0.0", "xyz", 0)
        name = "\(header.title): \(grid.indices[index].title)"
        tiles = [grid.indices.count > 1 ? address + "?index=\(grid.indices[index].name)" : address]
        bounds = grid.area.map { [$0.west, $0.south, $0.unwrappedEast, $0.north] }
        attribution = "arbutus"
        guard let area = grid.area else {
            (maxzoom, center) = (18, nil)
            return
        }
        let width = max(1e-9, area.unwrappedEast - area.west)
        // The zoom at which a tile's pixel is at most one of the mosaic.
        let zoom = log2(360 / width * Double(grid.grid.columns) / 256).rounded(.up)
        maxzoom = min(MapTileName.deepest, max(0, Int(zoom.isFinite ? zoom : 18) + 1))
        center = [
            (area.west + area.unwrappedEast) / 2, (area.south + area.north) / 2,
            max(0, Double(maxzoom) - log2(max(1, Double(max(grid.grid.columns, grid.grid.rows)) / 512)) - 1)
                .rounded(),
        ]
    }
}

/// The coastlines, made once when a map first asks.
actor CoastShelf {
    private var made: Task<[UInt8], any Error>?

    func bytes(_ make: @escaping @Sendable () async throws -> [UInt8]) async throws -> [UInt8] {
        let task = made ?? Task { try await make() }
        made = task
        do { return try await task.value } catch {
            made = nil
            throw error
        }
    }
}
