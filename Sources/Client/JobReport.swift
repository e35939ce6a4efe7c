import Foundation

/// A job as a node tells of it; what a later version adds is left out.
public struct JobReport: Codable, Equatable, Sendable {
    /// 32 hexadecimal digits.
    public var jobID: String
    /// OGC's word: `accepted`, `running`, `successful`, `failed`, `dismissed`.
    public var status: String
    public var title: String
    /// Why it stands so; nil when all is well.
    public var message: String?
    /// `running`, `complete`, `partial`, `failed` or `cancelled`.
    public var state: String
    /// What happens now.
    public var phase: String
    /// Counts the attempts from 1.
    public var run: Int
    /// The node that coordinates it.
    public var coordinator: String
    /// Nodes that keep its record.
    public var keepers: [String]
    /// Nodes that hold its outputs.
    public var holders: [String]
    /// Tasks of the plan, and those that are done; nil until an event tells.
    public var tasksTotal: Int?
    public var tasksDone: Int?
    /// How long the rest will take, from and to.
    public var secondsLeft: [Double]?

    /// The share of the tasks that are done, in percent.
    public var progress: Int? {
        guard let tasksTotal, let tasksDone, tasksTotal > 0 else { return nil }
        return 100 * tasksDone / tasksTotal
    }

    /// How a job ended.
    public enum Ending: Equatable, Sendable {
        case done
        /// Some tasks failed; holes are marked.
        case partial
        /// Failed, or cancelled.
        case failed
    }

    /// Nil while it goes on.
    public var ending: Ending? {
        switch state {
        case "complete": .done
        // A partial of an earlier reign, while a later one still works on the job, is no end.
        case "partial": phase == "ended" ? .partial : nil
        case "failed", "cancelled": .failed
        default: nil
        }
    }
}

/// A member as the answering node sees it.
public struct MemberReport: Codable, Equatable, Sendable {
    public var node: String
    /// `alive`, `suspect`, `dead`, `left`.
    public var state: String
    public var address: String
    /// Counts its starts.
    public var epoch: Int
    /// Tasks at a time.
    public var slots: Int?
    public var hasRoom: Bool?
    /// Why it is in this state, in a sentence.
    public var why: String?
    /// What it says of itself; nil while it was not heard.
    public var facts: MemberFacts?
}

/// What a member says of itself, as far as commands show it.
public struct MemberFacts: Codable, Equatable, Sendable {
    /// What its operator calls it.
    public var name: String?
}

/// The membership in one node's view.
public struct MembersReport: Codable, Equatable, Sendable {
    /// Who answers.
    public var node: String
    public var members: [MemberReport]
}

/// An output file as a node offers it.
public struct OutputReport: Codable, Equatable, Sendable {
    /// Below the node's address.
    public var href: String
    /// Media type.
    public var type: String
    /// Bytes.
    public var size: Int?
    /// A multihash in hexadecimal (STAC's file extension).
    public var checksum: String?

    enum CodingKeys: String, CodingKey {
        case href, type
        case size = "file:size"
        case checksum = "file:checksum"
    }
}
