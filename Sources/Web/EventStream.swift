import Foundation
import HTTPTypes
import Hummingbird
import NodeRuntime
import Synchronization

/// One client of a stream of events: what waits for it, and the task that writes to it.
final class EventClient: Sendable {
    let stream: AsyncStream<ByteBuffer>
    fileprivate let continuation: AsyncStream<ByteBuffer>.Continuation
    private let writing = Mutex<Task<Void, any Error>?>(nil)

    /// Writes that wait for one client at most.
    static let mostWaiting = 64

    fileprivate init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.mostWaiting))
    }

    /// Hands over bytes; a client whose queue is full is cut, though its connection may take nothing.
    fileprivate func tell(_ bytes: ByteBuffer) {
        guard case .dropped = continuation.yield(bytes) else { return }
        continuation.finish()
        writing.withLock { $0 }?.cancel()
    }

    /// Writes what comes until the stream ends or the client is cut.
    func write(to writer: any ResponseBodyWriter) async throws {
        nonisolated(unsafe) var writer = writer
        let task = Task { [stream] in
            for await bytes in stream { try await writer.write(bytes) }
            try await writer.finish(nil)
        }
        writing.withLock { $0 = task }
        defer { continuation.finish() }
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}

/// One stream of events for many browsers: what is told is made into bytes once and handed to all. A client
/// that takes nothing for so long that its queue is full is cut; it comes back with `Last-Event-ID`.
///
/// A write to each of thousands of clients is dear, so with a crowd the events of half a second go out
/// together.
final class EventFan: Sendable {
    private struct State {
        var clients: [UInt64: EventClient] = [:]
        var next: UInt64 = 0
        var isOver = false
        /// What a crowd is told with the next write.
        var gathered: ByteBuffer?
    }

    /// So many clients are a crowd.
    static let crowd = 200
    private static let gathering = Duration.milliseconds(500)

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.clients.count } }

    /// A new client; `begin` is what it is sent first.
    func join(_ begin: ByteBuffer?) -> EventClient {
        sendGathered()
        let client = EventClient()
        let number: UInt64? = state.withLock { state in
            guard !state.isOver else { return nil }
            state.next += 1
            state.clients[state.next] = client
            return state.next
        }
        guard let number else {
            client.continuation.finish()
            return client
        }
        client.continuation.onTermination = { [weak self] _ in
            self?.state.withLock { $0.clients[number] = nil }
        }
        if let begin { client.tell(begin) }
        return client
    }

    /// Hands bytes to all clients, to a crowd in a moment.
    func tell(_ bytes: ByteBuffer) {
        let isFirst: Bool? = state.withLock { state in
            if state.gathered != nil {
                state.gathered?.writeImmutableBuffer(bytes)
                return false
            }
            guard state.clients.count >= Self.crowd else { return nil }
            state.gathered = bytes
            return true
        }
        guard let isFirst else { return send(bytes) }
        guard isFirst else { return }
        Task {
            try await Task.sleep(for: Self.gathering)
            self.sendGathered()
        }
    }

    private func sendGathered() {
        let bytes = state.withLock { state in
            defer { state.gathered = nil }
            return state.gathered
        }
        if let bytes { send(bytes) }
    }

    private func send(_ bytes: ByteBuffer) {
        for client in state.withLock({ Array($0.clients.values) }) { client.tell(bytes) }
    }

    /// Ends all streams; later clients are turned away.
    func finish() {
        sendGathered()
        let clients = state.withLock { state in
            state.isOver = true
            return Array(state.clients.values)
        }
        for client in clients { client.continuation.finish() }
    }
}

/// Server-sent events as bytes (HTML standard, section 9.2).
enum ServerSentEvent {
    /// Says that the stream lives.
    static let heartbeat = ByteBuffer(string: ": alive\n\n")

    /// One event. `data` is one line.
    static func text(id: String, name: String, data: String) -> String {
        "id: \(id)\nevent: \(name)\ndata: \(data)\n\n"
    }

    static func text(_ event: LiveEvent) -> String {
        // The data are an object; the time joins its fields.
        let data = "{\"time\":\(event.time),\(event.data.dropFirst())"
        return text(id: "\(event.id)", name: event.name, data: event.data == "{}" ? event.data : data)
    }

    /// The answer that carries a stream.
    static func response(_ client: EventClient) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-store",
                HTTPField.Name("X-Accel-Buffering")!: "no",
            ],
            body: ResponseBody { writer in try await client.write(to: writer) })
    }
}
