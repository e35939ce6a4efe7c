import Mosaic
import Raster

/// On whose disks the files lie that a request names by path. A node that plans a job for others needs it:
/// the same path is another file, or none, on another machine.
public struct SceneOwners: Equatable, Sendable {
    /// Ids of nodes, as they stand in `/vsipeer/` paths, by the address in the request; an address that is
    /// missing here is read as it stands.
    public var nodes: [String: String]

    public init(_ nodes: [String: String] = [:]) { self.nodes = nodes }

    /// The addresses of a request that are paths on a disk (scenes, and the clip), with the file or folder
    /// that must be there. Addresses that already say the node (`/vsipeer/…`) are not among them.
    ///
    /// - Throws: `SceneError` for an address that is none, and for a relative path, which no two nodes
    ///   understand alike.
    public static func paths(of request: MosaicRequest) throws -> [(address: String, file: String)] {
        try (request.scenes + (request.clip.map { [$0] } ?? [])).compactMap { address in
            let path = try SourceAddress.virtualPath(address)
            guard PeerAddress.isOnDisk(path), PeerAddress.split(path) == nil else { return nil }
            guard let file = PeerAddress.file(path) else {
                throw SceneError(
                    "cannot read \(address.quoted) in a cluster: it is a relative path, which each node "
                        + "would look for in another folder; give the whole path")
            }
            return (address, file)
        }
    }

    /// The request with addresses as a node reaches them that does not have the files.
    ///
    /// - Throws: `SceneError` for an address that is none.
    public func reaching(_ request: MosaicRequest) throws -> MosaicRequest {
        var reached = request
        reached.scenes = try request.scenes.map(form)
        reached.clip = try request.clip.map(form)
        return reached
    }

    private func form(_ address: String) throws -> String {
        guard let node = nodes[address] else { return address }
        return PeerAddress.reaching(try SourceAddress.virtualPath(address), on: node) ?? address
    }
}

extension MosaicPlan {
    /// The plan with plain paths, whatever node found the files: what keys and outputs are made of
    /// (ARCHITECTURE.md, "Source identity").
    ///
    /// - Parameter own: the planning node's id.
    /// - Returns: the plan, and the owner of each file on a disk by its plain path.
    /// - Throws: `SceneError` when one path is two files, on two nodes.
    public func plain(own: String) throws -> (plan: MosaicPlan, owners: [String: String]) {
        var plan = self
        var owners: [String: String] = [:]
        func settled(_ band: Band) throws -> Band {
            let address = band.file.address
            guard PeerAddress.isOnDisk(address) else { return band }
            let (node, plain) = PeerAddress.split(address) ?? (own, address)
            if let other = owners.updateValue(node, forKey: plain), other != node {
                throw SceneError(
                    "cannot use \(plain.onOneLine): scenes of this job mean the file of node \(node) and "
                        + "the one of node \(other); give one of them another path")
            }
            var band = band
            band.file.address = plain
            return band
        }
        for number in plan.scenes.indices {
            for name in plan.scenes[number].bands.keys.sorted() {
                plan.scenes[number].bands[name] = try plan.scenes[number].bands[name].map(settled)
            }
            plan.scenes[number].classification = try plan.scenes[number].classification.map(settled)
        }
        for number in plan.scenes.indices {
            plan.scenes[number].warnings = plan.scenes[number].warnings.map {
                $0.replacing(/\/vsipeer\/[0-9a-f]+(@[0-9]+)?/, with: "")
            }
        }
        return (plan, owners)
    }
}
