import Foundation

/// Follows a job to its end by a node's event stream, from node to node when one dies; where a node has no
/// such stream, by asking each second.
public struct JobWatch: Sendable {
    /// What there is to tell.
    public enum News: Equatable, Sendable {
        /// The job as it stands now.
        case stands(JobReport)
        /// Nobody answers at the moment; why. It is tried again.
        case silence(String)
    }

    private let client: ClusterClient
    private let job: String
    /// Seconds between two questions without a stream, and between two looks at the job with one.
    var period = 1.0
    /// Seconds without any answer after which the watch gives up; a machine restarts within them.
    var patience = 300.0

    /// - Parameter job: its whole id.
    public init(_ client: ClusterClient, job: String) { (self.client, self.job) = (client, job) }

    /// Returns when the job has ended.
    ///
    /// - Parameter report: called for each piece of news, one at a time.
    /// - Returns: the job at its end.
    /// - Throws: `ClientError`: the job is unknown, or nobody answered for too long; `CancellationError`.
    public func run(_ report: @Sendable (News) -> Void) async throws -> JobReport {
        // A wrong address or job is said at once; later silence may pass.
        var last = try await client.job(job).job
        report(.stands(last))
        var events = ServerSentEvents()
        var heard = ContinuousClock.now
        while last.ending == nil {
            do {
                try await follow(&last, &events, report)
                heard = .now
                if last.ending == nil { try await Task.sleep(for: .seconds(period)) }
            } catch let error as ClientError {
                guard Self.mayPass(error), ContinuousClock.now - heard < .seconds(patience) else {
                    throw error
                }
                report(.silence("\(error)"))
                client.skip(client.node)
                try await Task.sleep(for: .seconds(period))
            }
        }
        return last
    }

    /// A node that has just started knows no jobs for a moment.
    private static func mayPass(_ error: ClientError) -> Bool {
        switch error {
        case .noNode, .refused(404, _): true
        default: false
        }
    }

    /// Reads one stream until it ends, or looks once where there is none.
    private func follow(
        _ last: inout JobReport, _ events: inout ServerSentEvents, _ report: (News) -> Void
    ) async throws {
        var call = ClusterClient.Call("/jobs/\(job)/events")
        if let id = events.lastID { call.fields["Last-Event-ID"] = id }
        let answer: ClusterClient.Answer
        do {
            answer = try await client.send(call)
        } catch ClientError.refused(404, _) {
            return try await look(&last, report)
        }
        var looked = ContinuousClock.now
        var pieces = answer.body.makeAsyncIterator()
        while last.ending == nil {
            do {
                guard let piece = try await pieces.next() else { return client.skip(answer.node) }
                for event in events.take(piece.readableBytesView) where event.name == "state" {
                    let before = last
                    if last.take(event.data), last != before { report(.stands(last)) }
                }
            } catch {
                let reason = ClusterClient.meaning(of: error)
                guard reason is ClusterClient.Silence else { throw reason }
                // The next node goes on behind the last event.
                client.skip(answer.node)
                return report(.silence("\(answer.node) fell silent"))
            }
            // The stream says how the job goes on; how it ended, the job itself says.
            let isOver = last.state != "running" && last.ending == nil
            if isOver || ContinuousClock.now - looked > .seconds(5 * period) {
                try await look(&last, report)
                looked = .now
            }
        }
    }

    private func look(_ last: inout JobReport, _ report: (News) -> Void) async throws {
        var now = try await client.job(job).job
        (now.tasksDone, now.tasksTotal, now.secondsLeft) = (last.tasksDone, last.tasksTotal, last.secondsLeft)
        if now != last { report(.stands(now)) }
        last = now
    }
}

extension JobReport {
    /// Takes over what a `state` event says.
    ///
    /// - Returns: whether it could be read.
    mutating func take(_ json: String) -> Bool {
        struct State: Decodable {
            let state: String
            let phase: String
            let note: String
            let run: Int
            let coordinator: String
            let count: Int?
            let done: Int?
            let secondsLeft: [Double]?
        }
        guard
            case .success(let now) = Result(catching: {
                try JSONDecoder().decode(State.self, from: Data(json.utf8))
            })
        else { return false }
        (state, phase, run, coordinator) = (now.state, now.phase, now.run, now.coordinator)
        message = now.note.isEmpty ? nil : now.note
        if let count = now.count, count > 0 {
            (tasksTotal, tasksDone) = (count, now.done)
            secondsLeft = now.secondsLeft
        }
        return true
    }
}
