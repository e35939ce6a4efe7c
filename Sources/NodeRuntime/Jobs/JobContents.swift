import Catalog
import Cluster
import Engine
import Foundation
import Synchronization
import TileStore
import Wire

/// Requests and plans by their digests: in the journal, and those in use in memory.
final class JobContents: Sendable {
    /// A plan in its three forms.
    struct Known: Sendable {
        let content: JobContent
        let plan: ClusterPlan
        let engine: EnginePlan
    }

    private let journal: Journal
    private let peers: any PeerFiles
    private let known = Mutex<[Digest: Known]>([:])

    /// Plans kept in memory; the least needed are read again from the journal.
    private static let mostKnown = 64

    init(journal: Journal, peers: any PeerFiles) {
        (self.journal, self.peers) = (journal, peers)
    }

    /// Bytes that are here.
    func bytes(_ digest: Digest) throws -> [UInt8]? { try journal.content(digest.bytes) }

    /// Keeps bytes for a job.
    ///
    /// - Returns: their digest.
    func keep(_ bytes: [UInt8], of job: JobID) throws -> Digest {
        let digest = Digest(of: bytes)
        try journal.setContent(digest.bytes, bytes, of: job.bytes)
        return digest
    }

    /// Bytes from here, or from one of the nodes; what arrives is checked against the digest and kept.
    ///
    /// - Throws: a sentence when nobody has them.
    func bytes(_ digest: Digest, of job: JobID, from nodes: [NodeID]) throws -> [UInt8] {
        if let bytes = try bytes(digest) { return bytes }
        var failure = "no node is known to have it"
        for node in nodes {
            do {
                let bytes = try peers.bytes(.content(digest), from: node, limit: JobContent.byteLimit)
                guard Digest(of: bytes) == digest else {
                    failure = "node \(node) sent other bytes"
                    continue
                }
                _ = try keep(bytes, of: job)
                return bytes
            } catch let error as BulkFailure {
                failure = "\(error)"
            }
        }
        throw RuntimeError("cannot get content \(digest) of job \(job): \(failure)")
    }

    /// A plan, from memory, the journal, or one of the nodes.
    ///
    /// - Throws: a sentence when nobody has it, or it is none that this program makes.
    func plan(_ digest: Digest, of job: JobID, from nodes: [NodeID] = []) throws -> Known {
        if let found = known.withLock({ $0[digest] }) { return found }
        let content = try JobContent(reading: bytes(digest, of: job, from: nodes))
        return remember(content, digest)
    }

    /// A plan that is in memory already.
    func plan(inMemory digest: Digest) -> Known? { known.withLock { $0[digest] } }

    /// Keeps a plan that was made here.
    func keep(_ content: JobContent, of job: JobID) throws -> Known {
        remember(content, try keep(try content.bytes(), of: job))
    }

    private func remember(_ content: JobContent, _ digest: Digest) -> Known {
        let found = Known(
            content: content, plan: ClusterPlan(content, digest: digest), engine: content.job)
        known.withLock { known in
            if known.count >= Self.mostKnown, let oldest = known.keys.min() { known[oldest] = nil }
            known[digest] = found
        }
        return found
    }
}

extension JobID {
    /// The sixteen bytes.
    var bytes: [UInt8] {
        [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
        }
    }

    /// Reads 32 hexadecimal digits; nil for anything else.
    public init?(_ text: String) {
        guard text.utf8.count == 32, text.allSatisfy({ $0.isASCII && $0.isHexDigit }),
            let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    /// Reads sixteen bytes; nil for another number of them.
    init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        func word(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(bytes[..<8]), low: word(bytes[8...]))
    }
}
