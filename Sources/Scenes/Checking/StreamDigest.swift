import Foundation
import Raster

/// A checksum of bytes that come piece by piece.
protocol StreamDigest {
    /// Bytes that are worked on together.
    static var blockBytes: Int { get }

    /// Takes in whole blocks.
    mutating func take(_ blocks: UnsafeRawBufferPointer)

    /// Pads the bytes after the last whole block, fewer than a block, and gives the digest.
    ///
    /// - Parameter total: bytes in all.
    mutating func finish(_ rest: [UInt8], total: Int) -> [UInt8]
}

/// The checksums that ESA's manifests use.
public enum ChecksumKind: String, Sendable {
    case md5 = "MD5"
    case sha3 = "SHA3-256"

    /// nil for an algorithm that we cannot compute. Names are written in several ways: `MD5`, `SHA3-256`,
    /// `sha3_256`.
    init?(name: String) {
        switch name.uppercased().filter({ $0.isLetter || $0.isNumber }) {
        case "MD5": self = .md5
        case "SHA3256": self = .sha3
        default: return nil
        }
    }

    /// The checksum of a file in lower-case hexadecimal digits.
    ///
    /// - Throws: `RasterError` when the file cannot be read.
    public func ofFile(_ path: String) throws -> String {
        switch self {
        case .md5: try Self.hexadecimal(of: path, by: MD5())
        case .sha3: try Self.hexadecimal(of: path, by: SHA3())
        }
    }

    private static func hexadecimal<Digest: StreamDigest>(of path: String, by digest: Digest) throws -> String
    {
        var digest = digest
        var rest: [UInt8] = []
        var total = 0
        try VirtualFile.forEachPiece(of: path, bytes: 1 << 20) { piece in
            total += piece.count
            var piece = piece[...]
            if !rest.isEmpty {
                let wanted = min(Digest.blockBytes - rest.count, piece.count)
                rest += piece.prefix(wanted)
                piece = piece.dropFirst(wanted)
                guard rest.count == Digest.blockBytes else { return }
                rest.withUnsafeBytes { digest.take($0) }
                rest = []
            }
            let whole = piece.count - piece.count % Digest.blockBytes
            digest.take(UnsafeRawBufferPointer(rebasing: piece.prefix(whole)))
            rest = Array(piece.dropFirst(whole))
        }
        return digest.finish(rest, total: total).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
