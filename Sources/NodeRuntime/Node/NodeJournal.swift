import Catalog
import Cluster
import Foundation
import Logging
import Wire

/// What the protocol keeps on disk, as the journal's bytes.
struct NodeJournal: Sendable {
    let journal: Journal
    let logger: Logger

    /// What a start reads. Bytes that cannot be read are said and left out: the other nodes know the rest.
    ///
    /// - Parameter firstKey: the key of a node that has none yet.
    func persisted(firstKey: KeyTable) throws -> Persisted {
        let epoch = try journal.value("epoch").map { $0.reduce(0) { $0 << 8 | UInt32($1) } } ?? 0
        let keys = try journal.value("keys").flatMap { bytes in
            read("the cluster keys") { try WireKeys.decode(bytes) }
        }
        let peers = try journal.peers().compactMap { bytes in
            read("a peer") { try WireRecord.decode(bytes) }
        }
        return Persisted(epoch: epoch, peers: peers, keys: keys ?? firstKey)
    }

    /// Writes a fact; when this returns, it is on the disk.
    func write(_ fact: DurableFact) throws {
        switch fact {
        case .epoch(let epoch):
            try journal.setValue("epoch", (0..<4).map { UInt8(truncatingIfNeeded: epoch >> (24 - 8 * $0)) })
        case .keys(let keys): try journal.setValue("keys", WireKeys.encode(keys))
        case .peer(let record):
            try journal.setPeer(
                record.id.bytes, WireRecord.encode(record), now: Date().timeIntervalSince1970)
        case .gone(let id): try journal.removePeer(id.bytes)
        }
    }

    /// Every job that was kept, as events for the protocol.
    ///
    /// - Parameter known: a plan by its digest, and the blobs of it that are in the store.
    func restored(
        _ known: (Digest, JobHeader) -> (plan: ClusterPlan, blobs: [TaskResult])?
    ) throws -> [JobEvent] {
        try journal.jobs().compactMap { job in
            guard let header = read("a job", { try WireHeader.decode(job.header) }) else { return nil }
            let found = header.reign.plan.flatMap { known($0, header) }
            let done = try found.map { found in
                try journal.results(plan: found.plan.digest.bytes).compactMap { result -> TaskResult? in
                    guard result.digest.count == 32, (0..<found.plan.count).contains(result.task) else {
                        return nil
                    }
                    return TaskResult(task: TaskID(result.task), digest: Digest(bytes: result.digest))
                }
            }
            let age = job.finished.map { max(0, Date().timeIntervalSince1970 - $0) } ?? 0
            return .restore(
                header, plan: found?.plan, done: done ?? [], blobs: found?.blobs ?? [],
                finishedFor: .seconds(min(age, 1e9)))
        }
    }

    private func read<T>(_ what: String, _ body: () throws -> T) -> T? {
        do { return try body() } catch {
            logger.warning("the journal has \(what) that cannot be read: \(error); it is left out")
            return nil
        }
    }
}

extension NodeID {
    /// The eight bytes.
    var bytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: short >> (56 - 8 * UInt64($0))) } }
}

extension Digest {
    /// - Parameter bytes: exactly 32.
    init(bytes: [UInt8]) {
        func word(_ number: Int) -> UInt64 {
            bytes[number * 8..<number * 8 + 8].reduce(0) { $0 << 8 | UInt64($1) }
        }
        self.init(word(0), word(1), word(2), word(3))
    }
}
