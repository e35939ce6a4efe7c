import Cluster
import Engine
import Foundation
import Mosaic
import Sodium
import TileStore

// What users ask of a node; any node answers for every job.

extension ClusterNode {
    /// A job as any node can tell of it.
    public struct JobStatus: Sendable {
        public let header: JobHeader
        /// The outputs, when they are on this node's disk.
        public let files: [OutputFile]
    }

    /// A finished output on this node's disk.
    public struct OutputFile: Sendable {
        public let name: String
        public let bytes: Int
        /// BLAKE2b-256 in hexadecimal.
        public let digest: String
        public let path: String
    }

    /// Hands in a job.
    ///
    /// - Parameter id: chosen by the client, so that a retry is the same job; nil: a new one.
    /// - Returns: the job's id and on how many disks its record is.
    /// - Throws: `RequestError` when the request makes no sense; `RuntimeError` when the job is refused.
    public func submit(_ request: MosaicRequest, id: JobID? = nil) async throws -> (id: JobID, copies: Int) {
        try request.validate()
        let job = id ?? JobID(high: RandomBytes.number(), low: RandomBytes.number())
        if let known = await look({ node in node.jobs?.book[job] }) {
            return (job, 1 + known.reign.keepers.count)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let digest = try shell.contents.keep(Array(try encoder.encode(request)), of: job)
        let title =
            request.title ?? (request.indices + request.expressions.map(\.name)).joined(separator: ", ")
        let result = await waiters.copies(of: job, within: 30) {
            post(.submit(job, title: String(title.prefix(60)), request: digest))
        }
        return (job, try result.get())
    }

    /// Every job that the cluster knows, by id.
    public func jobs() async -> [JobHeader] {
        await look { node in node.jobs?.book.all ?? [] }
    }

    /// One job; nil when nobody here has heard of it.
    public func job(_ id: JobID) async -> JobStatus? {
        guard let header = await look({ node in node.jobs?.book[id] }) else { return nil }
        return JobStatus(header: header, files: localOutputs(of: header))
    }

    /// The outputs of a finished job; copied from a node that holds them when they are not here.
    ///
    /// - Throws: `RuntimeError` when there are none yet, or no holder can be reached.
    public func outputs(of header: JobHeader) async throws -> [OutputFile] {
        guard let digest = header.state.manifest.outputs else {
            throw RuntimeError("job \(header.id) has no outputs yet; wait until it is complete")
        }
        for holder in header.outputHolders where localOutputs(of: header).isEmpty && holder != id {
            await withCheckedContinuation { continuation in
                shell.fetchOutputs(digest, of: header.id, from: holder) { continuation.resume() }
            }
        }
        let files = localOutputs(of: header)
        guard !files.isEmpty else {
            throw RuntimeError(
                "the outputs of job \(header.id) are on nodes that cannot be reached; start one of them, or "
                    + "resume the job")
        }
        return files
    }

    private func localOutputs(of header: JobHeader) -> [OutputFile] {
        let manifest = header.state.manifest.outputs.flatMap { outputs.manifest($0.hash) }
        return (manifest?.files ?? []).compactMap { file in
            ContentHash(hexadecimal: file.digest).map {
                OutputFile(
                    name: file.name, bytes: file.bytes, digest: file.digest, path: outputs.path(of: $0))
            }
        }
    }

    /// Cancels or resumes the run of a job that this node knows.
    ///
    /// - Returns: the answer of the coordinator; nil when none came within 35 s.
    public func request(_ kind: UserRequest, _ job: JobHeader) async -> UserAnswer? {
        await waiters.answer(within: 35) { number in
            post(.request(kind, job.id, job.state.run, number: number))
        }
    }

    /// The members as this node sees them, itself left out.
    public func members() async -> [Member] { await look { $0.membership.table.rows } }
}
