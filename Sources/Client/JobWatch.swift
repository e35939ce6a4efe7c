import Foundation

/// Follows a job to its end, from node to node when one dies.
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
    /// Seconds between two questions.
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
        var heard = ContinuousClock.now
        while true {
            report(.stands(last))
            if last.ending != nil { return last }
            try await Task.sleep(for: .seconds(period))
            while let reason = try await next(&last) {
                guard ContinuousClock.now - heard < .seconds(patience) else { throw reason }
                report(.silence("\(reason)"))
                try await Task.sleep(for: .seconds(period))
            }
            heard = .now
        }
    }

    /// Asks once.
    ///
    /// - Returns: nil, or why there is no answer yet: a node that has just started knows no jobs for a
    ///   moment.
    private func next(_ last: inout JobReport) async throws -> ClientError? {
        do {
            last = try await client.job(job).job
            return nil
        } catch let error as ClientError {
            switch error {
            case .noNode: return error
            case .refused(404, _):
                client.skip(client.node)
                return error
            default: throw error
            }
        }
    }
}
