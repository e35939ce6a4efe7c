import Cluster
import Foundation
import HTTPTypes
import Hummingbird
import NodeRuntime
import Synchronization

/// A member as the answering node sees it, with what the member says of itself.
struct MemberAnswer: Codable, Equatable {
    let node: String
    /// `alive`, `suspect`, `dead` or `left`.
    let state: String
    /// Why, in a sentence.
    let why: String
    /// How long it has been in this state, in seconds.
    let since: Double
    let address: String
    let epoch: UInt32
    let incarnation: UInt32
    let slots: Int?
    let hasRoom: Bool?
    /// It is the node that answers.
    let isSelf: Bool
    /// Seconds from a question to its answer.
    var roundTrip: Double?
    /// What it said last; nil when it has not been heard.
    var facts: NodeFacts?

    init(_ view: MemberView) {
        (node, state, isSelf) = ("\(view.id)", "\(view.standing)", view.isSelf)
        since = view.seconds.rounded()
        address = view.address.text
        (epoch, incarnation) = (view.version.epoch, view.version.incarnation)
        (slots, hasRoom) = (view.engine?.slots, view.engine?.hasRoom)
        why =
            switch view.standing {
            case .alive where view.isSelf: "it answers you"
            case .alive: "it answers probes"
            case .suspect:
                "it did not answer probes, neither ours nor those relayed by others; it may be slow"
            case .dead: "it was silent for too long after it was suspected, or ended without a farewell"
            case .left: "its operator took it out of the cluster"
            }
    }
}

/// The membership as the answering node sees it.
struct MemberList: Codable, Equatable {
    /// The node that answers.
    let node: String
    let members: [MemberAnswer]
}

/// The members with what they say of themselves: asked when somebody looks, every two seconds at most.
final class MemberSight: Sendable {
    private struct Heard {
        var facts: NodeFacts?
        var seconds: Double?
        var asked: ContinuousClock.Instant
        var isOpen: Bool
    }

    private struct State {
        var heard: [NodeID: Heard] = [:]
        var news: [LiveEvent] = []
        var next: UInt64 = 1
        var isFollowing = false
    }

    private let node: ClusterNode
    private let state = Mutex(State())
    private let fan = EventFan()
    /// Names this start in the ids of events.
    private let term = UInt64(Date().timeIntervalSince1970)

    private static let every = Duration.seconds(2)
    private static let mostNews = 256

    init(_ node: ClusterNode) { self.node = node }

    /// The members now. What they say is at most some seconds old; who does not answer is not waited for.
    func list() async -> MemberList {
        let views = await node.memberViews()
        let asked = views.filter { $0.standing == .alive }.map(\.id)
        let due = state.withLock { state in
            asked.filter { id in
                guard let heard = state.heard[id] else { return true }
                return !heard.isOpen && .now - heard.asked > Self.every
            }
        }
        let areNew = state.withLock { state in due.contains { state.heard[$0] == nil } }
        let asking = Task { await self.ask(due) }
        if areNew {
            // The first look waits a moment, so that it is not empty.
            let patience = Task { try await Task.sleep(for: .milliseconds(400)) }
            Task {
                _ = await asking.value
                patience.cancel()
            }
            _ = await patience.result
        }
        return state.withLock { state in
            MemberList(
                node: "\(node.id)",
                members: views.map { view in
                    var answer = MemberAnswer(view)
                    answer.facts = state.heard[view.id]?.facts
                    answer.roundTrip = view.isSelf ? nil : state.heard[view.id]?.seconds
                    return answer
                })
        }
    }

    private func ask(_ nodes: [NodeID]) async {
        state.withLock { state in
            for id in nodes {
                state.heard[id, default: Heard(asked: .now, isOpen: true)].isOpen = true
                state.heard[id]?.asked = .now
            }
        }
        await withTaskGroup { group in
            for id in nodes {
                group.addTask {
                    let answer: (facts: NodeFacts, seconds: Double)?
                    do { answer = try await self.node.facts(of: id) } catch { answer = nil }
                    self.state.withLock { state in
                        state.heard[id]?.isOpen = false
                        guard let answer else { return }
                        state.heard[id]?.facts = answer.facts
                        state.heard[id]?.seconds = answer.seconds
                    }
                }
            }
        }
    }

    // MARK: The stream

    /// The members, then their changes.
    ///
    /// - Parameter id: the last event that the client has.
    func join(after id: LiveEventID?) async throws -> EventClient {
        let isNew = state.withLock { state in
            defer { state.isFollowing = true }
            return !state.isFollowing
        }
        if isNew { follow() }
        var text = "retry: 1000\n\n"
        if let id, id.term == term {
            text += state.withLock { $0.news.filter { $0.id > id } }.map { ServerSentEvent.text($0) }.joined()
        }
        text += try snapshot(await list())
        return fan.join(ByteBuffer(string: text))
    }

    /// Ends the stream.
    func finish() { fan.finish() }

    private func snapshot(_ list: MemberList) throws -> String {
        let id = state.withLock { LiveEventID(term: term, number: $0.next - 1) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ServerSentEvent.text(
            id: "\(id)", name: "members", data: String(decoding: try encoder.encode(list), as: UTF8.self))
    }

    private func follow() {
        Task {
            for await news in node.memberChanges() {
                let data =
                    "{\"node\":\"\(news.node)\",\"state\":\"\(news.state)\",\"epoch\":\(news.epoch)}"
                let event = state.withLock { state in
                    let event = LiveEvent(
                        id: LiveEventID(term: term, number: state.next), name: "node",
                        time: (Date().timeIntervalSince1970 * 1000).rounded() / 1000, data: data)
                    state.next += 1
                    state.news = state.news.suffix(Self.mostNews - 1) + [event]
                    return event
                }
                fan.tell(ByteBuffer(string: ServerSentEvent.text(event)))
            }
        }
        Task {
            var last: MemberList?
            var lonely = 0
            while lonely < 30 {
                do { try await Task.sleep(for: .seconds(1)) } catch { break }
                lonely = fan.count == 0 ? lonely + 1 : 0
                guard fan.count > 0 else { continue }
                let now = await list()
                if now != last, case .success(let text) = Result(catching: { try snapshot(now) }) {
                    fan.tell(ByteBuffer(string: text))
                    last = now
                } else {
                    fan.tell(ServerSentEvent.heartbeat)
                }
            }
            state.withLock { $0.isFollowing = false }
        }
    }
}

extension WebServer {
    func addMemberRoutes(to router: Router<BasicRequestContext>) {
        router.get("members") { _, _ in try Self.json(await self.members.list()) }
        router.get("members/events") { request, _ in
            let text = request.headers[.lastEventID]
            return ServerSentEvent.response(
                try await self.members.join(after: text.flatMap { LiveEventID($0) }))
        }
    }
}

extension HTTPField.Name {
    /// Where a client of an event stream left off (HTML standard, section 9.2.4).
    static let lastEventID = HTTPField.Name("Last-Event-ID")!
}
