// The first hand of cards: as many contiguous ranges of equal predicted cost as there are nodes, but never so
// many that a range is shorter than four tasks. Whatever is unequal afterwards is stealing's business
// (PROTOCOL 4).

/// The ranges that a coordinator offers when a run starts.
public enum Offers {
    static let tasksARange = 4

    /// A range for a node.
    public struct Offer: Equatable, Sendable {
        /// Who should take it.
        public let node: NodeID
        /// What.
        public let tasks: TaskSet

        /// `tasks` for `node`.
        public init(node: NodeID, tasks: TaskSet) {
            self.node = node
            self.tasks = tasks
        }
    }

    /// Splits `open` into min(nodes, tasks/4) ranges of equal cost; the first nodes get one each. `nodes`
    /// come in the order of preference: those that hold the inputs first.
    public static func split(_ open: TaskSet, of plan: JobPlan, among nodes: [NodeID]) -> [Offer] {
        let count = min(nodes.count, max(1, open.count / tasksARange))
        guard count > 0, !open.isEmpty else { return [] }
        var rest = open
        var offers: [Offer] = []
        for (index, node) in nodes.prefix(count).enumerated() where !rest.isEmpty {
            let share = plan.cost(rest) / Double(count - index)
            let part = index == count - 1 ? rest : plan.head(of: rest, cost: share)
            offers.append(Offer(node: node, tasks: part))
            rest = rest.subtracting(part)
        }
        return offers
    }

    /// Nodes that hold the inputs first, then by id.
    public static func preference(_ nodes: [NodeID], holdingInputs: [NodeID]) -> [NodeID] {
        let first = Set(holdingInputs)
        return nodes.filter(first.contains).sorted() + nodes.filter { !first.contains($0) }.sorted()
    }
}
