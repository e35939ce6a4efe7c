import Cluster
import Wire

/// Why something could not be copied from a node.
public enum BulkFailure: Error, Equatable, CustomStringConvertible {
    /// The node cannot be reached, or the link ended on the way.
    case unreachable(NodeID)
    /// The node does not have it.
    case absent(NodeID)
    /// It is larger than it may be.
    case tooLarge(NodeID)
    /// The node says why not.
    case refused(NodeID, String)

    public var description: String {
        switch self {
        case .unreachable(let node): "node \(node) cannot be reached"
        case .absent(let node): "node \(node) does not have it"
        case .tooLarge(let node): "node \(node) sends more than it may"
        case .refused(let node, let reason): "node \(node) refuses: \(reason)"
        }
    }
}

/// Copies bytes from other nodes. Calls block their thread until all is there.
protocol PeerFiles: Sendable {
    /// Hands the bytes that were asked for to `take`, piece by piece and in order.
    ///
    /// - Parameter limit: the most bytes to take.
    /// - Throws: `BulkFailure`, and what `take` throws.
    func copy(
        _ request: BulkRequest, from node: NodeID, limit: Int,
        take: (UnsafeRawBufferPointer) throws -> Void) throws

    /// The answer to a question that no bytes follow.
    ///
    /// - Throws: `BulkFailure` when the node cannot be reached.
    func reply(_ request: BulkRequest, from node: NodeID) throws -> BulkReply
}

extension PeerFiles {
    /// All bytes of something small.
    func bytes(_ request: BulkRequest, from node: NodeID, limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try copy(request, from: node, limit: limit) { bytes.append(contentsOf: $0) }
        return bytes
    }
}
