import Foundation
import Testing

/// Some nodes on this machine, a scene, and what a test asks of them.
final class LocalCluster: Sendable {
    let folder: String
    let nodes: [NodeProcess]
    private let keyFile: String
    private let scene: String

    /// Nodes on loopback; none is started.
    ///
    /// - Parameter folders: where single nodes keep their data instead, by index.
    convenience init(_ count: Int, folders: [Int: String] = [:]) throws {
        try self.init { folder in
            try (0..<count).map { try NodeProcess("n\($0)", folder: folders[$0] ?? folder) }
        }
    }

    /// A node in each namespace of `network`; none is started.
    ///
    /// - Parameter owner: the one node that has the scene, which the others read from it; nil: all have it.
    convenience init(on network: TestNetwork, owner: Int? = nil) throws {
        try self.init { folder in
            let scenes = folder + "/scenes"
            // What is mounted behind `ip netns exec`, nobody else sees.
            let hiding = ["sh", "-c", #"mount -t tmpfs none "$0" && exec "$@""#, scenes]
            let showing = ["env", "ARBUTUS_WORK_SCENE_ROOTS=" + scenes]
            return try network.names.indices.map { index in
                let words = owner.map { $0 == index ? showing : hiding } ?? []
                return try NodeProcess(
                    "n\(index)", folder: folder, host: TestNetwork.address(index), ports: (7480, 8480),
                    prefix: network.prefix(index) + words)
            }
        }
    }

    private init(_ make: (_ folder: String) throws -> [NodeProcess]) throws {
        folder = NSTemporaryDirectory() + "arbutus-cluster-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        keyFile = folder + "/cluster.key"
        try Data(String(repeating: "5a", count: 32).utf8).write(to: URL(filePath: keyFile))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile)
        scene = try NoiseScene.write(folder + "/scenes/noise", columns: 4096, rows: 3072)
        nodes = try make(folder)
    }

    deinit {
        for node in nodes { node.kill() }
        do { try FileManager.default.removeItem(atPath: folder) } catch { print("left behind: \(folder)") }
    }

    func start(_ node: NodeProcess) throws {
        let seeds = nodes.filter { $0 !== node }.map(\.address)
        try node.start(keyFile: keyFile, seeds: seeds)
    }

    /// Starts all and waits until each sees all others alive.
    func startAll() async throws {
        for node in nodes { try start(node) }
        for node in nodes {
            try await eventually("\(node.name) sees the others", within: 60) {
                await self.standings(at: node).values.filter { $0 == "alive" }.count == self.nodes.count - 1
            }
        }
    }

    /// Asks again until it is so.
    func eventually(
        _ what: String, within seconds: Double, location: SourceLocation = #_sourceLocation,
        _ isSo: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        let logs = nodes.map { "--- \($0.name)\n\($0.log.suffix(3000))" }.joined(separator: "\n")
        Issue.record("not within \(seconds) s: \(what)\n\(logs)", sourceLocation: location)
        throw CancellationError()
    }

    // MARK: What nodes tell

    struct Members: Decodable {
        struct Member: Decodable {
            let node: String
            let state: String
        }
        let node: String
        let members: [Member]
    }

    /// The job as the HTTP API tells it.
    struct Job: Decodable {
        let status: String
        let state: String
        let phase: String
        let message: String?
        let coordinator: String
        let keepers: [String]
        let holders: [String]
    }

    /// Id → state, as this node sees the others; empty when it does not answer.
    func standings(at node: NodeProcess) async -> [String: String] {
        guard let members = await members(at: node) else { return [:] }
        let others = members.members.filter { $0.node != members.node }
        return Dictionary(others.map { ($0.node, $0.state) }) { first, _ in first }
    }

    func members(at node: NodeProcess) async -> Members? {
        guard let answer = await node.ask("/members", within: 5), answer.status == 200 else { return nil }
        return decode(Members.self, answer.body)
    }

    func job(_ id: String, at node: NodeProcess) async -> Job? {
        guard let answer = await node.ask("/jobs/\(id)", within: 5), answer.status == 200 else { return nil }
        return decode(Job.self, answer.body)
    }

    private func decode<T: Decodable>(_ type: T.Type, _ body: Data) -> T? {
        do {
            return try JSONDecoder().decode(type, from: body)
        } catch {
            Issue.record("a node's answer is no \(type): \(error)")
            return nil
        }
    }

    /// The process of a node id, among those that answer.
    func process(of id: String) async -> NodeProcess? {
        for node in nodes where await members(at: node)?.node == id { return node }
        return nil
    }

    // MARK: Jobs

    /// Words of a request that no other number makes: results are found by content, so each job needs its
    /// own.
    private func request(_ number: Int) -> [String] {
        [scene, "--expression", "x=(nir-red)/(nir+red+\(number))", "--range", "-1,1"]
    }

    /// Hands a job in at `node`, which must take it.
    func submit(_ number: Int, to node: NodeProcess) async throws -> String {
        try #require(await offer(number, to: node), "\(node.name) did not answer")
    }

    /// Hands a job in at `node`; nil when it was not acknowledged, which a killed node's jobs need not be.
    func offer(_ number: Int, to node: NodeProcess) async throws -> String? {
        let text = try Program.run(
            ["run"] + request(number) + ["--out", folder + "/unused", "--print-request"])
        struct Accepted: Decodable { let jobID: String }
        let body = Data(#"{"inputs": \#(text)}"#.utf8)
        guard
            let answer = await node.ask("/processes/mosaic/execution", method: "POST", body: body, within: 60)
        else { return nil }
        guard answer.status == 201 else {
            let problem = String(decoding: answer.body, as: UTF8.self)
            #expect(answer.status == 503, "the job was not accepted: \(problem)")
            return nil
        }
        return try JSONDecoder().decode(Accepted.self, from: answer.body).jobID
    }

    /// Waits until a running node calls the job successful, and compares what another one hands out with what
    /// `arbutus run` makes.
    ///
    /// - Parameter only: the node that is asked; nil: any.
    func expectSuccess(
        _ number: Int, _ job: String, within seconds: Double, from only: NodeProcess? = nil
    ) async throws {
        let asked = only.map { [$0] } ?? nodes
        try await eventually("job \(job) is successful", within: seconds) {
            for node in asked where node.isRunning {
                if await self.job(job, at: node)?.status == "successful" { return true }
            }
            return false
        }
        let out = folder + "/reference-\(number)"
        try Program.run(
            ["run"] + request(number) + [
                "--out", out, "--store", folder + "/reference-store", "--threads", "1",
            ])
        for name in ["x.tif", "x.png"] {
            let expected = try Data(contentsOf: URL(filePath: out + "/" + name))
            try await eventually("\(name) of job \(job) can be had", within: 60) {
                guard let node = asked.filter(\.isRunning).randomElement(),
                    let answer = await node.ask("/artifacts/\(job)/\(name)", within: 30),
                    answer.status == 200
                else { return false }
                #expect(answer.body == expected, "\(name) of job \(job) from \(node.name)")
                return true
            }
        }
        try FileManager.default.removeItem(atPath: out)
    }
}
