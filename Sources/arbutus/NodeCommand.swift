import ArgumentParser
import Cluster
import Engine
import Foundation
import Logging
import Mosaic
import NodeRuntime
import Web

struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Runs a node of the cluster with its HTTP API.",
        discussion: """
            Settings come from the file, then from ARBUTUS_* variables (ARBUTUS_CLUSTER_LISTEN is \
            cluster.listen), then from these options. Without a cluster key the node listens on loopback \
            only. Ctrl-C or SIGTERM says goodbye to the others and ends the node; its jobs go on elsewhere.
            """)

    @Option(help: ArgumentHelp("The settings, in YAML.", valueName: "file"), completion: .file())
    var config: String?

    @Option(help: ArgumentHelp("The node's name.", valueName: "name"))
    var name: String?

    @Option(
        help: ArgumentHelp("The folder of journal, key and finished tasks.", valueName: "dir"),
        completion: .directory)
    var data: String?

    @Option(help: ArgumentHelp("The cluster's address and port, TCP and UDP.", valueName: "host:port"))
    var listen: String?

    @Option(help: ArgumentHelp("The address that other nodes use.", valueName: "host:port"))
    var advertise: String?

    @Option(
        name: .customLong("seed"),
        help: ArgumentHelp("A node to find the others through; repeatable.", valueName: "host:port"))
    var seeds: [String] = []

    @Option(help: ArgumentHelp("The cluster key, made with arbutus key new.", valueName: "file"))
    var keyFile: String?

    @Option(help: ArgumentHelp("Address and port of the HTTP API.", valueName: "host:port"))
    var web: String?

    @Option(help: ArgumentHelp("Tasks at a time.", valueName: "n"))
    var slots: String?

    @Option(help: ArgumentHelp("Memory to stay below: 8GB, 60%.", valueName: "size"))
    var memory: String?

    @Option(
        help: ArgumentHelp(
            "What is logged: trace, debug, info (the default), notice, warning, error, critical.",
            valueName: "level"), completion: .list(LogLines.levels))
    var logLevel: String?

    @Flag(name: .shortAndLong, help: "The same as --log-level debug.")
    var verbose = false

    mutating func run() throws {
        let settings = try settings()
        let level = settings.logLevel
        let logger = Logger(label: settings.name) { LogLines(node: $0, level: level) }
        let node = try ClusterNode(try setup(settings, logger))
        let token = try settings.tokenFile.map { try SecretFile.text($0, called: "token") }
        guard token != nil || settings.web.isLoopback else {
            throw SettingsError(
                "web.listen: \(settings.web) is not allowed, for without web.token_file everybody there "
                    + "could hand in jobs; give a token file, or listen on 127.0.0.1")
        }
        // The server's framework logs its own start and end; what matters of these is said here.
        var quiet = logger
        quiet.logLevel = level <= .debug ? level : .critical
        let server = WebServer(
            node, host: settings.web.host, port: Int(settings.web.port), token: token, logger: quiet,
            allowedOrigins: settings.origins)
        let cancellation = StopSignal()
        let stop = DispatchSemaphore(value: 0)
        let signals = StopSignals(cancellation) { stop.signal() }
        let life = NodeLife(node: node, server: server, web: settings.web, logger: logger)
        try withExtendedLifetime(signals) { try life.run(until: stop) }
    }

    private func settings() throws -> NodeSettings {
        var table = SettingsTable(known: NodeSettings.known)
        if let config {
            guard let bytes = FileManager.default.contents(atPath: config),
                let text = String(data: bytes, encoding: .utf8)
            else {
                throw SettingsError("cannot read the settings \(config); give --config a YAML file")
            }
            try table.lay(yaml: text, from: config)
        }
        let environment = ProcessInfo.processInfo.environment
        try table.lay(environment: environment)
        let flags: [(String, String?, String)] = [
            ("node.name", name, "--name"), ("node.data", data, "--data"),
            ("cluster.listen", listen, "--listen"), ("cluster.advertise", advertise, "--advertise"),
            ("cluster.key_file", keyFile, "--key-file"), ("web.listen", web, "--web"),
            ("work.slots", slots, "--slots"), ("work.memory", memory, "--memory"),
            ("log.level", logLevel ?? (verbose ? "debug" : nil), "--log-level"),
        ]
        for (key, text, flag) in flags { if let text { try table.set(key, [text], from: flag) } }
        if !seeds.isEmpty { try table.set("cluster.seeds", seeds, from: "--seed") }
        let home = environment["HOME"] ?? FileManager.default.homeDirectoryForCurrentUser.path
        return try NodeSettings(table, hostName: ProcessInfo.processInfo.hostName, home: home)
    }

    private func setup(_ settings: NodeSettings, _ logger: Logger) throws -> ClusterNode.Setup {
        // Nodes of one machine that were given no key may find each other: they reach nobody else.
        let secret = try settings.keyFile.map { try SecretFile.key($0) } ?? Array("this machine only".utf8)
        var setup = ClusterNode.Setup(
            name: settings.name, data: settings.data, listen: Address("\(settings.listen)"),
            seeds: settings.seeds.map { Address("\($0)") }, secret: secret,
            limits: MachineLimits(threads: settings.slots, memory: settings.memory),
            outputs: settings.outputs, logger: logger)
        setup.sceneRoots = settings.sceneRoots
        setup.advertise = settings.advertise.map { Address("\($0)") }
        return setup
    }
}

/// A node and its server from start to end.
private struct NodeLife {
    let node: ClusterNode
    let server: WebServer
    let web: HostPort
    let logger: Logger

    /// Starts both, waits for `stop` or for an end of their own, and takes leave.
    ///
    /// - Throws: a sentence: an address is in use, or this node was told to stop.
    func run(until stop: DispatchSemaphore) throws {
        let ended = DispatchSemaphore(value: 0)
        let outcome = Outcome()
        Task {
            do { try await serve(until: stop, outcome) } catch { outcome.fail("\(error)") }
            let farewell = outcome.farewell
            logger.info("saying goodbye", metadata: farewell == .left ? ["for": "good"] : nil)
            await node.shutDown(farewell)
            ended.signal()
        }
        ended.wait()
        if let reason = outcome.failure { throw RuntimeError(reason) }
    }

    /// Returns when the node is to end.
    private func serve(until stop: DispatchSemaphore, _ outcome: Outcome) async throws {
        let port = try await node.start()
        logger.info(
            "the node listens",
            metadata: ["id": "\(node.id)", "port": "\(port)", "version": "\(ArbutusVersion.string)"])
        let serving = Task {
            try await server.run { logger.info("HTTP API on port \($0)") }
        }
        DispatchQueue(label: "arbutus stop").async {
            stop.wait()
            serving.cancel()
        }
        Task {
            switch await node.departure() {
            case .drained: outcome.leave()
            case .stopped(let reason): outcome.fail(reason)
            case .shutDown: return
            }
            serving.cancel()
        }
        if case .failure(let error) = await serving.result, !(error is CancellationError) {
            throw RuntimeError(
                "the HTTP API at \(web) ended: \(error); stop what listens there, or choose another address "
                    + "(web.listen)")
        }
    }

    /// How a node ended.
    private final class Outcome: @unchecked Sendable {
        private let lock = NSLock()
        private var reason: String?
        private var hasLeft = false

        func fail(_ reason: String) { lock.withLock { self.reason = reason } }
        func leave() { lock.withLock { hasLeft = true } }
        var failure: String? { lock.withLock { reason } }
        var farewell: Farewell { lock.withLock { hasLeft } ? .left : .restarting }
    }
}
