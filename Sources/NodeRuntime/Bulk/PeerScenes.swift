import Cluster
import Raster
import Synchronization
import Transport
import Wire

/// Scene files on other nodes' disks, for GDAL: each question goes over the bulk link to the file's owner.
///
/// What a file is, is asked again after some seconds only: GDAL looks for side-car files by name each time
/// that it opens one. The bytes come with the version that was told, so a file that changed is noticed.
final class PeerScenes: PeerFileSource {
    private struct Place: Hashable {
        let node: NodeID
        let path: String
    }

    private struct Known {
        let status: PeerFileStatus?
        let until: ContinuousClock.Instant
    }

    /// Why an owner's file could not be read, lately.
    struct Trouble {
        let sentence: String
        /// Worth waiting for: the owner cannot be reached.
        let passes: Bool
        /// When the owner was asked last.
        let asked: ContinuousClock.Instant
        /// When somebody was told last.
        var told: ContinuousClock.Instant
    }

    private struct State {
        var known: [Place: Known] = [:]
        var troubles: [NodeID: Trouble] = [:]
    }

    /// What was told of a file is believed for so long.
    private static let memory = Duration.seconds(5)
    /// An owner that could not be reached is not asked again for so long: a task has many blocks, and each
    /// would wait for it anew.
    private static let rest = Duration.seconds(2)
    private static let mostKnown = 8192

    private let own: NodeID
    private let roots: SceneRoots
    private let peers: any PeerFiles
    private let state = Mutex(State())

    /// - Parameter roots: this node's own, for paths that name itself.
    init(own: NodeID, roots: SceneRoots, peers: any PeerFiles) {
        (self.own, self.roots, self.peers) = (own, roots, peers)
    }

    /// What went wrong with one of these nodes since `start`, in its own words rather than in GDAL's.
    func trouble(with nodes: Set<NodeID>, since start: ContinuousClock.Instant) -> Trouble? {
        state.withLock { state in
            nodes.sorted().compactMap { state.troubles[$0] }.first { $0.told >= start }
        }
    }

    // MARK: GDAL's questions

    func status(node: String, path: String) throws -> PeerFileStatus? {
        let place = Place(node: try owner(node), path: path)
        let now = ContinuousClock.now
        if let known = state.withLock({ $0.known[place] }), known.until > now { return known.status }
        let status = try ask(.sceneStatus(path: path), place) { reply in
            if case .status(let status) = reply { PeerFileStatus(status) } else { nil }
        }
        state.withLock { state in
            if state.known.count >= Self.mostKnown {
                state.known = state.known.filter { $0.value.until > now }
            }
            if state.known.count >= Self.mostKnown { state.known = [:] }
            state.known[place] = Known(status: status, until: now + Self.memory)
        }
        return status
    }

    func read(node: String, path: String, version: UInt64, offset: Int, count: Int) throws -> [UInt8] {
        let place = Place(node: try owner(node), path: path)
        guard place.node != own else {
            return try roots.read(path, version: version, offset: offset, count: count)
        }
        return try reaching(place) {
            try peers.bytes(
                .sceneRange(path: path, version: version, offset: offset, count: count), from: place.node,
                limit: count)
        }
    }

    func list(node: String, path: String) throws -> [String] {
        let place = Place(node: try owner(node), path: path)
        let names = try ask(.sceneFolder(path: path), place) { reply in
            if case .folder(let entries, _) = reply { entries.map(\.name) } else { nil }
        }
        guard let names else {
            throw RuntimeError("node \(node) has no folder \(path) below its scene_roots; check the path")
        }
        return names
    }

    private func owner(_ text: String) throws -> NodeID {
        guard let id = NodeID(text) else {
            throw RuntimeError(
                "'\(text)' is no node's id; name a node as arbutus members does, with 16 digits")
        }
        return id
    }

    /// - Parameter pick: takes what the answer should be; nil: the owner does not have it.
    private func ask<T>(_ request: BulkRequest, _ place: Place, pick: (BulkReply) -> T?) throws -> T? {
        let reply = try reaching(place) {
            guard place.node == own else { return try peers.reply(request, from: place.node) }
            do throws(SceneRefusal) {
                return try LocalItems.answer(request, roots)
            } catch {
                return LocalItems.reply(error)
            }
        }
        switch reply {
        case .absent: return nil
        case .refused(let reason): throw RuntimeError(reason)
        default:
            guard let picked = pick(reply) else {
                throw BulkFailure.refused(place.node, "it answers another question")
            }
            return picked
        }
    }

    /// Runs a question, and remembers when the owner cannot be reached.
    private func reaching<T>(_ place: Place, _ body: () throws -> T) throws -> T {
        let now = ContinuousClock.now
        let resting = state.withLock { state in
            guard let trouble = state.troubles[place.node], trouble.passes,
                now - trouble.asked < Self.rest
            else {
                return String?.none
            }
            state.troubles[place.node]?.told = now
            return trouble.sentence
        }
        if let resting { throw RuntimeError(resting) }
        let what = "cannot read \(place.path) of node \(place.node)"
        do {
            let result = try body()
            state.withLock { if $0.troubles[place.node]?.passes == true { $0.troubles[place.node] = nil } }
            return result
        } catch BulkFailure.unreachable {
            throw note(
                "\(what): the node cannot be reached; start it again, or wait until it is back", place,
                passes: true)
        } catch BulkFailure.absent {
            throw note(
                "\(what): it is not below its scene_roots any more; restore the file, or add its folder to "
                    + "work.scene_roots there", place, passes: false)
        } catch BulkFailure.refused(_, let reason) {
            throw note("\(what): \(reason)", place, passes: false)
        }
    }

    private func note(_ sentence: String, _ place: Place, passes: Bool) -> RuntimeError {
        state.withLock { state in
            let now = ContinuousClock.now
            state.troubles[place.node] = Trouble(sentence: sentence, passes: passes, asked: now, told: now)
            state.known = state.known.filter { $0.key.node != place.node }
        }
        return RuntimeError(sentence)
    }
}

extension PeerFileStatus {
    init(_ status: SceneStatus) {
        self.init(
            size: status.size, modified: Int(status.modified / 1_000_000_000), isFolder: status.isFolder,
            version: status.version)
    }
}

extension NodeID {
    /// Reads sixteen hexadecimal digits; nil for anything else.
    public init?(_ text: String) {
        guard text.utf8.count == 16, text.allSatisfy({ $0.isASCII && $0.isHexDigit }),
            let short = UInt64(text, radix: 16)
        else { return nil }
        self.init(short: short)
    }
}
