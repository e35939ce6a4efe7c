import Mosaic
import Raster
import TileStore

/// What, besides a plan, decides the bytes of a task: this program, the libraries that decode and warp for
/// it, and the processor. Part of every task's key, so that different engines never share
/// results by mistake (PROTOCOL.md, section 3).
public struct EngineFingerprint: Sendable {
    /// `arbutus 0.1.0, GDAL 3.6.2, PROJ 9.1.1, TIFF …, ISA-L 2.30.0, self-test 0123456789abcdef`
    public let text: String

    /// Renders the self-test, which takes some milliseconds.
    ///
    /// - Throws: `RasterError` when the engine cannot render it.
    public init() throws {
        let libraries = LibraryVersions.loaded()
        let proof = ContentHash(of: try SelfTest.blob()).description.prefix(16)
        text =
            "arbutus \(ArbutusVersion.string), GDAL \(libraries.gdal), PROJ \(libraries.proj), "
            + "TIFF \(libraries.tiff ?? "unknown"), ISA-L \(libraries.isal), self-test \(proof)"
    }
}
