import Cluster
import Foundation
import NodeRuntime

/// A job as OGC API Processes tells it (18-062r2, section 7.12), with what this cluster adds.
struct JobAnswer: Codable {
    let jobID: String
    let type: String
    /// `accepted`, `running`, `successful`, `failed`, `dismissed`.
    let status: String
    let title: String
    /// Why it stands so; nil when all is well.
    let message: String?
    /// `running`, `complete`, `partial`, `failed` or `cancelled`.
    let state: String
    /// What happens now.
    let phase: String
    let run: UInt32
    let coordinator: String
    let keepers: [String]
    /// Nodes that hold the outputs.
    let holders: [String]

    init(_ header: JobHeader) {
        jobID = "\(header.id)"
        type = "process"
        title = header.title
        message = header.note.isEmpty ? nil : header.note
        phase = "\(header.reign.phase)"
        run = header.state.run.number
        coordinator = "\(header.term.node)"
        keepers = header.reign.keepers.map { "\($0)" }
        holders = header.outputHolders.map { "\($0)" }
        switch header.state.manifest {
        case .running:
            status = [.accepted, .planning].contains(header.reign.phase) ? "accepted" : "running"
            state = "running"
        case .cancelled: (status, state) = ("dismissed", "cancelled")
        case .complete: (status, state) = ("successful", "complete")
        case .partial(_, let outputs):
            (status, state) = outputs == nil ? ("failed", "failed") : ("successful", "partial")
        }
    }
}

/// All jobs.
struct JobList: Codable {
    let jobs: [JobAnswer]
    let links: [String]
}

/// An output file of a finished job.
struct Artifact: Codable {
    let href: String
    let type: String

    init(job: JobID, name: String) {
        href = "/artifacts/\(job)/\(name)"
        type =
            switch name.split(separator: ".").last {
            case "tif": "image/tiff; application=geotiff"
            case "png": "image/png"
            case "json": "application/json"
            case "xml", "qml": "application/xml"
            default: "text/plain"
            }
    }
}
