import Foundation
import Mosaic
import Raster

/// Turns the addresses of a request into scenes: SAFE products (folder or zip), folders of band files, STAC
/// items on disk, and single rasters, by path or GDAL virtual path.
///
/// Nothing of a band but its header is read. A resolver is used by one thread.
public struct SceneResolver {
    private let request: MosaicRequest
    private let needed: Set<String>?

    /// - Parameter needed: common names of the bands that the job reads; others are not opened. nil opens all
    ///   that lie on this machine's disks (all, when none does).
    public init(request: MosaicRequest, needed: Set<String>? = nil) {
        self.request = request
        self.needed = needed
    }

    /// The scenes in the order of the request, without those that a newer processing replaces.
    ///
    /// - Parameter checkingRadiometry: compare what metadata say of offsets with a coarse sample of red and
    ///   green (RASTER.md, Guard), also where the job itself reads neither.
    /// - Throws: `SceneError` or `RasterError`, a sentence with the address, the reason and the remedy.
    public func resolve(checkingRadiometry: Bool = false) throws -> [Scene] {
        guard !request.scenes.isEmpty else {
            throw SceneError("the job has no scenes; give at least one with --scene PATH")
        }
        try refuseTwins()
        let files = RasterFiles()
        let drafts = try request.scenes.flatMap { try Self.drafts($0, bands: request.bands, files: files) }
        let assembler = SceneAssembler(request: request, needed: needed, files: files)
        return try SceneDuplicates.dropped(drafts).map { draft in
            var scene = try assembler.assemble(draft)
            if checkingRadiometry { try RadiometryGuard.check(assembler.witness(of: &scene, draft)) }
            return scene
        }
    }

    /// One folder or file under two names would count twice in means and counts.
    ///
    /// - Throws: `SceneError` that names both.
    private func refuseTwins() throws {
        var known: [String: String] = [:]
        for address in request.scenes {
            let path = try SourceAddress.virtualPath(address)
            let isPeers = PeerAddress.split(path) != nil
            guard SourceAddress.isLocal(path), isPeers || !path.hasPrefix("/vsi") else { continue }
            let real = isPeers ? path : URL(filePath: path).resolvingSymlinksInPath().path
            if let other = known.updateValue(address, forKey: real) {
                throw SceneError(
                    "scenes \(other.quoted) and \(address.quoted) are the same; name it once")
            }
        }
    }

    /// What the names and metadata at one address tell.
    private static func drafts(_ address: String, bands: [String: Int], files: RasterFiles) throws
        -> [SceneDraft]
    {
        var path = try SourceAddress.virtualPath(address)
        if path.lowercased().hasSuffix(".zip") {
            path = path.hasPrefix("/vsizip/") ? path : "/vsizip/\(path)"
        }
        let status = VirtualFile.status(path)
        if status?.isFolder == true || path.hasPrefix("/vsizip/") && status == nil {
            let products = try SafeProduct.find(at: path, called: address)
            if !products.isEmpty { return try products.flatMap { try $0.drafts() } }
            return try FolderScenes.drafts(folder: path, called: address)
        }
        guard status != nil || !SourceAddress.isLocal(path) else {
            throw SceneError(
                "cannot read scene \(address.onOneLine): no such file or folder; check the path, or drop "
                    + "the scene from the job")
        }
        if status?.isSpecial == true { try VirtualFile.refuseSpecial(path) }
        if SafeProduct.isProductXML(SourceAddress.name(of: path)) {
            return try SafeProduct.find(at: path, called: address).flatMap { try $0.drafts() }
        }
        if try isJson(path) { return try ItemScenes.drafts(file: path, called: address) }
        return [try RasterScenes.draft(files.info(path), bands: bands, called: address)]
    }

    /// Whether a file is JSON: by its name, or, on this machine, by its first character.
    private static func isJson(_ path: String) throws -> Bool {
        let name = SourceAddress.name(of: path).lowercased()
        if name.hasSuffix(".json") || name.hasSuffix(".geojson") { return true }
        guard SourceAddress.isLocal(path) else { return false }
        let start = try VirtualFile.start(path, bytes: 64)
        return start.first { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: "{")
    }
}
