import Cluster
import Engine
import Foundation
import Logging
import NodeRuntime
import Sample
import Testing
import Web

@testable import Client

/// Real nodes with their HTTP API over loopback, in a folder that vanishes with them.
final class Stations {
    /// One node and its server.
    final class Station {
        let node: ClusterNode
        let port: Int
        private let serving: Task<Void, any Error>
        private(set) var isServing = true

        init(_ node: ClusterNode, port: Int, serving: Task<Void, any Error>) {
            (self.node, self.port, self.serving) = (node, port, serving)
        }

        var url: NodeURL {
            get throws { try NodeURL("http://127.0.0.1:\(port)") }
        }

        /// Ends the HTTP API; the node goes on.
        func deafen() async {
            serving.cancel()
            _ = await serving.result
            isServing = false
        }
    }

    let folder = NSTemporaryDirectory() + "arbutus-client-" + UUID().uuidString
    private(set) var all: [Station] = []
    private var ports: [Int] = []

    /// Starts so many nodes and waits until all see all.
    init(_ count: Int = 1, token: String? = nil) async throws {
        for number in 0..<count { try await start("n\(number)", token: token) }
        for station in all {
            try await eventually("node \(station.node.id) sees the others") {
                await station.node.members().filter { $0.standing == .alive }.count == count - 1
            }
        }
    }

    private func start(_ name: String, token: String?) async throws {
        var logger = Logger(label: name)
        logger.logLevel = .critical
        let node = try ClusterNode(
            ClusterNode.Setup(
                data: "\(folder)/\(name)", listen: Address("127.0.0.1:0"),
                seeds: ports.map { Address("127.0.0.1:\($0)") }, secret: [UInt8](repeating: 9, count: 32),
                limits: MachineLimits(threads: 1, memory: 1 << 30), outputs: "\(folder)/\(name)/mosaics",
                logger: logger))
        ports.append(try await node.start())
        let server = WebServer(node, host: "127.0.0.1", port: 0, token: token, logger: logger)
        let heard = AsyncStream<Int>.makeStream()
        let serving = Task {
            try await server.run { port in
                heard.continuation.yield(port)
                heard.continuation.finish()
            }
        }
        for await port in heard.stream { all.append(Station(node, port: port, serving: serving)) }
    }

    /// Two small granules.
    func scenes(size: Int = 200, seed: UInt32 = 1) throws -> [String] {
        try SampleWriter(
            SampleOptions(outputFolder: folder + "/scenes", size: size, seed: seed, force: true)
        ).write()
    }

    func stop() async throws {
        for station in all {
            if station.isServing { await station.deafen() }
            await station.node.shutDown()
        }
        try FileManager.default.removeItem(atPath: folder)
    }
}

/// Asks again until it is so.
func eventually(_ what: String, within seconds: Double = 30, _ isSo: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if try await isSo() { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("not within \(seconds) s: \(what)")
}

/// A client that waits long enough for a busy machine.
func client(_ nodes: [NodeURL], token: String? = nil) -> ClusterClient {
    var patience = ClusterClient.Patience()
    (patience.connect, patience.answer, patience.slowAnswer) = (5, 40, 55)
    return ClusterClient(nodes, token: token, patience: patience)
}
