import Cluster
import Foundation

/// The one place that feeds a `Node` and carries out what it asks for: a thread of its own with a queue of
/// inputs and one timer, so that gossip never waits behind pixels.
///
/// It keeps the contract of `Node`: inputs go in as they came, all that wait before the timer, and effects
/// are carried out in order.
public final class NodeLoop: @unchecked Sendable {
    /// Inputs that wait at most; what comes beyond is dropped, as a network drops packets. The protocol
    /// survives that, and memory stays bounded.
    static let mostWaiting = 65_536

    private let clock = MonotonicClock()
    private let condition = NSCondition()
    private var waiting: [Input] = []
    private var questions: [@Sendable (Node) -> Void] = []
    private var isStopped = false
    private var dropped = 0
    private let ended = DispatchSemaphore(value: 0)
    /// Set before the thread begins, touched by it only.
    private var node: Node?
    private let perform: @Sendable (Effect, NodeLoop) -> Void

    /// - Parameter perform: carries out one effect; called on the loop's thread, so it must not wait for
    ///   anything. Answers come back through `post`.
    public init(perform: @escaping @Sendable (Effect, NodeLoop) -> Void) { self.perform = perform }

    /// Starts the thread. The node's first input is `.start`; what was posted before comes after it.
    public func start(_ node: Node) {
        self.node = node
        condition.withLock { waiting.insert(.start, at: 0) }
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "arbutus protocol"
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Hands an input to the node; from any thread.
    public func post(_ input: Input) {
        condition.withLock {
            guard waiting.count < Self.mostWaiting else {
                dropped += 1
                return
            }
            waiting.append(input)
            condition.signal()
        }
    }

    /// Calls `question` with the node as it stands between two inputs, on the loop's thread: for views of
    /// members and jobs.
    public func ask(_ question: @escaping @Sendable (Node) -> Void) {
        condition.withLock {
            questions.append(question)
            condition.signal()
        }
    }

    /// Inputs that were dropped because too many waited.
    public var droppedInputs: Int { condition.withLock { dropped } }

    /// Ends the thread after the present input and waits for it; a loop that never started has none.
    public func stop() {
        let isRunning = condition.withLock {
            isStopped = true
            condition.signal()
            return node != nil
        }
        guard isRunning else { return }
        ended.wait()
        ended.signal()
    }

    private func run() {
        while let (inputs, asked) = next() {
            for input in inputs { step(input) }
            if let deadline = node?.nextDeadline, deadline <= clock.now { step(.timer) }
            if let node { for question in asked { question(node) } }
        }
    }

    /// What waits; empty lists when the deadline is reached first; nil when the loop is to end.
    private func next() -> ([Input], [@Sendable (Node) -> Void])? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty, questions.isEmpty, !isStopped {
            guard let deadline = node?.nextDeadline else {
                condition.wait()
                continue
            }
            let left = deadline - clock.now
            guard left > .zero else { break }
            _ = condition.wait(until: Date(timeIntervalSinceNow: left.seconds))
        }
        guard !isStopped else { return nil }
        defer { (waiting, questions) = ([], []) }
        return (waiting, questions)
    }

    private func step(_ input: Input) {
        for effect in node?.step(input, at: clock.now) ?? [] { perform(effect, self) }
    }
}
