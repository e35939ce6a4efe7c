import Foundation

// What users ask of the cluster, one call each.

extension ClusterClient {
    /// Hands in a job.
    ///
    /// - Parameters:
    ///   - request: the mosaic's request as JSON.
    ///   - id: 32 hexadecimal digits; a repetition under the same id is the same job.
    /// - Returns: how many disks hold the job's record.
    public func submit(_ request: Data, id: String) async throws -> Int {
        struct Accepted: Decodable {
            let jobID: String
            let copies: Int
        }
        var call = Call("/processes/mosaic/execution")
        call.method = "POST"
        call.body = Data("{\"inputs\":".utf8) + request + Data(",\"jobID\":\"\(id)\"}".utf8)
        call.fields["Prefer"] = "respond-async"
        call.isSlow = true
        let (body, node) = try await data(call)
        let accepted = try Self.read(Accepted.self, body, of: node)
        guard accepted.jobID == id else {
            throw ClientError.notUnderstood("\(node)", reason: "it took job \(id) for \(accepted.jobID)")
        }
        return accepted.copies
    }

    /// A new job's id.
    public static func newJobID() -> String {
        (0..<16).map { _ in String(format: "%02x", UInt8.random(in: 0 ... .max)) }.joined()
    }

    /// All jobs, by id, and the JSON that said so.
    public func jobs() async throws -> (jobs: [JobReport], json: Data) {
        struct List: Decodable {
            let jobs: [JobReport]
        }
        let (body, node) = try await data(Call("/jobs"))
        return (try Self.read(List.self, body, of: node).jobs, body)
    }

    /// One job, and the JSON that said so.
    public func job(_ id: String) async throws -> (job: JobReport, json: Data) {
        try await report(Call("/jobs/\(id)"))
    }

    /// Stops a job.
    public func cancel(_ id: String) async throws -> (job: JobReport, json: Data) {
        var call = Call("/jobs/\(id)")
        (call.method, call.isSlow) = ("DELETE", true)
        return try await report(call)
    }

    /// Starts the next run of a job that ended without being complete.
    public func resume(_ id: String) async throws -> (job: JobReport, json: Data) {
        var call = Call("/jobs/\(id)/resume")
        (call.method, call.isSlow) = ("POST", true)
        return try await report(call)
    }

    /// The members in the view of the node that answers, and the JSON that said so.
    public func members() async throws -> (members: MembersReport, json: Data) {
        let (body, node) = try await data(Call("/members"))
        return (try Self.read(MembersReport.self, body, of: node), body)
    }

    private func report(_ call: Call) async throws -> (job: JobReport, json: Data) {
        let (body, node) = try await data(call)
        return (try Self.read(JobReport.self, body, of: node), body)
    }

    /// The id that a user means: whole, or its beginning of at least four digits when only one job begins so.
    ///
    /// - Throws: `ClientError.refused` with status 404 or 409.
    public func jobID(from text: String) async throws -> String {
        let text = text.lowercased()
        guard text.utf8.count >= 4, text.utf8.count <= 32, text.allSatisfy({ $0.isASCII && $0.isHexDigit })
        else {
            throw ClientError.refused(
                status: 404,
                detail: "'\(text)' is no job id: these have 32 hexadecimal digits, of which the first four "
                    + "or more will do; arbutus jobs lists them")
        }
        guard text.utf8.count < 32 else { return text }
        let found = try await jobs().jobs.map(\.jobID).filter { $0.hasPrefix(text) }
        switch found.count {
        case 1: return found[0]
        case 0:
            throw ClientError.refused(
                status: 404, detail: "there is no job that begins with \(text); arbutus jobs lists them")
        default:
            throw ClientError.refused(
                status: 409, detail: "\(found.count) jobs begin with \(text); give more of the id")
        }
    }
}
