import Cluster
import Engine
import Foundation
import Mosaic
import TileStore
import Wire

// What the web API of any node asks: answered here, by the coordinator, or by a node that holds the outputs.

extension ClusterNode {
    /// What happened to a job after an event, from its coordinator.
    ///
    /// - Returns: nil when the coordinator knows no events of the job: it ended before its node started.
    /// - Throws: `BulkFailure` when the coordinator cannot be reached.
    public func events(of header: JobHeader, after id: LiveEventID) async throws -> LiveEvents? {
        let question = PeerQuestion.events(header.id, term: id.term, number: id.number)
        return try await ask(question, of: [header.term.node]).map {
            try JSONDecoder().decode(LiveEvents.self, from: Data($0))
        }
    }

    /// How each task of a job stands, from its coordinator; nil when nobody can tell any more.
    ///
    /// - Throws: `BulkFailure` when the coordinator cannot be reached.
    public func taskStates(of header: JobHeader) async throws -> TaskStates? {
        try await ask(.tasks(header.id), of: [header.term.node]).map {
            try JSONDecoder().decode(TaskStates.self, from: Data($0))
        }
    }

    /// The tasks that a partial job's outputs lack, by this node's record of the results; nil when the record
    /// is not whole, or the job not partial.
    public func missingTasks(of header: JobHeader) async -> TaskSet? {
        guard case .partial(let count, .some) = header.state.manifest else { return nil }
        return await look { node in
            guard let log = node.jobs?.done(of: header.id), log.plan == header.reign.plan,
                log.done.count == count
            else { return nil }
            return TaskSet(0, log.count).subtracting(log.done)
        }
    }

    /// Where the tasks of a job lie; nil while it has no plan.
    ///
    /// - Throws: a sentence when no node that has the plan can be reached.
    public func grid(of header: JobHeader) async throws -> JobGrid? {
        guard let digest = header.reign.plan else { return nil }
        let nodes = [header.term.node] + header.reign.keepers + header.outputHolders
        return try await blocking { [self] in
            if let known = grids.withLock({ $0[digest] }) { return known }
            let others = nodes.filter { $0 != id }
            let grid = try JobGrid(try shell.contents.plan(digest, of: header.id, from: others).engine.plan)
            grids.withLock { grids in
                if grids.count >= 32, let one = grids.keys.min() { grids[one] = nil }
                grids[digest] = grid
            }
            return grid
        }
    }

    /// A map tile as PNG, painted here or by a node that has the pixels; nil when none has them.
    ///
    /// - Parameter index: the place of the index in the job's plan.
    /// - Throws: a sentence when the pixels cannot be read.
    public func tile(_ tile: MapTileName, index: Int, of header: JobHeader) async throws -> [UInt8]? {
        let outputs = header.state.manifest.outputs
        let name = outputs.map { TileCache.Name(outputs: $0, index: index, tile: tile) }
        if let name, let found = answers.pictures.cache[name] { return found }
        let nodes = [id] + (outputs == nil ? [header.term.node] : header.outputHolders)
        let bytes = try await ask(.tile(header.id, index: index, tile), of: nodes)
        if let name, let bytes { answers.pictures.cache[name] = bytes }
        return bytes
    }

    /// What a mosaic shows at a place (degrees); nil when no reachable node has the pixels.
    ///
    /// - Throws: `PlaceOutside`; a sentence when the pixels cannot be read.
    public func point(
        longitude: Double, latitude: Double, of header: JobHeader
    ) async throws -> PointAnswer? {
        let isFinished = header.state.manifest.outputs != nil
        let nodes = [id] + (isFinished ? header.outputHolders : [header.term.node])
        let question = PeerQuestion.point(header.id, longitude: longitude, latitude: latitude)
        guard let bytes = try await ask(question, of: nodes) else { return nil }
        var answer = try JSONDecoder().decode(PointAnswer.self, from: Data(bytes))
        // Who made it is the coordinator's to say; without it the rest of the answer stands.
        if case .success(let states?) = await Result.of({ try await self.taskStates(of: header) }),
            let task = answer.task, states.tasks.indices.contains(task), states.tasks[task].node >= 0
        {
            answer.node = states.nodes[states.tasks[task].node]
        }
        return answer
    }

    /// What a node says of itself, and how long the answer took in seconds.
    ///
    /// - Throws: `BulkFailure` when it cannot be reached.
    public func facts(of node: NodeID) async throws -> (facts: NodeFacts, seconds: Double)? {
        let clock = ContinuousClock()
        let begin = clock.now
        guard let bytes = try await ask(.node, of: [node]) else { return nil }
        let took = (clock.now - begin) / .seconds(1)
        return (try JSONDecoder().decode(NodeFacts.self, from: Data(bytes)), took)
    }

    /// A small output of a finished job, such as its STAC item; nil when it has none of that name.
    ///
    /// - Throws: a sentence when no node that holds the outputs can be reached.
    public func smallOutput(_ name: String, of header: JobHeader) async throws -> [UInt8]? {
        guard let digest = header.state.manifest.outputs else { return nil }
        let holders = header.outputHolders.filter { $0 != id }
        return try await blocking { [shell, outputs] in
            try shell.smallOutput(name, digest, outputs, holders)
        }
    }

    /// The answer of the first of `nodes` that has one.
    ///
    /// - Throws: the last failure, when none has and one could not be asked.
    private func ask(_ question: PeerQuestion, of nodes: [NodeID]) async throws -> [UInt8]? {
        var order: [NodeID] = []
        for node in nodes where !order.contains(node) { order.append(node) }
        return try await blocking { [id, shell, answers, order] in
            var failure: (any Error)?
            for node in order {
                do {
                    if node == id {
                        if let bytes = try answers.answer(question) { return bytes }
                    } else {
                        return try shell.parts.peers.bytes(
                            .question(question), from: node, limit: Self.answerLimit)
                    }
                } catch BulkFailure.absent {
                    continue
                } catch let refusal as BulkFailure {
                    failure = refusal
                } catch {
                    throw error
                }
            }
            if let failure { throw failure }
            return nil
        }
    }

    /// Bytes of an answer at most: the states of a million tasks.
    private static let answerLimit = 256 << 20

    /// Runs what may block on a thread that may.
    func blocking<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            asking.add { continuation.resume(with: Result(catching: work)) }
        }
    }
}

extension Result where Failure == any Error {
    /// The outcome of an asynchronous call.
    static func of(_ work: () async throws -> Success) async -> Result {
        do { return .success(try await work()) } catch { return .failure(error) }
    }
}

extension JobShell {
    /// Reads a small output here, or copies it from a holder.
    func smallOutput(
        _ name: String, _ digest: Digest, _ outputs: OutputStore, _ holders: [NodeID]
    ) throws -> [UInt8]? {
        func find(_ manifest: OutputManifest) -> (hash: ContentHash, bytes: Int)? {
            manifest.files.first { $0.name == name }.flatMap { file in
                ContentHash(hexadecimal: file.digest).map { ($0, file.bytes) }
            }
        }
        if let manifest = outputs.manifest(digest.hash) {
            return find(manifest).flatMap { FileManager.default.contents(atPath: outputs.path(of: $0.hash)) }
                .map { Array($0) }
        }
        var failure: (any Error)?
        for holder in holders {
            do {
                let text = try parts.peers.bytes(.manifest(digest), from: holder, limit: 16 << 20)
                let manifest = try JSONDecoder().decode(OutputManifest.self, from: Data(text))
                guard manifest.isSound, manifest.digest == digest.hash, let file = find(manifest) else {
                    continue
                }
                let bytes = try parts.peers.bytes(
                    .output(Digest(file.hash)), from: holder, limit: min(file.bytes, 64 << 20))
                guard ContentHash(of: bytes) == file.hash else { continue }
                return bytes
            } catch let refusal as BulkFailure {
                failure = refusal
            }
        }
        if let failure { throw failure }
        return nil
    }
}
