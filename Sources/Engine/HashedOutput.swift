import Raster
import TileStore

/// A finished file's facts.
struct WrittenFile: Sendable {
    var name: String
    var bytes: Int
    var digest: ContentHash
}

/// An output on its way: hashed while it is written, so that each byte is touched once (PLATFORM.md).
/// One thread at a time; that contract is what `@unchecked` stands for.
final class HashedOutput: @unchecked Sendable {
    let writer: OutputWriter
    private let name: String
    private let hasher = ContentHasher()

    /// - Parameter file: empty; its descriptor becomes the output's.
    init(_ file: OutputFile, name: String, bypassingCache: Bool) {
        self.name = name
        writer = OutputWriter(file, bypassingCache: bypassingCache) { [hasher] in hasher.update($0) }
    }

    /// Brings what was written to the disk.
    ///
    /// - Throws: `RasterError` when the disk is full or fails.
    func seal() throws -> WrittenFile {
        try writer.finish()
        return WrittenFile(name: name, bytes: writer.byteCount, digest: hasher.finish())
    }
}
