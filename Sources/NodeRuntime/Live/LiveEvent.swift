import Cluster

/// Which event of a job: its number under a coordinator's term. Every node gives an event the same id, so a
/// client may go on at another node where it left off.
public struct LiveEventID: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    /// The counter of the term.
    public let term: UInt64
    /// From 1.
    public let number: UInt64

    public init(term: UInt64, number: UInt64) { (self.term, self.number) = (term, number) }

    /// Before every event.
    public static let none = LiveEventID(term: 0, number: 0)

    /// Reads `term.number`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 41, parts.count == 2, let term = UInt64(parts[0]),
            let number = UInt64(parts[1])
        else { return nil }
        self.init(term: term, number: number)
    }

    public static func < (a: LiveEventID, b: LiveEventID) -> Bool { (a.term, a.number) < (b.term, b.number) }

    public var description: String { "\(term).\(number)" }
}

/// Something that happened to a job, as a browser's event stream tells it.
public struct LiveEvent: Codable, Equatable, Sendable {
    public let id: LiveEventID
    /// `state`, `task`, `steal` or `node`.
    public let name: String
    /// Seconds since 1970, by the clock of the coordinator's machine.
    public let time: Double
    /// A JSON object on one line.
    public let data: String

    public init(id: LiveEventID, name: String, time: Double, data: String) {
        (self.id, self.name, self.time, self.data) = (id, name, time, data)
    }
}

/// What happened to a job after some event.
public struct LiveEvents: Codable, Sendable {
    public let events: [LiveEvent]
    /// The last event that there is.
    public let last: LiveEventID
    /// Earlier ones are not kept any more (or belong to another term): read the whole state again.
    public let hasGap: Bool
}

/// The job changed its state, or got on: sent at most once a second.
public struct JobProgress: Codable, Equatable, Sendable {
    /// `running`, `complete`, `partial`, `failed` or `cancelled`.
    public var state: String
    public var phase: String
    public var note: String
    public var run: UInt32
    public var coordinator: String
    /// Tasks of the plan.
    public var count = 0
    public var done = 0
    public var running = 0
    /// On a node, not begun.
    public var queued = 0
    /// Their input is waited for.
    public var waiting = 0
    public var givenUp = 0
    /// Of the last seconds.
    public var pixelsPerSecond = 0.0
    /// Bytes of scenes.
    public var bytesPerSecond = 0.0
    /// How long the rest will take, from and to; nil while nobody knows.
    public var secondsLeft: [Double]?
    public var nodes: [NodeShare] = []
    /// The tasks that took longest, at most five.
    public var slowest: [SlowTask] = []

    /// One node's part of the job.
    public struct NodeShare: Codable, Equatable, Sendable {
        public let node: String
        public var done = 0
        public var running = 0
        public var queued = 0
        public var stolenIn = 0
        public var stolenOut = 0
    }

    /// A task that took long.
    public struct SlowTask: Codable, Equatable, Sendable {
        public let task: Int
        public let node: String
        public let seconds: Double
    }
}

/// A task began, was done, or did not work out.
public struct TaskNews: Codable, Equatable, Sendable {
    public let task: Int
    /// `running`, `done`, `waiting` or `failed`.
    public let state: String
    public var node: String?
    public var attempts: Int?
    public var seconds: Double?
    public var reason: String?
}

/// Tasks went from one node to another.
public struct StealNews: Codable, Equatable, Sendable {
    public let victim: String
    public let thief: String
    /// Ranges of tasks: first and one past the last.
    public let tasks: [[Int]]
    public let count: Int
}

/// A member's state changed.
public struct MemberNews: Codable, Equatable, Sendable {
    public let node: String
    public let state: String
    public let epoch: UInt32
}

/// What a trace tells.
public enum Happening: Equatable, Sendable {
    case state(JobProgress)
    case task(TaskNews)
    case steal(StealNews)
    case member(MemberNews)
}
