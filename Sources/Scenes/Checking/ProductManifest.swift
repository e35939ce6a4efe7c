import Mosaic
import Raster

/// A product's `manifest.safe`: size and checksum of each of its files, as the producer wrote them.
///
/// It is the only witness of damage inside a JPEG 2000 file: a file that was cut ends in an error when it is
/// read, one with changed bytes decodes without any to wrong pixels (PLATFORM.md).
public struct ProductManifest {
    private struct Entry {
        var size: Int?
        var checksum: (name: String, digits: String)?
    }

    /// What could be said about a file.
    public enum Verdict: Hashable, Sendable {
        /// Size and checksum are those of the manifest.
        case sound
        /// Nothing to compare with; why.
        case unknown(String)
    }

    private let path: String
    private let folder: String
    private let entries: [String: Entry]

    /// The manifest of the product that a band file belongs to: the nearest one in the folders above the
    /// file.
    ///
    /// - Returns: nil for a file outside a product.
    /// - Throws: `RasterError` when the manifest cannot be read or is no XML.
    public init?(around file: String) throws {
        var folder = file
        for _ in 0..<6 {
            guard folder.contains("/") else { return nil }
            folder = SourceAddress.folder(of: folder)
            let path = SourceAddress.join(folder, "manifest.safe")
            guard VirtualFile.status(path)?.isFolder == false else { continue }
            self.folder = folder
            self.path = path
            entries = try Self.entries(MetadataElement(reading: path))
            return
        }
        return nil
    }

    /// The `byteStream` elements by the file that they name, relative to the product.
    private static func entries(_ root: MetadataElement) -> [String: Entry] {
        var entries: [String: Entry] = [:]
        for stream in root.all("byteStream") {
            guard var name = stream.first("fileLocation")?.attributes["href"] else { continue }
            if name.hasPrefix("./") { name.removeFirst(2) }
            let sum = stream.first("checksum")
            entries[name] = Entry(
                size: stream.attributes["size"].flatMap(Int.init),
                checksum: sum.map { ($0.attributes["checksumName"] ?? "", $0.text.lowercased()) })
        }
        return entries
    }

    /// Compares a file of the product with what the manifest says of it. Reads the whole file.
    ///
    /// - Throws: `SceneError` with the file's name when it differs; `RasterError` when it cannot be read.
    public func verify(_ file: String) throws -> Verdict {
        let name = String(file.dropFirst(folder.count)).drop { $0 == "/" }
        guard let entry = entries[String(name)] else { return .unknown("\(path.onOneLine) does not list it") }
        if let size = entry.size, let found = VirtualFile.status(file)?.size, found != size {
            throw damaged(file, "it has \(found) bytes, and its product's manifest.safe says \(size)")
        }
        guard let (algorithm, digits) = entry.checksum else {
            return .unknown("\(path.onOneLine) has no checksum of it")
        }
        guard let kind = ChecksumKind(name: algorithm) else {
            return .unknown("its checksum in \(path.onOneLine) is of the unknown kind \(algorithm.quoted)")
        }
        let found = try kind.ofFile(file)
        guard found == digits else {
            throw damaged(
                file,
                "its \(kind.rawValue) is \(found), and its product's manifest.safe says \(digits.onOneLine)")
        }
        return .sound
    }

    private func damaged(_ file: String, _ reason: String) -> SceneError {
        SceneError(
            "\(file.onOneLine) is damaged: \(reason); download the product again, or drop the scene "
                + "from the job"
        )
    }
}
