import Cluster
import Engine
import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import Mosaic
import NodeRuntime
import Sample
import Testing

@testable import Web

/// A node that has made the NDVI of one synthetic granule, and its HTTP API without a socket; all in a folder
/// that vanishes with it.
final class FinishedMosaic: Sendable {
    let node: ClusterNode
    let server: WebServer
    let job: String
    private let folder: String

    init(origins: [String] = []) async throws {
        folder = NSTemporaryDirectory() + "arbutus-web-" + UUID().uuidString
        let scenes = try SampleWriter(
            SampleOptions(outputFolder: folder + "/scenes", size: 512, granules: 1)
        ).write { _ in }
        var logger = Logger(label: "web test")
        logger.logLevel = .critical
        node = try ClusterNode(
            ClusterNode.Setup(
                data: folder + "/node", listen: Address("127.0.0.1:0"), seeds: [],
                secret: [UInt8](repeating: 5, count: 32),
                limits: MachineLimits(threads: 1, memory: 1 << 30), outputs: folder + "/mosaics",
                logger: logger))
        server = WebServer(
            node, host: "127.0.0.1", port: 0, token: nil, logger: logger, allowedOrigins: origins)
        _ = try await node.start()
        var request = MosaicRequest()
        (request.scenes, request.indices) = (scenes, ["ndvi"])
        job = "\(try await node.submit(request).id)"
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            let status = await node.job(try #require(JobID(job)))
            if status?.header.state.manifest.outputs != nil { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("the mosaic was not made within a minute")
    }

    /// Hands `body` a client of the API; then the node ends.
    static func withClient(
        origins: [String] = [],
        _ body: @escaping @Sendable (any TestClientProtocol, FinishedMosaic) async throws -> Void
    ) async throws {
        let mosaic = try await FinishedMosaic(origins: origins)
        try await Application(router: mosaic.server.router()).test(.router) { try await body($0, mosaic) }
        await mosaic.node.shutDown()
        try FileManager.default.removeItem(atPath: mosaic.folder)
    }
}

extension TestClientProtocol {
    func get(_ path: String, _ headers: HTTPFields = [:]) async throws -> TestResponse {
        try await executeRequest(uri: path, method: .get, headers: headers, body: nil)
    }

    /// The answer's JSON.
    func json(_ path: String) async throws -> JSONValue {
        let answer = try await get(path)
        #expect(answer.status == .ok, "\(path)")
        return try JSONDecoder().decode(JSONValue.self, from: Data(buffer: answer.body))
    }
}
