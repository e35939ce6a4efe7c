import Mosaic
import Raster

/// What, besides a plan, decides the bytes of a task: this program and the libraries that decode, warp and
/// compress for it. Part of every task's key, so that different builds never share results by mistake.
public enum EngineFingerprint {
    /// `arbutus 0.1.0, GDAL 3.6.2, PROJ 9.1.1, TIFF …, ISA-L 2.30.0`
    public static let text: String = {
        let libraries = LibraryVersions.loaded()
        return "arbutus \(ArbutusVersion.string), GDAL \(libraries.gdal), PROJ \(libraries.proj), "
            + "TIFF \(libraries.tiff ?? "unknown"), ISA-L \(libraries.isal)"
    }()
}
