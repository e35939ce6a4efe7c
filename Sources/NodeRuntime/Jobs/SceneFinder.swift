import Cluster
import Engine
import Foundation
import Logging
import Mosaic
import Raster
import Scenes
import Transport
import Wire

/// Finds out on whose disk a job's scene files lie, and how this node reads them: from its own disk where it
/// has the same file, over the sealed link where it has not (PROTOCOL.md, section 6).
struct SceneFinder: Sendable {
    let own: NodeID
    let roots: SceneRoots
    /// Whether this node looks for a path on its own disk.
    let sees: @Sendable (String) -> Bool
    let peers: any PeerFiles
    /// The members that are alive.
    let members: @Sendable () -> [NodeID]
    /// Where files of other nodes are read.
    let files: PeerScenes
    /// The number under which GDAL knows `files`.
    let source: UInt64

    // MARK: Planning

    /// The nodes that have what a request names and this node has not. May wait for the network.
    ///
    /// - Throws: a sentence when no node has a file, or an address is none.
    func owners(of request: MosaicRequest) throws -> SceneOwners {
        var owners = SceneOwners()
        var candidates: [NodeID]?
        for (address, file) in try SceneOwners.paths(of: request) {
            var facts = stat()
            if sees(file), stat(file, &facts) == 0 { continue }
            let asked = candidates ?? members().sorted()
            let owner = try owner(of: file, among: asked)
            owners.nodes[address] = "\(owner)@\(source)"
            // Scenes of one job mostly lie on one disk: its node is asked first for the next.
            candidates = [owner] + asked.filter { $0 != owner }
        }
        return owners
    }

    private func owner(of file: String, among members: [NodeID]) throws -> NodeID {
        var silent: [NodeID] = []
        for member in members {
            do {
                if case .status = try peers.reply(.sceneStatus(path: file), from: member) { return member }
            } catch is BulkFailure {
                silent.append(member)
            }
        }
        let others =
            members.isEmpty
            ? "and no other node is alive"
            : "and none of the \(members.count) other nodes has it below its scene_roots"
        let hint =
            silent.isEmpty ? "" : " (\(silent.map(\.description).joined(separator: ", ")) did not answer)"
        throw RuntimeError(
            "cannot read \(file): it is not on node \(own), \(others)\(hint); check the path, or add its "
                + "folder to work.scene_roots of the node that has it")
    }

    /// Says in the log which of our own files the others may not read.
    func warnOfUnshared(_ owners: [String: String], logger: Logger) {
        let own = "\(own)"
        let ours = owners.filter { $0.value == own }.keys.sorted().compactMap(PeerAddress.file)
        let unshared = ours.filter { path in
            if case .success = Result(catching: { try roots.status(path) }) { false } else { true }
        }
        guard let first = unshared.first, !members().isEmpty else { return }
        logger.warning(
            """
            \(unshared.count) scene files are below none of this node's scene_roots, \(first) first: other \
            nodes can help with the job only where they have the same files; add the folder to \
            work.scene_roots
            """)
    }

    // MARK: Rendering

    /// The address at which this node reads a file of a plan.
    ///
    /// - Parameter owner: the node on whose disk it lies; nil: the address means the same everywhere.
    func address(of file: SourceFile, owner: NodeID?) -> String {
        guard let owner, owner != own, let path = PeerAddress.file(file.address) else { return file.address }
        if sees(path), let here = VirtualFile.status(file.address), here.size == file.size,
            String(here.modified) == file.version
        {
            return file.address
        }
        return PeerAddress.reaching(file.address, on: "\(owner)@\(source)") ?? file.address
    }

    /// A sentence without the number that means something in this process only.
    func plain(_ sentence: String) -> String { sentence.replacing("@\(source)/", with: "/") }
}
