import Foundation

/// A file being written through a descriptor that someone else opened. Every failure is a
/// sentence with the path and the system's reason.
public struct OutputFile: Sendable {
    /// What messages call the file: the output's own name, not that of its temporary form.
    public let path: String
    public let descriptor: Int32

    /// Wraps an open, seekable descriptor with write permission; offsets count from the file's start.
    public init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// - Throws: `RasterError` (disk full, quota, I/O error).
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        let code = put(bytes, at: offset)
        if code != 0 { throw failure(code) }
    }

    /// As `write`.
    ///
    /// - Returns: 0, or the system's reason.
    func put(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int32 {
        var done = 0
        while done < bytes.count {
            let rest = bytes.count - done
            let written = pwrite(descriptor, bytes.baseAddress! + done, rest, off_t(offset + done))
            if written < 0 && errno == EINTR { continue }
            guard written >= 0 else { return errno }
            done += written
        }
        return 0
    }

    /// The sentence for a write that failed.
    func failure(_ code: Int32) -> RasterError {
        let remedy =
            switch code {
            case ENOSPC, EDQUOT: "free some space, or choose another folder with --out"
            case EFBIG: "choose a folder on a file system that holds larger files"
            default: "check the disk, or choose another folder with --out"
            }
        return RasterError("cannot write \(path): \(Self.words(code)); \(remedy)")
    }

    static func words(_ code: Int32) -> String { String(cString: strerror(code)) }
}
