import Cluster
import Engine
import Foundation
import Logging
import Testing

@testable import NodeRuntime

/// Real nodes over loopback, in a folder of their own, with what they log.
final class NodeGroup {
    let folder: String
    private(set) var nodes: [ClusterNode] = []
    private(set) var ports: [Int] = []
    /// What each node logged, by its name.
    let log = LogLines()
    private let secret = [UInt8](repeating: 7, count: 32)

    init() throws {
        folder = NSTemporaryDirectory() + "arbutus-nodes-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch { print("left behind: \(folder)") }
    }

    /// Starts a node with the data folder of that name, new or left by an earlier start.
    ///
    /// - Parameters:
    ///   - roots: the folders that others may read.
    ///   - sees: whether it finds scenes on the disk, which all nodes share.
    ///   - engine: its fingerprint; nil: the real one.
    @discardableResult
    func start(
        _ name: String, secret: [UInt8]? = nil, roots: [String] = [], sees: Bool = true,
        engine: String? = nil
    ) async throws -> ClusterNode {
        let logger = Logger(label: name) { [log] label in LogLines.Handler(name: label, lines: log) }
        var setup = ClusterNode.Setup(
            data: "\(folder)/\(name)", listen: Address("127.0.0.1:0"),
            seeds: ports.map { Address("127.0.0.1:\($0)") }, secret: secret ?? self.secret,
            limits: MachineLimits(threads: 1, memory: 1 << 30), outputs: "\(folder)/\(name)/mosaics",
            logger: logger)
        setup.sceneRoots = roots
        setup.sees = { _ in sees }
        if let engine { setup.fingerprint = { engine } }
        let node = try ClusterNode(setup)
        ports.append(try await node.start())
        nodes.append(node)
        return node
    }

    /// Ends one node.
    func stop(_ node: ClusterNode) async {
        nodes.removeAll { $0 === node }
        await node.shutDown()
    }

    func stop() async {
        for node in nodes { await node.shutDown() }
        nodes = []
    }
}

/// Lines that nodes log.
final class LogLines: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [(name: String, text: String)] = []

    /// Lines of that node with this text in them.
    func count(_ name: String, _ text: String) -> Int {
        lock.withLock { lines.count { $0.name == name && $0.text.contains(text) } }
    }

    struct Handler: LogHandler {
        let name: String
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lock.withLock { lines.lines.append((name, "\(event.message)")) }
        }
    }
}

/// Asks again until it is so.
func eventually(_ what: String, within seconds: Double = 30, _ isSo: () async -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if await isSo() { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("not within \(seconds) s: \(what)")
}
