import Cluster
import Engine
import Foundation
import TileStore
import Wire

// What moves between nodes, and what the coordinator makes of it.

extension JobShell {
    /// Copies a blob from one of the nodes into our store, and checks it against the digest.
    func pull(_ result: TaskResult, _ job: JobID, _ plan: Digest, _ nodes: [NodeID]) {
        guard let key = key(of: result.task, plan, job) else {
            return unreachable(result, job, plan, nodes)
        }
        if let entry = parts.store.find(key), Digest(entry.digest) == result.digest, let first = nodes.first {
            return answer(.pulled(job, plan: plan, result, from: first, .held))
        }
        let limit = 1 << 30
        for node in nodes {
            do {
                let entry = try parts.store.put(key, digest: result.digest.hash) { take in
                    try parts.peers.copy(.blob(key: Digest(key)), from: node, limit: limit, take: take)
                }
                guard entry != nil else {
                    return answer(.pulled(job, plan: plan, result, from: node, .mismatch))
                }
                pinAtWork(job, plan)
                parts.store.unpin(key)
                return answer(.pulled(job, plan: plan, result, from: node, .held))
            } catch is BulkFailure {
                continue
            } catch {
                // Whoever coordinates next copies it.
                parts.room.lost("\(error)")
                return unreachable(result, job, plan, [node])
            }
        }
        unreachable(result, job, plan, nodes)
    }

    private func unreachable(_ result: TaskResult, _ job: JobID, _ plan: Digest, _ nodes: [NodeID]) {
        guard let first = nodes.first else { return }
        answer(.pulled(job, plan: plan, result, from: first, .unreachable))
    }

    /// Lays the blobs into outputs and publishes them on this node.
    func assemble(_ job: JobID, _ run: RunID, _ plan: Digest, _ missing: TaskSet) {
        let work = parts.outputs.workFolder()
        do {
            let known = try contents.plan(plan, of: job)
            let signal = stopSignal(of: job)
            let holes = missing.tasks.map { ($0.index, "the task was given up") }
            let files = try JobAssembler(job: known.engine, store: parts.store, limits: parts.limits).run(
                into: work, givenUp: Dictionary(uniqueKeysWithValues: holes), stop: { signal.isSet })
            let digest = try parts.outputs.publish(files, from: work)
            answer(.assembled(job, run, outputs: Digest(digest)))
        } catch let lost as MissingBlobs {
            for task in lost.tasks { answer(.lostBlob(job, plan: plan, TaskID(task))) }
            answer(.assemblyFailed(job, run, reason: "\(lost)"))
        } catch is JobCancelled {
            parts.logger.info("assembly of job \(job) was stopped")
        } catch {
            // The job waits for room, here or elsewhere, and fails of nothing else.
            if !RoomWatch.isEnough(parts.outputs.folder) { parts.room.lost("\(error)") }
            answer(.assemblyFailed(job, run, reason: "\(error)"))
        }
        remove(work)
    }

    /// Copies outputs and their manifest from the node that assembled them, and tells the protocol.
    func copyOutputs(_ digest: Digest, _ job: JobID, from node: NodeID) {
        // A copy that failed is asked for again by the coordinator, or of another node.
        if storeOutputs(digest, job, from: node) { answer(.outputsStored(job, outputs: digest)) }
    }

    /// The same for a user of this node, who wants to read them here.
    func fetchOutputs(
        _ digest: Digest, of job: JobID, from node: NodeID, done: @escaping @Sendable () -> Void
    ) {
        transfers.add {
            _ = self.storeOutputs(digest, job, from: node)
            done()
        }
    }

    /// - Returns: whether the outputs are on this node's disk now.
    private func storeOutputs(_ digest: Digest, _ job: JobID, from node: NodeID) -> Bool {
        if parts.outputs.manifest(digest.hash) != nil { return true }
        let work = parts.outputs.workFolder()
        defer { remove(work) }
        do {
            let text = try parts.peers.bytes(.manifest(digest), from: node, limit: 16 << 20)
            let manifest = try JSONDecoder().decode(OutputManifest.self, from: Data(text))
            guard manifest.isSound, manifest.digest == digest.hash else {
                throw RuntimeError("node \(node) sent another manifest than the one asked for")
            }
            try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
            for file in manifest.files { try copy(file, from: node, to: "\(work)/\(file.name)") }
            _ = try parts.outputs.publish(manifest.files, from: work)
            return true
        } catch {
            parts.logger.warning("cannot copy the outputs of job \(job) from node \(node): \(error)")
            return false
        }
    }

    private func copy(_ file: JobAssembler.File, from node: NodeID, to path: String) throws {
        guard let hash = ContentHash(hexadecimal: file.digest) else {
            throw RuntimeError("output \(file.name) has no digest")
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw RuntimeError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        let hasher = ContentHasher()
        try parts.peers.copy(.output(Digest(hash)), from: node, limit: file.bytes) { piece in
            hasher.update(piece)
            var done = 0
            while done < piece.count {
                let count = write(descriptor, piece.baseAddress! + done, piece.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    throw RuntimeError("cannot write \(path): \(String(cString: strerror(errno)))")
                }
                done += count
            }
        }
        guard hasher.finish() == hash else {
            throw RuntimeError("output \(file.name) from node \(node) does not match its digest")
        }
        guard fsync(descriptor) == 0 else {
            throw RuntimeError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    private func remove(_ folder: String) {
        guard FileManager.default.fileExists(atPath: folder) else { return }
        do { try FileManager.default.removeItem(atPath: folder) } catch {
            parts.logger.warning("cannot remove \(folder): \(error.localizedDescription)")
        }
    }
}
