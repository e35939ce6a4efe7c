import CKernels
import Foundation

/// A file being written through a descriptor that someone else opened and will close. Every failure is a
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
        var done = 0
        while done < bytes.count {
            let rest = bytes.count - done
            let written = pwrite(descriptor, bytes.baseAddress! + done, rest, off_t(offset + done))
            if written < 0 {
                if errno == EINTR { continue }
                throw failure(errno)
            }
            done += written
        }
    }

    /// Copies `length` bytes at `offset` of `source` to `target` of this file, inside the kernel where it
    /// can.
    ///
    /// - Throws: `RasterError` when the source is too short or cannot be read, or this file cannot be
    ///   written.
    func copy(_ length: Int, from source: Int32, at offset: Int, to target: Int) throws {
        var done = 0
        while done < length {
            let moved = arb_copy_file_range(
                source, Int64(offset + done), descriptor, Int64(target + done), length - done)
            if moved > 0 {
                done += Int(moved)
            } else if moved < 0 && errno == EINTR {
                continue
            } else if moved < 0 && ![EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EBADF, ETXTBSY].contains(errno) {
                throw failure(errno)
            } else {
                // Another file system, an old kernel, or the source's end, which the reading copy reports.
                return try copyByReading(length - done, from: source, at: offset + done, to: target + done)
            }
        }
    }

    private func copyByReading(_ length: Int, from source: Int32, at offset: Int, to target: Int) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(length, 1 << 20), alignment: 4096)
        defer { buffer.deallocate() }
        var done = 0
        while done < length {
            let wanted = min(buffer.count, length - done)
            let found = pread(source, buffer.baseAddress!, wanted, off_t(offset + done))
            if found < 0 && errno == EINTR { continue }
            guard found > 0 else {
                let reason = found < 0 ? Self.words(errno) : "\(length - done) bytes are missing at its end"
                throw RasterError(
                    "cannot assemble \(path): a block cannot be read back: \(reason); run the job again")
            }
            try write(UnsafeRawBufferPointer(rebasing: buffer[..<found]), at: target + done)
            done += found
        }
    }

    /// Tells the kernel to begin writing a range to the disk now, so that the final fsync finds little left.
    /// Only a hint: where the file system does not know it, nothing is lost.
    func startWriteBack(from offset: Int, length: Int) {
        arb_start_write_back(descriptor, Int64(offset), Int64(length))
    }

    private func failure(_ code: Int32) -> RasterError {
        let remedy =
            switch code {
            case ENOSPC, EDQUOT: "free some space, or choose another folder with --out"
            case EFBIG: "choose a folder on a file system that holds larger files"
            default: "check the disk, or choose another folder with --out"
            }
        return RasterError("cannot write \(path): \(Self.words(code)); \(remedy)")
    }

    private static func words(_ code: Int32) -> String { String(cString: strerror(code)) }
}
