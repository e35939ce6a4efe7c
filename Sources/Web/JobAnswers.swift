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
        state = header.stateWord
        switch state {
        case "running":
            status = [.accepted, .planning].contains(header.reign.phase) ? "accepted" : "running"
        case "cancelled": status = "dismissed"
        case "failed": status = "failed"
        default: status = "successful"
        }
    }
}

/// All jobs.
struct JobList: Codable {
    let jobs: [JobAnswer]
    let links: [String]
}

/// An output file of a finished job, with the fields of STAC's file extension.
struct Artifact: Codable {
    let href: String
    let type: String
    /// Bytes.
    let size: Int
    /// A multihash: 0xb220 (BLAKE2b-256) as a varint, 0x20 bytes, the digest.
    let checksum: String

    enum CodingKeys: String, CodingKey {
        case href, type
        case size = "file:size"
        case checksum = "file:checksum"
    }

    init(job: JobID, file: ClusterNode.OutputFile) {
        href = "/artifacts/\(job)/\(file.name)"
        type = Self.type(of: file.name)
        (size, checksum) = (file.bytes, "a0e40220\(file.digest)")
    }

    /// The media type of an output by its name.
    static func type(of name: String) -> String {
        switch name.split(separator: ".").last {
        case "tif": "image/tiff; application=geotiff"
        case "png": "image/png"
        case "json": "application/json"
        case "xml", "qml": "application/xml"
        default: "text/plain"
        }
    }
}
