import Cluster

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// What a node asks another about what it knows, so that any node can answer for the whole cluster
/// (INTERFACES.md, HTTP). The answer's bytes follow a `BulkReply.follows`.
public enum PeerQuestion: Hashable, Sendable {
    /// What happened to a job after an event: the counter of the coordinator's term and the event's number.
    case events(JobID, term: UInt64, number: UInt64)
    /// The state of each task of a job.
    case tasks(JobID)
    /// A picture of a job's index (its place in the plan) as a web map's tile.
    case tile(JobID, index: Int, MapTileName)
    /// A job's values at a place, in degrees (WGS 84).
    case point(JobID, longitude: Double, latitude: Double)
    /// The node itself: load, memory, work.
    case node
}

/// Which square of a web map (XYZ, EPSG:3857): row 0 is in the north.
public struct MapTileName: Hashable, Sendable {
    /// 0 to `deepest`.
    public let zoom: Int
    public let column: Int
    public let row: Int

    /// Zoom levels beyond this have no tiles: a pixel is below two centimetres there.
    public static let deepest = 24

    /// Nil when there is no such tile.
    public init?(zoom: Int, column: Int, row: Int) {
        guard (0...Self.deepest).contains(zoom), (0..<1 << zoom).contains(column),
            (0..<1 << zoom).contains(row)
        else { return nil }
        (self.zoom, self.column, self.row) = (zoom, column, row)
    }
}

extension PeerQuestion {
    /// The message.
    var proto: ProtoPeerQuestion {
        .with { proto in
            switch self {
            case .events(let job, let term, let number):
                proto.events = .with {
                    $0.job = Data(job)
                    $0.term = term
                    $0.number = number
                }
            case .tasks(let job): proto.tasks = Data(job)
            case .tile(let job, let index, let tile):
                proto.tile = .with {
                    $0.job = Data(job)
                    $0.index = UInt32(clamping: index)
                    $0.zoom = UInt32(tile.zoom)
                    $0.column = UInt32(tile.column)
                    $0.row = UInt32(tile.row)
                }
            case .point(let job, let longitude, let latitude):
                proto.point = .with {
                    $0.job = Data(job)
                    $0.longitude = longitude
                    $0.latitude = latitude
                }
            case .node: proto.node = true
            }
        }
    }

    /// Reads the message.
    init(_ proto: ProtoPeerQuestion) throws(WireError) {
        switch try Field.known(proto.about, "question") {
        case .events(let events):
            self = .events(
                try Field.job(events.job, "events.job"), term: events.term, number: events.number)
        case .tasks(let job): self = .tasks(try Field.job(job, "tasks"))
        case .tile(let tile):
            let name = MapTileName(zoom: Int(tile.zoom), column: Int(tile.column), row: Int(tile.row))
            guard let name else { throw .refused("tile", "no map has it") }
            self = .tile(try Field.job(tile.job, "tile.job"), index: Int(tile.index), name)
        case .point(let point):
            guard abs(point.longitude) <= 360, abs(point.latitude) <= 90 else {
                throw .refused("point", "it is not on the globe")
            }
            self = .point(
                try Field.job(point.job, "point.job"), longitude: point.longitude, latitude: point.latitude)
        case .node: self = .node
        }
    }
}
