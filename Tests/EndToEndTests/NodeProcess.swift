import Foundation
import FoundationNetworking
import Synchronization

/// One `arbutus node` in a process of its own, with a folder, a log and ports that stay through its restarts.
final class NodeProcess: @unchecked Sendable {
    let name: String
    /// Journal, key, store, outputs.
    let folder: String
    /// Of the cluster, TCP and UDP; and of the HTTP API.
    let port: Int
    let webPort: Int
    /// Words in front of the program: `ip netns exec …`.
    private let prefix: [String]
    private let host: String
    private let logPath: String
    private let process = Mutex<Process?>(nil)

    init(
        _ name: String, folder: String, host: String = "127.0.0.1", ports: (Int, Int)? = nil,
        prefix: [String] = []
    ) throws {
        (self.name, self.folder, self.host, self.prefix) = (name, folder + "/" + name, host, prefix)
        (port, webPort) = try ports ?? (FreePort.take(), FreePort.take())
        logPath = folder + "/" + name + ".log"
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    deinit { kill() }

    /// Where other nodes find it.
    var address: String { "\(host):\(port)" }

    var isRunning: Bool { process.withLock { $0?.isRunning ?? false } }

    /// What it wrote so far, over all its starts.
    var log: String {
        FileManager.default.contents(atPath: logPath).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Starts it; the log goes on where it was.
    func start(keyFile: String, seeds: [String], slots: Int = 1) throws {
        let words =
            prefix + [
                Program.path, "node", "--name", name, "--data", folder, "--listen", address, "--advertise",
                address, "--web", "127.0.0.1:\(webPort)", "--key-file", keyFile,
                "--slots", "\(slots)", "--memory", "1GB",
            ] + seeds.flatMap { ["--seed", $0] }
        if !FileManager.default.fileExists(atPath: logPath) {
            try Data().write(to: URL(filePath: logPath))
        }
        let log = try FileHandle(forUpdating: URL(filePath: logPath))
        try log.seekToEnd()
        let started = Process()
        started.executableURL = URL(filePath: prefix.isEmpty ? words[0] : "/usr/bin/env")
        started.arguments = prefix.isEmpty ? Array(words.dropFirst()) : words
        started.standardOutput = log
        started.standardError = log
        started.standardInput = FileHandle.nullDevice
        try started.run()
        process.withLock { $0 = started }
    }

    func signal(_ number: Int32) {
        process.withLock { running in
            if let running, running.isRunning { Foundation.kill(running.processIdentifier, number) }
        }
    }

    /// kill −9, and waits until it is gone.
    func kill() {
        signal(SIGKILL)
        process.withLock { running in
            running?.waitUntilExit()
            running = nil
        }
    }

    /// SIGTERM; its exit code, or nil when it has not ended within `seconds` (it is killed then).
    func terminate(within seconds: Double = 20) async throws -> Int32? {
        signal(SIGTERM)
        let end = ContinuousClock.now + .seconds(seconds)
        while isRunning, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(50)) }
        guard !isRunning else {
            kill()
            return nil
        }
        return process.withLock { $0?.terminationStatus }
    }

    /// Asks its HTTP API; nil when nobody answers.
    func ask(
        _ path: String, method: String = "GET", body: Data? = nil, within seconds: Double = 20
    ) async -> (status: Int, body: Data)? {
        guard isRunning, let url = URL(string: "http://127.0.0.1:\(webPort)\(path)") else { return nil }
        if !prefix.isEmpty { return askInside(url, method, body, seconds) }
        var request = URLRequest(url: url, timeoutInterval: seconds)
        request.httpMethod = method
        request.httpBody = body
        do {
            let (data, response) = try await URLSession.shared.data(for: request)
            return (response as? HTTPURLResponse).map { ($0.statusCode, data) }
        } catch {
            return nil
        }
    }

    /// The same from within the node's network namespace, where this process is not.
    private func askInside(
        _ url: URL, _ method: String, _ body: Data?, _ seconds: Double
    ) -> (status: Int, body: Data)? {
        let (sent, received) = ("\(folder)/../\(name).sent", "\(folder)/../\(name).received")
        do {
            var words = ["--silent", "--max-time", "\(seconds)", "--request", method, "--output", received]
            words += ["--write-out", "%{http_code}", url.absoluteString]
            if let body {
                try body.write(to: URL(filePath: sent))
                words += ["--data-binary", "@" + sent]
            }
            let status = try Program.run(prefix + ["curl"] + words, executable: "/usr/bin/env")
            return (Int(status) ?? 0, try Data(contentsOf: URL(filePath: received)))
        } catch {
            return nil
        }
    }
}

/// Ports of loopback that nobody uses now.
enum FreePort {
    private static let taken = Mutex<Set<Int>>([])

    static func take() throws -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: 20_000...32_000)
            guard isFree(port, SOCK_STREAM), isFree(port, SOCK_DGRAM) else { continue }
            if taken.withLock({ $0.insert(port).inserted }) { return port }
        }
        throw POSIXError(.EADDRINUSE)
    }

    private static func isFree(_ port: Int, _ kind: __socket_type) -> Bool {
        let descriptor = socket(AF_INET, Int32(kind.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
