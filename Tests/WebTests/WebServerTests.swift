import Cluster
import Engine
import Foundation
import FoundationNetworking
import Logging
import NodeRuntime
import Testing

@testable import Web

/// The HTTP API of one real node, over loopback.
@Suite(.serialized) struct WebServerTests {
    /// A node with its server, in a folder that vanishes with it.
    private final class Station {
        let folder: String
        let node: ClusterNode
        private(set) var port = 0
        private var serving: Task<Void, any Error>?

        init(token: String? = nil) async throws {
            folder = NSTemporaryDirectory() + "arbutus-web-" + UUID().uuidString
            var logger = Logger(label: "web test")
            logger.logLevel = .critical
            node = try ClusterNode(
                ClusterNode.Setup(
                    data: folder, listen: Address("127.0.0.1:0"), seeds: [],
                    secret: [UInt8](repeating: 5, count: 32),
                    limits: MachineLimits(threads: 1, memory: 1 << 30), outputs: folder + "/mosaics",
                    logger: logger))
            _ = try await node.start()
            let server = WebServer(node, host: "127.0.0.1", port: 0, token: token, logger: logger)
            let ports = AsyncStream<Int>.makeStream()
            serving = Task {
                try await server.run { port in
                    ports.continuation.yield(port)
                    ports.continuation.finish()
                }
            }
            for await port in ports.stream { self.port = port }
        }

        func stop() async throws {
            serving?.cancel()
            await node.shutDown()
            try FileManager.default.removeItem(atPath: folder)
        }

        /// One request: status, headers and body.
        func ask(
            _ path: String, method: String = "GET", body: String? = nil, headers: [String: String] = [:]
        ) async throws -> (status: Int, headers: [AnyHashable: Any], body: Data) {
            var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)\(path)")))
            request.httpMethod = method
            request.httpBody = body.map { Data($0.utf8) }
            for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
            let (data, response) = try await URLSession.shared.data(for: request)
            let answer = try #require(response as? HTTPURLResponse)
            return (answer.statusCode, answer.allHeaderFields, data)
        }
    }

    private struct Refusal: Decodable {
        let status: Int
        let title: String
        let detail: String
    }

    @Test(.timeLimit(.minutes(1))) func saysThatItLivesAndWhoIsThere() async throws {
        let station = try await Station()
        #expect(try await station.ask("/healthz").body == Data("ok\n".utf8))
        let members = try JSONDecoder().decode(MemberList.self, from: try await station.ask("/members").body)
        #expect(members.node == "\(station.node.id)")
        #expect(members.members.map(\.isSelf) == [true])
        let jobs = try JSONDecoder().decode(JobList.self, from: try await station.ask("/jobs").body)
        #expect(jobs.jobs.isEmpty)
        try await station.stop()
    }

    @Test(.timeLimit(.minutes(1))) func refusesInSentences() async throws {
        let station = try await Station()
        let cases: [(path: String, method: String, body: String?, status: Int, word: String)] = [
            ("/nowhere", "GET", nil, 404, "cannot be answered"),
            ("/jobs/12", "GET", nil, 404, "32 hexadecimal digits"),
            ("/jobs/" + String(repeating: "0", count: 32), "GET", nil, 404, "no job"),
            ("/processes/mosaic/execution", "POST", "{", 400, "no execution"),
            ("/processes/mosaic/execution", "POST", "{\"inputs\":{}}", 400, "scene"),
            ("/jobs/" + String(repeating: "0", count: 32), "DELETE", nil, 404, "no job"),
        ]
        for item in cases {
            let answer = try await station.ask(item.path, method: item.method, body: item.body)
            #expect(answer.status == item.status, "\(item.path)")
            let refusal = try JSONDecoder().decode(Refusal.self, from: answer.body)
            #expect(refusal.status == item.status)
            #expect(refusal.detail.contains(item.word), "\(refusal.detail)")
        }
        let large = String(repeating: "x", count: WebServer.bodyLimit + 1)
        let answer = try await station.ask("/processes/mosaic/execution", method: "POST", body: large)
        #expect(answer.status == 413)
        try await station.stop()
    }

    @Test(.timeLimit(.minutes(1))) func writesNeedTheToken() async throws {
        let station = try await Station(token: "secret word")
        let path = "/processes/mosaic/execution"
        #expect(try await station.ask(path, method: "POST", body: "{}").status == 401)
        let wrong = try await station.ask(
            path, method: "POST", body: "{}", headers: ["Authorization": "Bearer secret worm"])
        #expect(wrong.status == 401)
        let right = try await station.ask(
            path, method: "POST", body: "{}", headers: ["Authorization": "Bearer secret word"])
        #expect(right.status == 400)
        #expect(try await station.ask("/jobs").status == 200)
        try await station.stop()
    }

    @Test func rangesFollowTheStandard() {
        #expect(ByteRange("bytes=0-9", of: 100)?.bounds == 0...9)
        #expect(ByteRange("bytes=90-", of: 100)?.bounds == 90...99)
        #expect(ByteRange("bytes=-10", of: 100)?.bounds == 90...99)
        #expect(ByteRange("bytes=-200", of: 100)?.bounds == 0...99)
        #expect(ByteRange("bytes=50-500", of: 100)?.bounds == 50...99)
        for text in ["bytes=100-", "bytes=5-4", "bytes=a-b", "lines=1-2", "bytes=-0", "bytes=1-2,4-5", ""] {
            #expect(ByteRange(text, of: 100) == nil, "\(text)")
        }
    }
}
