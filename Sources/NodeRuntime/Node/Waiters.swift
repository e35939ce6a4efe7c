import Cluster
import Foundation
import Synchronization

/// Users of this node who wait for the protocol's word: on a job that they handed in, on a request, on the
/// node's end.
final class Waiters: Sendable {
    private struct State {
        var submissions: [JobID: [CheckedContinuation<Result<Int, RuntimeError>, Never>]] = [:]
        var copies: [JobID: Int] = [:]
        var requests: [UInt64: CheckedContinuation<UserAnswer?, Never>] = [:]
        var lastRequest: UInt64 = 0
        var exit: ExitReason?
        var ends: [CheckedContinuation<Void, Never>] = []
        var departures: [CheckedContinuation<Departure, Never>] = []
        var departure: Departure?
        var keyRefusal: KeyRefusal?
    }

    private let state = Mutex(State())

    // MARK: Waiting

    /// The copies of a job's record once it is acknowledged.
    ///
    /// - Parameters:
    ///   - seconds: how long to wait.
    ///   - begin: hands the job to the protocol; called when the waiter stands.
    func copies(of job: JobID, within seconds: Double, begin: () -> Void) async -> Result<
        Int, RuntimeError
    > {
        await withCheckedContinuation { continuation in
            state.withLock { $0.submissions[job, default: []].append(continuation) }
            begin()
            DispatchQueue.global().asyncAfter(deadline: .now() + seconds) {
                self.refused(
                    job,
                    "the job \(job) was not confirmed within \(Int(seconds)) s; submit it again with its id")
            }
        }
    }

    /// The answer to a request; nil when there was none in time.
    func answer(within seconds: Double, begin: (UInt64) -> Void) async -> UserAnswer? {
        await withCheckedContinuation { continuation in
            let number = state.withLock { state in
                state.lastRequest += 1
                state.requests[state.lastRequest] = continuation
                return state.lastRequest
            }
            begin(number)
            DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { self.answered(number, nil) }
        }
    }

    /// The node has said goodbye, or some seconds have passed.
    func ended(within seconds: Double) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.exit == nil { state.ends.append(continuation) }
                return state.exit != nil
            }
            if isOver { return continuation.resume() }
            DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { self.release() }
        }
    }

    /// Why the node stopped by itself; nil while it runs.
    var exit: ExitReason? { state.withLock { $0.exit } }

    /// Why this node's process is to end; returns when there is such a reason.
    func departure() async -> Departure {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.departure == nil { state.departures.append(continuation) }
                return state.departure
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// The last refusal of a request about keys, which is forgotten.
    func takeKeyRefusal() -> KeyRefusal? {
        state.withLock { state in
            defer { state.keyRefusal = nil }
            return state.keyRefusal
        }
    }

    // MARK: Words

    func keysRefused(_ refusal: KeyRefusal) { state.withLock { $0.keyRefusal = refusal } }

    func depart(_ departure: Departure) {
        let waiting = state.withLock { state in
            state.departure = state.departure ?? departure
            defer { state.departures = [] }
            return state.departures
        }
        for waiter in waiting { waiter.resume(returning: departure) }
    }

    func acknowledged(_ job: JobID, _ copies: Int) { resume(job, .success(copies)) }

    func refused(_ job: JobID, _ reason: String) { resume(job, .failure(RuntimeError(reason))) }

    func answered(_ number: UInt64, _ answer: UserAnswer?) {
        state.withLock { $0.requests.removeValue(forKey: number) }?.resume(returning: answer)
    }

    func exited(_ reason: ExitReason) {
        state.withLock { $0.exit = reason }
        release()
        if reason != .farewellSaid { depart(.stopped(reason.sentence)) }
    }

    private func resume(_ job: JobID, _ result: Result<Int, RuntimeError>) {
        for waiter in state.withLock({ $0.submissions.removeValue(forKey: job) }) ?? [] {
            waiter.resume(returning: result)
        }
    }

    private func release() {
        let ends = state.withLock { state in
            defer { state.ends = [] }
            return state.ends
        }
        for end in ends { end.resume() }
    }
}
