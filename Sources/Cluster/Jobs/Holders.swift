// Which node holds which blob: soft knowledge that nodes report anew, tied to a start of the node. The facts
// (task → digest) are in the done log; here is only where a fact's bytes can be had (PROTOCOL 3).

/// The coordinator's table of blobs and their live holders.
public struct Holders: Equatable, Sendable {
    /// How many live holders make a result durable.
    public static let durable = 2

    private struct Node: Equatable, Sendable {
        let start: UInt64
        var sequence: UInt64
        var held: TaskSet
    }

    private var nodes: [NodeID: Node] = [:]
    private var holdersOf: [[NodeID]]
    /// Tasks with at least one holder.
    public private(set) var held = TaskSet()

    /// No holders of any of `count` tasks.
    init(count: Int) { holdersOf = Array(repeating: [], count: count) }

    /// The known holders of a task, sorted.
    public func holders(of task: TaskID) -> [NodeID] { holdersOf[task.index] }

    /// What a node holds.
    public func held(by node: NodeID) -> TaskSet { nodes[node]?.held ?? TaskSet() }

    /// The sequence of the last change that `node` told in this start; nil asks for a full report.
    func sequence(of node: NodeID, start: UInt64) -> UInt64? {
        nodes[node].flatMap { $0.start == start ? $0.sequence : nil }
    }

    /// One more blob at `node`, its change number `sequence`. A gap in the numbers asks for a full report
    /// later.
    mutating func add(_ task: TaskID, at node: NodeID, start: UInt64, sequence: UInt64) {
        if nodes[node]?.start != start { forget(node) }
        var entry = nodes[node] ?? Node(start: start, sequence: 0, held: TaskSet())
        if sequence == entry.sequence &+ 1 { entry.sequence = sequence }
        if !entry.held.contains(task) {
            entry.held.insert(task)
            insert(node, task)
        }
        nodes[node] = entry
    }

    /// All that `node` holds, as of its change number `sequence`; an older report says nothing.
    mutating func replace(_ node: NodeID, start: UInt64, sequence: UInt64, held: TaskSet) {
        let old = nodes[node]
        if let old, old.start == start, old.sequence > sequence { return }
        let before = old?.held ?? TaskSet()
        for task in before.subtracting(held).tasks { remove(node, task) }
        for task in held.subtracting(before).tasks { insert(node, task) }
        nodes[node] = Node(start: start, sequence: sequence, held: held)
    }

    /// A blob is gone there, or did not match its digest.
    mutating func drop(_ task: TaskID, at node: NodeID) {
        guard nodes[node]?.held.contains(task) == true else { return }
        nodes[node]?.held.remove(task)
        remove(node, task)
    }

    /// Nodes that are gone, or started anew, hold nothing that we know of.
    mutating func forgetTheGone(_ view: PeerView) {
        for (id, node) in nodes.sorted(by: { $0.key < $1.key }) where !view.isSameStart(id, node.start) {
            forget(id)
        }
    }

    private mutating func forget(_ node: NodeID) {
        guard let old = nodes.removeValue(forKey: node) else { return }
        for task in old.held.tasks { remove(node, task) }
    }

    private mutating func insert(_ node: NodeID, _ task: TaskID) {
        holdersOf[task.index] = (holdersOf[task.index] + [node]).sorted()
        if holdersOf[task.index].count == 1 { held.insert(task) }
    }

    private mutating func remove(_ node: NodeID, _ task: TaskID) {
        holdersOf[task.index].removeAll { $0 == node }
        if holdersOf[task.index].isEmpty { held.remove(task) }
    }
}
