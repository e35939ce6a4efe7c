import Raster

/// Descriptions of rasters, each opened once.
final class RasterFiles {
    private var known: [String: RasterInfo] = [:]

    /// - Throws: `SceneError` when a local file is missing, `RasterError` when it is no raster that can be
    ///   used.
    func info(_ path: String) throws -> RasterInfo {
        if let info = known[path] { return info }
        // GDAL takes strange names for orders ("<VRTDataset>", "WMS:"); only what is a file reaches it.
        guard !SourceAddress.isLocal(path) || VirtualFile.status(path)?.isFolder == false else {
            throw SceneError(
                "cannot read \(path.onOneLine): no such file; check the path, or drop the scene from the job")
        }
        let info = try Dataset(opening: path).describe()
        known[path] = info
        return info
    }
}
