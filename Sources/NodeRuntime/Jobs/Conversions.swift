import Cluster
import Engine
import TileStore

// Only this module knows both the protocol's digests and the store's hashes: the same 32 bytes.

extension Digest {
    init(_ hash: ContentHash) {
        func word(_ number: Int) -> UInt64 {
            hash.bytes[number * 8..<number * 8 + 8].reduce(0) { $0 << 8 | UInt64($1) }
        }
        self.init(word(0), word(1), word(2), word(3))
    }

    /// Hashes bytes.
    init(of bytes: [UInt8]) { self.init(ContentHash(of: bytes)) }

    /// The 32 bytes.
    var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
        }
    }

    /// As the store names content.
    var hash: ContentHash { ContentHash(bytes: bytes) }
}

extension ClusterPlan {
    /// The plan as the protocol sees it.
    ///
    /// - Parameter digest: of the content's bytes.
    init(_ content: JobContent, digest: Digest) {
        let job = content.job
        let tasks = zip(job.keys, EngineTask.all(of: job)).map { key, estimate in
            PlannedTask(
                key: Digest(key), cost: estimate.cost, inputBytes: estimate.inputBytes,
                resultBytes: estimate.resultBytes, memory: estimate.memory)
        }
        self.init(
            digest: digest, fingerprint: Digest(of: Array(content.fingerprint.utf8)), tasks: tasks,
            inputHolders: Set(content.owners.values).sorted().map(NodeID.init(short:)))
    }
}
