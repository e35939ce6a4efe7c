import Cluster
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import Mosaic
import NIOCore
import NodeRuntime

/// The HTTP API of a node (INTERFACES.md, HTTP): any node answers for every job of the cluster.
public struct WebServer: Sendable {
    let node: ClusterNode
    private let host: String
    private let port: Int
    let logger: Logger
    /// What `Authorization: Bearer` must show for writes; nil: writes are taken from loopback only, where the
    /// server then listens.
    private let token: String?
    let streams: JobStreams
    let members: MemberSight
    let files: WebFiles
    let stac = StacShelf()
    let coast = CoastShelf()
    /// Other sites whose pages may ask this server (CORS); none unless the operator says so.
    let allowedOrigins: [String]

    /// The most bytes of a request's body.
    static let bodyLimit = 4 << 20

    /// - Parameter host: the address to listen at; without a token it has to be a loopback one.
    /// - Parameter allowedOrigins: sites whose pages may ask this server, as `https://host`; `*` allows all.
    public init(
        _ node: ClusterNode, host: String, port: Int, token: String?, logger: Logger,
        allowedOrigins: [String] = []
    ) {
        (self.node, self.host, self.port) = (node, host, port)
        (self.token, self.logger, self.allowedOrigins) = (token, logger, allowedOrigins)
        streams = JobStreams(node)
        members = MemberSight(node)
        files = WebFiles(logger: logger)
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter listening: called with the port when the server listens.
    /// - Throws: when the address cannot be bound.
    public func run(listening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        let http = HTTP1Channel.Configuration(
            idleTimeout: .seconds(Self.idleSeconds),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))
        let application = Application(
            router: router(), server: .http1(configuration: http),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port), serverName: "arbutus"),
            onServerRunning: { [host, node] channel in
                let port = channel.localAddress?.port ?? 0
                node.serveWeb(at: host, port: port)
                await listening(port)
            }, logger: logger)
        try await withTaskCancellationHandler {
            try await application.run()
        } onCancel: { [streams, members] in
            streams.finish()
            members.finish()
        }
    }

    /// A connection on which nothing moves for so long is closed; event streams send a heartbeat more often.
    static let idleSeconds: Int64 = 60

    func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.middlewares.add(SafetyMiddleware(allowedOrigins: allowedOrigins))
        router.middlewares.add(ProblemMiddleware())
        router.get("healthz") { _, _ in "ok\n" }
        router.get("jobs") { [node] _, _ in
            try Self.json(JobList(jobs: await node.jobs().map(JobAnswer.init), links: []))
        }
        router.get("jobs/:id") { _, context in
            try Self.json(JobAnswer(try await self.job(context).header))
        }
        router.get("jobs/:id/results") { _, context in try await self.results(context) }
        router.post("processes/mosaic/execution") { request, _ in try await self.execute(request) }
        router.delete("jobs/:id") { request, context in
            try self.authorize(request)
            return try await self.ask(.cancel, context)
        }
        router.post("jobs/:id/resume") { request, context in
            try self.authorize(request)
            return try await self.ask(.resume, context)
        }
        router.get("artifacts/:id/:file") { request, context in
            try await self.artifact(request, context)
        }
        addLiveRoutes(to: router)
        addMemberRoutes(to: router)
        addStacRoutes(to: router)
        addMapRoutes(to: router)
        files.addRoutes(to: router)
        addOperationRoutes(to: router)
        addMetricsRoutes(to: router)
        return router
    }

    // MARK: Jobs

    /// The body of an execution: OGC's `inputs` are the request.
    private struct Execution: Decodable {
        let inputs: MosaicRequest
        /// Chosen by the client, so that a retry is the same job.
        let jobID: String?
    }

    private func execute(_ request: Request) async throws -> Response {
        try authorize(request)
        let body = try await collect(request)
        let execution: Execution
        do {
            execution = try JSONDecoder().decode(Execution.self, from: body)
        } catch {
            throw Problem(.badRequest, "the body is no execution: \(error); send {\"inputs\": {…}}")
        }
        let id = try execution.jobID.map { text in
            guard let id = JobID(text) else {
                throw Problem(.badRequest, "jobID \(text) is not 32 hexadecimal digits")
            }
            return id
        }
        do {
            let (job, copies) = try await node.submit(execution.inputs, id: id)
            var response = try Self.json(
                Accepted(jobID: "\(job)", type: "process", status: "accepted", copies: copies))
            response.status = .created
            response.headers[.location] = "/jobs/\(job)"
            return response
        } catch let error as RequestError {
            throw Problem(.badRequest, "\(error)")
        } catch let error as RuntimeError {
            throw Problem(.serviceUnavailable, "\(error)")
        }
    }

    /// The answer to an execution.
    private struct Accepted: Codable {
        let jobID: String
        let type: String
        let status: String
        /// Disks that hold the job's record.
        let copies: Int
    }

    func job(_ context: some RequestContext) async throws -> ClusterNode.JobStatus {
        let text = try context.parameters.require("id")
        guard let id = JobID(text) else {
            throw Problem(.notFound, "there is no job \(text); an id has 32 hexadecimal digits")
        }
        guard let status = await node.job(id) else {
            throw Problem(.notFound, "there is no job \(id) that this node knows of")
        }
        return status
    }

    private func results(_ context: some RequestContext) async throws -> Response {
        let status = try await job(context)
        guard status.header.state.manifest.outputs != nil else {
            throw Problem(.notFound, "job \(status.header.id) has no results yet; ask for its status")
        }
        let files = try await node.outputs(of: status.header)
        let named = files.map { ($0.name, Artifact(job: status.header.id, file: $0)) }
        return try Self.json(Dictionary(named) { first, _ in first })
    }

    private func ask(_ kind: UserRequest, _ context: some RequestContext) async throws -> Response {
        let header = try await job(context).header
        switch await node.request(kind, header) {
        case .accepted?:
            return try Self.json(JobAnswer(try await changed(header)))
        case .superseded(let run)?:
            throw Problem(.conflict, "job \(header.id) is in \(run) meanwhile; ask again for that one")
        case .refused(let reason)?: throw Problem(.conflict, reason)
        case nil:
            throw Problem(
                .gatewayTimeout, "the coordinator of job \(header.id) did not answer in time; try again")
        }
    }

    /// The job as soon as its state is another; the coordinator's answer may be here before its new header.
    private func changed(_ header: JobHeader) async throws -> JobHeader {
        var now = header
        for _ in 0..<40 {
            now = await node.job(header.id)?.header ?? header
            if now.state != header.state { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        return now
    }

    // MARK: Files

    private func artifact(_ request: Request, _ context: some RequestContext) async throws -> Response {
        let status = try await job(context)
        let name = try context.parameters.require("file")
        let files = try await node.outputs(of: status.header)
        guard let file = files.first(where: { $0.name == name }) else {
            throw Problem(.notFound, "job \(status.header.id) has no file \(name)")
        }
        let size = file.bytes
        var headers: HTTPFields = [.contentType: Artifact.type(of: name)]
        headers[.acceptRanges] = "bytes"
        guard let text = request.headers[.range] else {
            let body = try await FileIO().loadFile(path: file.path, context: context)
            return Response(status: .ok, headers: headers, body: body)
        }
        guard let range = ByteRange(text, of: size) else {
            headers[.contentRange] = "bytes */\(size)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        }
        headers[.contentRange] = "bytes \(range.bounds.lowerBound)-\(range.bounds.upperBound)/\(size)"
        let body = try await FileIO().loadFile(path: file.path, range: range.bounds, context: context)
        return Response(status: .partialContent, headers: headers, body: body)
    }

    // MARK: Requests

    func authorize(_ request: Request) throws {
        guard let token else { return }
        guard let given = request.headers[.authorization], given.hasPrefix("Bearer "),
            Self.isEqual(given.dropFirst(7), token)
        else {
            throw Problem(.unauthorized, "writing needs the node's token: Authorization: Bearer …")
        }
    }

    /// Takes as long for a wrong token as for the right one.
    private static func isEqual(_ given: Substring, _ token: String) -> Bool {
        let (a, b) = (Array(given.utf8), Array(token.utf8))
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    func collect(_ request: Request) async throws -> Data {
        do {
            return Data(buffer: try await request.body.collect(upTo: Self.bodyLimit))
        } catch {
            throw Problem(.contentTooLarge, "the body is larger than \(Self.bodyLimit >> 20) MiB")
        }
    }

    static func json(_ value: some Encodable, type: String = "application/json") throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Response(
            status: .ok, headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
    }
}

/// One range of a file, as `Range: bytes=…` asks for it (RFC 9110, section 14.1.2).
struct ByteRange: Equatable {
    /// First and last byte.
    let bounds: ClosedRange<Int>

    /// - Parameter size: of the file; nil when nothing of it is asked for.
    init?(_ text: String, of size: Int) {
        let parts = text.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard text.hasPrefix("bytes="), parts.count == 2, size > 0 else { return nil }
        switch (Int(parts[0]), Int(parts[1])) {
        case (let first?, let last?) where first >= 0 && first <= last && first < size:
            bounds = first...min(last, size - 1)
        case (let first?, nil) where first >= 0 && first < size && parts[1].isEmpty:
            bounds = first...size - 1
        case (nil, let count?) where count > 0 && parts[0].isEmpty: bounds = max(0, size - count)...size - 1
        default: return nil
        }
    }
}
