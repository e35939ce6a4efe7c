import Cluster
import Engine
import Foundation
import Logging
import Mosaic
import Wire

/// Answers what other nodes, and the web API of this one, ask about jobs and about the node itself. Calls may
/// block: never on an event loop.
final class NodeAnswers: @unchecked Sendable {
    let live: LiveJobs
    let pictures: MosaicPictures
    let members = MemberWatch()
    private let facts: @Sendable () -> NodeFacts?
    private let encoder: JSONEncoder

    init(live: LiveJobs, pictures: MosaicPictures, facts: @escaping @Sendable () -> NodeFacts?) {
        (self.live, self.pictures, self.facts) = (live, pictures, facts)
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// The answer's bytes; nil when this node does not know.
    ///
    /// - Throws: a sentence when it should know and cannot tell.
    func answer(_ question: PeerQuestion) throws -> [UInt8]? {
        switch question {
        case .events(let job, let term, let number):
            return try live.events(of: job, after: LiveEventID(term: term, number: number)).map(json)
        case .tasks(let job): return try live.trace(of: job).map { try json(TaskStates($0.trace, $0.last)) }
        case .tile(let job, let index, let tile): return try pictures.tile(tile, index: index, of: job)
        case .point(let job, let longitude, let latitude):
            return try pictures.point(longitude: longitude, latitude: latitude, of: job).map(json)
        case .node: return try facts().map(json)
        }
    }

    private func json(_ value: some Encodable) throws -> [UInt8] { Array(try encoder.encode(value)) }
}

/// How each task of a job stands.
public struct TaskStates: Codable, Equatable, Sendable {
    /// One task: its state, the place of its node in `nodes` (-1: none), attempts, seconds (-1: unknown).
    public struct State: Codable, Equatable, Sendable {
        public let state: String
        public let node: Int
        public let attempts: Int
        public let seconds: Double
    }

    /// The last event that is contained.
    public let last: LiveEventID
    public let progress: JobProgress
    public let nodes: [String]
    /// In the order of the plan.
    public let tasks: [State]

    init(_ trace: JobTrace, _ last: LiveEventID) {
        self.last = last
        progress = trace.progress()
        let sight = trace.sight
        let running = Set(sight.shares.flatMap { $0.running.map(\.task) })
        let owned = sight.shares.reduce(TaskSet()) { $0.union($1.owned) }
        let ids = Set(trace.tasks.compactMap(\.node)).sorted()
        nodes = ids.map { "\($0)" }
        let places = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
        tasks = trace.tasks.enumerated().map { index, task in
            let id = TaskID(index)
            let state =
                if sight.done.contains(id) { "done" } else if sight.givenUp.contains(id) {
                    "failed"
                } else if !sight.header.isLive { "waiting" } else if running.contains(id) {
                    "running"
                } else if owned.contains(id) {
                    "queued"
                } else { "waiting" }
            return State(
                state: state, node: task.node.flatMap { places[$0] } ?? -1, attempts: task.attempts,
                seconds: task.seconds.map { ($0 * 100).rounded() / 100 } ?? -1)
        }
    }
}
