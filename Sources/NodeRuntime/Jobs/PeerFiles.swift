import Cluster

/// Something that one node has and another copies: named by content, so that what arrives can be checked.
enum BulkItem: Hashable, Sendable {
    /// A request or a plan, by its digest.
    case content(Digest)
    /// A task's blob, by the task's key.
    case blob(key: Digest)
    /// A run's manifest, by the digest that names its outputs.
    case manifest(Digest)
    /// An output file, by its digest.
    case output(Digest)
}

/// Why something could not be copied from a node.
enum BulkFailure: Error, Equatable, CustomStringConvertible {
    /// The node cannot be reached, or the link ended on the way.
    case unreachable(NodeID)
    /// The node does not have it.
    case absent(NodeID)
    /// It is larger than it may be.
    case tooLarge(NodeID)

    var description: String {
        switch self {
        case .unreachable(let node): "node \(node) cannot be reached"
        case .absent(let node): "node \(node) does not have it"
        case .tooLarge(let node): "node \(node) sends more than it may"
        }
    }
}

/// Copies bytes from other nodes. Calls block their thread until all is there.
protocol PeerFiles: Sendable {
    /// Hands the item's bytes to `take`, piece by piece and in order.
    ///
    /// - Parameter limit: the most bytes to take.
    /// - Throws: `BulkFailure`, and what `take` throws.
    func copy(
        _ item: BulkItem, from node: NodeID, limit: Int, take: (UnsafeRawBufferPointer) throws -> Void) throws
}

extension PeerFiles {
    /// All bytes of a small item.
    func bytes(_ item: BulkItem, from node: NodeID, limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try copy(item, from: node, limit: limit) { bytes.append(contentsOf: $0) }
        return bytes
    }
}
