// What nodes tell each other about a member. A rumour is idempotent: hearing it twice, late or in another
// order leaves the same table (PROTOCOL section 6: replay changes no state).

/// The members that suspect another, the first of them and up to three that confirm it (Lifeguard section
/// IV-B).
public struct Suspecters: Equatable, Sendable {
    public static let most = 4
    private var ids: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    public private(set) var count = 0

    public init(_ first: NodeID) { _ = add(first) }

    /// The node at a position below `count`.
    public subscript(position: Int) -> NodeID {
        switch position {
        case 0: NodeID(short: ids.0)
        case 1: NodeID(short: ids.1)
        case 2: NodeID(short: ids.2)
        default: NodeID(short: ids.3)
        }
    }

    /// Whether a node is among them.
    public func contains(_ id: NodeID) -> Bool { (0..<count).contains { self[$0] == id } }

    /// Adds one more; false if it was there or the four places are taken.
    public mutating func add(_ id: NodeID) -> Bool {
        guard count < Suspecters.most, !contains(id) else { return false }
        switch count {
        case 0: ids.0 = id.short
        case 1: ids.1 = id.short
        case 2: ids.2 = id.short
        default: ids.3 = id.short
        }
        count += 1
        return true
    }

    public static func == (a: Suspecters, b: Suspecters) -> Bool { a.count == b.count && a.ids == b.ids }
}

/// A statement about a member by another one.
public enum Rumour: Equatable, Sendable {
    /// The subject's own signed statement.
    case alive(AliveRecord)
    /// Members doubt it since `age`. The age travels along, so that all hearers give up at one moment and not
    /// each one suspicion later than its teller. `refused`: its host refused connections, and a witness
    /// agreed.
    case suspect(NodeID, Version, by: Suspecters, age: Span, refused: Bool)
    /// It is dead; also what a node that restarts says of itself.
    case dead(NodeID, Version)
    /// It was decommissioned.
    case left(NodeID, Version)

    /// Whom the rumour is about.
    public var subject: NodeID {
        switch self {
        case .alive(let record): record.id
        case .suspect(let id, _, _, _, _), .dead(let id, _), .left(let id, _): id
        }
    }

    /// The version of the subject that it is about.
    public var version: Version {
        switch self {
        case .alive(let record): record.version
        case .suspect(_, let version, _, _, _), .dead(_, let version), .left(_, let version): version
        }
    }

    /// What it says of the subject.
    public var standing: Standing {
        switch self {
        case .alive: .alive
        case .suspect: .suspect
        case .dead: .dead
        case .left: .left
        }
    }

    /// Bytes on the wire: framing 4 (a record 6), id 9, version 5 (of a node that started a few thousand
    /// times at most); a suspicion adds 8 a suspecter and 9 of age and flags.
    public var encodedSize: Int {
        switch self {
        case .alive(let record): 6 + record.encodedSize
        case .suspect(_, _, let by, _, _): 18 + 8 * by.count + 9
        case .dead, .left: 18
        }
    }
}
