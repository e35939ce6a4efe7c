import Cluster
import Foundation
import Hummingbird
import Logging
import NodeRuntime
import Synchronization

/// The event streams of jobs that somebody watches at this node. Each watched job is asked of its coordinator
/// a few times a second, however many watch it; with nobody left, the asking ends.
final class JobStreams: Sendable {
    private final class Watch: Sendable {
        let fan = EventFan()
        let last = Mutex(LiveEventID.none)
    }

    private let node: ClusterNode
    private let watches = Mutex<[JobID: Watch]>([:])

    init(_ node: ClusterNode) { self.node = node }

    /// Clients on all streams.
    var count: Int { watches.withLock { $0.values.reduce(0) { $0 + $1.fan.count } } }

    /// A stream of a job's events.
    ///
    /// - Parameter id: the last event that the client has; nil: it begins with the job as it stands.
    func join(_ header: JobHeader, after id: LiveEventID?) async -> EventClient {
        let job = header.id
        let (watch, isNew) = watches.withLock { watches -> (Watch, Bool) in
            if let watch = watches[job] { return (watch, false) }
            let watch = Watch()
            watches[job] = watch
            return (watch, true)
        }
        let begin = await beginning(header, after: id, watch)
        let stream = watch.fan.join(begin)
        if isNew { Task { await self.follow(job, watch) } }
        return stream
    }

    /// Ends all streams.
    func finish() {
        for watch in watches.withLock({ Array($0.values) }) { watch.fan.finish() }
    }

    /// What a client has missed, or the state as it is.
    private func beginning(_ header: JobHeader, after id: LiveEventID?, _ watch: Watch) async -> ByteBuffer {
        var text = "retry: 1000\n\n"
        do {
            if let found = try await node.events(of: header, after: id ?? .none) {
                if found.hasGap || id == nil {
                    // The client reads the whole state; this says from which event on it will hear.
                    text += ServerSentEvent.text(
                        id: "\(found.last)", name: "state", data: Self.reload(header, found.hasGap))
                } else {
                    text += found.events.map { ServerSentEvent.text($0) }.joined()
                }
                watch.last.withLock { if $0 == .none { $0 = found.last } }
                return ByteBuffer(string: text)
            }
        } catch {
            text += ": the coordinator cannot be reached at the moment\n\n"
        }
        text += ServerSentEvent.text(
            id: "\(id ?? .none)", name: "state", data: Self.reload(header, false))
        return ByteBuffer(string: text)
    }

    private static func reload(_ header: JobHeader, _ hasGap: Bool) -> String {
        let note = JSONText.string(header.note)
        return "{\"state\":\"\(header.stateName)\",\"phase\":\"\(header.reign.phase)\",\"note\":\(note),"
            + "\"run\":\(header.state.run.number),\"coordinator\":\"\(header.term.node)\","
            + "\"reload\":\(hasGap)}"
    }

    /// Asks for news while somebody listens. Many clients hear of several events at once, so that the number
    /// of writes stays in bounds.
    private func follow(_ job: JobID, _ watch: Watch) async {
        var quiet = ContinuousClock.now
        var lonely = 0
        while lonely < 20 {
            let clients = watch.fan.count
            lonely = clients == 0 ? lonely + 1 : 0
            do { try await Task.sleep(for: clients > 200 ? .seconds(1) : .milliseconds(300)) } catch { break }
            if clients == 0 { continue }
            guard let header = await node.job(job)?.header else { break }
            let text = await news(of: header, watch)
            if !text.isEmpty {
                watch.fan.tell(ByteBuffer(string: text))
                quiet = .now
            } else if .now - quiet > .seconds(10) {
                watch.fan.tell(ServerSentEvent.heartbeat)
                quiet = .now
            }
        }
        watches.withLock { $0[job] = nil }
        watch.fan.finish()
    }

    private func news(of header: JobHeader, _ watch: Watch) async -> String {
        let last = watch.last.withLock { $0 }
        do {
            guard let found = try await node.events(of: header, after: last) else { return "" }
            watch.last.withLock { $0 = found.last }
            guard !found.hasGap else {
                return ServerSentEvent.text(
                    id: "\(found.last)", name: "state", data: Self.reload(header, true))
            }
            return found.events.map { ServerSentEvent.text($0) }.joined()
        } catch {
            // The coordinator is gone or slow: another one is found, or it answers the next time.
            return ""
        }
    }
}

/// Text inside JSON.
enum JSONText {
    /// The text as a JSON string, in quotes.
    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
