import ArgumentParser
import Client
import Engine
import Foundation
import Mosaic

/// Which nodes a client command talks to.
struct ClientOptions: ParsableArguments {
    @Option(
        name: .customLong("node"),
        help: ArgumentHelp(
            "A node's HTTP API; repeatable: the next one is asked when one is dead (default: "
                + "$ARBUTUS_NODES, or http://127.0.0.1:8480).", valueName: "url"))
    var nodes: [String] = []

    @Option(
        help: ArgumentHelp(
            "A file with the nodes' web token (default: $ARBUTUS_TOKEN).", valueName: "file"),
        completion: .file())
    var tokenFile: String?

    /// The nodes to ask, in order.
    ///
    /// - Throws: `SettingsError` for an address that is none.
    func addresses(_ environment: [String: String]) throws -> [NodeURL] {
        var texts = nodes
        if texts.isEmpty, let list = environment["ARBUTUS_NODES"] {
            texts = list.split { $0 == "," || $0.isWhitespace }.map(String.init)
        }
        guard !texts.isEmpty else { return [.local] }
        return try texts.map { text in
            do { return try NodeURL(text) } catch { throw SettingsError("\(error)") }
        }
    }

    /// The token to show; nil: none.
    ///
    /// - Throws: `SettingsError` when the file cannot be read, or others may read it.
    func token(_ environment: [String: String]) throws -> String? {
        if let tokenFile { return try SecretFile.text(tokenFile, called: "token") }
        return environment["ARBUTUS_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Runs `body` with a client, and closes it.
    ///
    /// - Parameter stopping: called when Ctrl-C is pressed, on another thread.
    /// - Throws: what `body` throws, and `ClientStopped` after Ctrl-C.
    func run<T: Sendable>(
        stopping: @escaping @Sendable () -> Void = {},
        _ body: @escaping @Sendable (ClusterClient) async throws -> T
    ) throws -> T {
        let environment = ProcessInfo.processInfo.environment
        let client = ClusterClient(try addresses(environment), token: try token(environment))
        return try AsyncWork.run(stopping: stopping) {
            let result: Result<T, any Error>
            do { result = .success(try await body(client)) } catch { result = .failure(error) }
            try await client.shutDown()
            return try result.get()
        }
    }
}

/// `ID` of a client command.
struct JobArgument: ParsableArguments {
    @Argument(help: "The job's id, or its first four digits or more.")
    var id: String
}

/// The user pressed Ctrl-C.
struct ClientStopped: Error, CustomStringConvertible {
    let description = "stopped; the cluster goes on with its jobs"
}

/// Asynchronous work in a command that is not.
enum AsyncWork {
    /// Waits for the work; the first Ctrl-C cancels it, the second ends the process.
    static func run<T: Sendable>(
        stopping: @escaping @Sendable () -> Void = {}, _ body: @escaping @Sendable () async throws -> T
    ) throws -> T {
        let ended = DispatchSemaphore(value: 0)
        let box = Box<T>()
        let task = Task {
            do { box.result = .success(try await body()) } catch { box.result = .failure(error) }
            ended.signal()
        }
        let cancellation = StopSignal()
        let signals = StopSignals(cancellation) {
            stopping()
            task.cancel()
        }
        withExtendedLifetime(signals) { ended.wait() }
        guard let result = box.result else { preconditionFailure("the work ended without a result") }
        if cancellation.isSet, case .failure(is CancellationError) = result { throw ClientStopped() }
        return try result.get()
    }

    /// Written by the task before it signals, read after.
    private final class Box<T: Sendable>: @unchecked Sendable {
        var result: Result<T, any Error>?
    }
}
