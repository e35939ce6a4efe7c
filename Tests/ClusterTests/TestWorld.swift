// A handful of nodes' job machines with a network that delays, loses and doubles, and shells that do what
// they are asked. Not the simulator: no membership protocol (views change some seconds after the fact), no
// speeds, no bytes.

import Testing

@testable import Cluster

/// splitmix64, so that a seed is a whole story.
struct TestGenerator: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = scrambled(seed) }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return scrambled(state)
    }
    mutating func happens(_ probability: Double) -> Bool {
        Double(next() >> 11) / Double(1 << 53) < probability
    }
}

func node(_ n: UInt64) -> NodeID { NodeID(short: n) }
func digest(_ n: UInt64) -> Digest { Digest(scrambled(n), n, 0, 0) }
func job(_ n: UInt64) -> JobID { JobID(high: 0, low: n) }
func at(_ seconds: Double) -> Instant { .zero + .seconds(seconds) }

let engine = digest(77)

func testPlan(_ count: Int, cost: (Int) -> Double = { _ in 1 }) -> JobPlan {
    let tasks = (0..<count).map { PlannedTask(key: digest(UInt64(1000 + $0)), cost: cost($0)) }
    return JobPlan(digest: digest(UInt64(500 + count)), fingerprint: engine, tasks: tasks)
}

/// The digest that the engine gives for a task.
func result(_ task: Int) -> TaskResult { TaskResult(task: TaskID(task), digest: digest(UInt64(9000 + task))) }

struct TestWorld {
    enum Event {
        case message(JobMessage, from: NodeID, to: NodeID, start: UInt64)
        case exchange(BookMessage, from: NodeID, to: NodeID)
        case rumour(JobRumour, from: NodeID, to: NodeID)
        case shell(NodeID, start: UInt64, (inout NodeJobs, Instant) -> [JobAction])
        case wake(NodeID)
        case world((inout TestWorld) -> Void)
    }
    struct Disk {
        var headers: [JobID: JobHeader] = [:]
        var plans: Set<Digest> = []
        var done: [JobID: [TaskResult]] = [:]
        var blobs: [JobID: [TaskID: Digest]] = [:]
        var outputs: Set<Digest> = []
    }

    var generator: TestGenerator
    var loss = 0.0
    var doubling = 0.0
    var longestDelay = 0.02
    var secondsPerTask = 0.5
    /// The engine of nodes that restart from now on.
    var engineNow = engine
    var plans: [Digest: JobPlan] = [:]
    var planned: JobPlan
    var now = Instant.zero
    var nodes: [NodeID: NodeJobs] = [:]
    var disks: [NodeID: Disk] = [:]
    var alive: Set<NodeID> = []
    var starts: [NodeID: UInt64] = [:]
    var known: [NodeID: [NodeID: Peer]] = [:]
    var cut: (NodeID, NodeID) -> Bool = { _, _ in false }
    var runs: [TaskID: Int] = [:]
    var acknowledged: [JobID: Int] = [:]
    var answers: [UInt64: UserAnswer] = [:]
    var trouble: [String] = []
    var damaged: Set<TaskID> = []
    var failing: [TaskID: FailureKind] = [:]
    var queue: [(at: Instant, order: Int, event: Event)] = []
    var order = 0
    var facts: [TaskID: Digest] = [:]
    var states: [NodeID: RunState] = [:]

    init(seed: UInt64, nodes count: Int, plan: JobPlan, slots: Int = 1) {
        generator = TestGenerator(seed)
        planned = plan
        plans[plan.digest] = plan
        let ids = (1...count).map { node(UInt64($0)) }
        for id in ids {
            alive.insert(id)
            starts[id] = 1
            disks[id] = Disk()
        }
        for id in ids {
            known[id] = Dictionary(
                uniqueKeysWithValues: ids.map {
                    ($0, Peer(id: $0, start: 1, fingerprint: engine, slots: slots))
                })
            nodes[id] = NodeJobs(view: view(id), slots: slots)
            push(.wake(id), after: .milliseconds(1))
            for k in 1...40 { push(.wake(id), after: .seconds(10 * k)) }
        }
    }

    func view(_ id: NodeID) -> PeerView { PeerView(me: id, peers: Array((known[id] ?? [:]).values)) }

    mutating func push(_ event: Event, after delay: Span) {
        order += 1
        let entry = (at: now + delay, order: order, event: event)
        var (low, high) = (0, queue.count)
        while low < high {
            let middle = (low + high) / 2
            if (queue[middle].at, queue[middle].order) > (entry.at, entry.order) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        queue.insert(entry, at: low)
    }

    mutating func later(_ seconds: Double, _ change: @escaping (inout TestWorld) -> Void) {
        push(.world(change), after: .seconds(seconds))
    }

    /// Lets an event happen at a node, performs what follows, and sets its next timer.
    mutating func at(_ id: NodeID, _ event: (inout NodeJobs, Instant) -> [JobAction]) {
        guard alive.contains(id), nodes[id] != nil else { return }
        var actions = event(&nodes[id]!, now)
        actions += nodes[id]!.advance(now: now, using: &generator)
        for action in actions { perform(action, id) }
        check(id)
        if let next = nodes[id]?.nextDeadline {
            if next <= now { trouble.append("\(now.nanoseconds): \(id) has a deadline that does not move") }
            push(.wake(id), after: max(.milliseconds(1), next - now))
        }
    }

    mutating func run(until end: Double, while goesOn: (TestWorld) -> Bool = { _ in true }) {
        var steps = 0
        while let entry = queue.last, entry.at <= .zero + .seconds(end), trouble.isEmpty, goesOn(self) {
            queue.removeLast()
            steps += 1
            if steps > 300_000 { trouble.append("a storm: \(steps) events until \(entry.at)") }
            now = entry.at
            switch entry.event {
            case .message(let message, let from, let to, let start):
                guard starts[to] == start, !cut(from, to) else { continue }
                self.at(to) { $0.received(message, from: from, now: $1) }
            case .exchange(let message, let from, let to):
                guard !cut(from, to) else { continue }
                self.at(to) { $0.received(message, from: from, now: $1) }
            case .rumour(let rumour, let from, let to):
                guard !cut(from, to) else { continue }
                self.at(to) { $0.heard(rumour, from: from, now: $1) }
            case .shell(let id, let start, let event):
                guard starts[id] == start else { continue }
                self.at(id, event)
            case .wake(let id):
                guard let next = nodes[id]?.nextDeadline, next <= now || now == .zero + .milliseconds(1)
                else { continue }
                self.at(id) { _, _ in [] }
            case .world(let change): change(&self)
            }
        }
    }

    // MARK: Faults

    mutating func kill(_ id: NodeID, seenAfter delay: Double) {
        alive.remove(id)
        nodes[id] = nil
        // What it had not written yet it forgets; one process's view only rises.
        states[id] = nil
        starts[id, default: 0] += 1
        let start = starts[id]
        later(delay) { world in
            guard world.starts[id] == start, !world.alive.contains(id) else { return }
            for other in world.alive.sorted() { world.see(id, standing: .dead, at: other) }
        }
    }

    mutating func see(_ id: NodeID, standing: Peer.Standing, at other: NodeID) {
        known[other]?[id]?.standing = standing
        known[other]?[id]?.start = starts[id] ?? 0
        if standing == .alive { known[other]?[id]?.fingerprint = nodes[id]?.view.own.fingerprint }
        let view = view(other)
        at(other) { $0.viewChanged(view, now: $1) }
    }

    mutating func restart(_ id: NodeID) {
        starts[id, default: 0] += 1
        alive.insert(id)
        for other in alive.sorted() {
            known[id]?[other] = Peer(id: other, start: starts[other] ?? 0, fingerprint: engineNow)
        }
        nodes[id] = NodeJobs(view: view(id), slots: 1)
        let (disk, plans) = (disks[id] ?? Disk(), plans)
        at(id) { machine, now in
            var actions: [JobAction] = []
            for (_, header) in disk.headers.sorted(by: { $0.key < $1.key }) {
                let plan = header.reign.plan.flatMap { disk.plans.contains($0) ? plans[$0] : nil }
                let blobs = (disk.blobs[header.id] ?? [:]).map { TaskResult(task: $0.key, digest: $0.value) }
                actions += machine.restore(
                    header, plan: plan, done: disk.done[header.id] ?? [], blobs: blobs,
                    finishedFor: .zero, now: now)
            }
            return actions
        }
        for other in alive.sorted() where other != id { see(id, standing: .alive, at: other) }
        compareBooks()
    }

    /// What the 10 s exchange does, for all pairs at once.
    mutating func compareBooks() {
        for id in alive.sorted() {
            for other in alive.sorted() where other != id { at(id) { $0.compareBooks(with: other, now: $1) } }
        }
    }
}
