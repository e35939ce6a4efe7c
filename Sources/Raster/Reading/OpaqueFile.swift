import CGDAL
import Foundation

/// A file read by position through GDAL's virtual file systems; used by one thread at a time.
final class OpaqueFile {
    private let handle: UnsafeMutablePointer<VSILFILE>

    /// nil when the file cannot be opened.
    init?(opening address: String) {
        guard let handle = VSIFOpenL(address, "rb") else { return nil }
        self.handle = handle
    }

    deinit { VSIFCloseL(handle) }

    /// Reads exactly `count` bytes; false when the file ends before.
    func read(into target: UnsafeMutableRawPointer, at offset: Int, count: Int) -> Bool {
        VSIFSeekL(handle, vsi_l_offset(offset), SEEK_SET) == 0 && VSIFReadL(target, 1, count, handle) == count
    }

    /// Whether the file begins with the little-endian TIFF signature `II`.
    var isLittleEndianTiff: Bool {
        var signature: (UInt8, UInt8) = (0, 0)
        return withUnsafeMutableBytes(of: &signature) { read(into: $0.baseAddress!, at: 0, count: 2) }
            && signature == (0x49, 0x49)
    }
}
