import CKernels
import Foundation
import Synchronization

/// Writes a file from its first byte to its last, once: while one buffer goes to the disk the other is
/// filled, and every byte is shown to an observer (who hashes it) on its way.
///
/// Owns the file's descriptor and closes it at its own end. One thread at a time; that contract is what
/// `@unchecked` stands for.
public final class OutputWriter: @unchecked Sendable {
    /// Bytes appended so far.
    public private(set) var byteCount = 0

    private static let bufferBytes = 1 << 19
    /// What places, lengths and memory are a multiple of when a write goes past the system's cache (open(2),
    /// O_DIRECT): no disk has larger blocks.
    private static let blockBytes = 4096

    private let file: OutputFile
    private let observe: (UnsafeRawBufferPointer) -> Void
    private let buffers: [UnsafeMutableRawBufferPointer]
    /// The buffer at hand, and how far it is filled.
    private var current = 0
    private var filled = 0
    private let queue = DispatchQueue(label: "arbutus.output")
    /// Free while no buffer is on its way to the disk.
    private let way = DispatchSemaphore(value: 1)
    private let failure = Mutex<Int32>(0)
    /// Touched on the queue alone.
    private var bypassesCache: Bool

    /// - Parameters:
    ///   - file: empty, open for writing; its descriptor becomes the writer's.
    ///   - bypassingCache: write past the system's cache of files where the file system can: cheaper, and
    ///     whatever the file's size nothing else is driven from the cache; but who reads the file next waits
    ///     for the disk.
    ///   - observe: gets all bytes in their order, in pieces.
    public init(
        _ file: OutputFile, bypassingCache: Bool = false,
        observe: @escaping (UnsafeRawBufferPointer) -> Void = { _ in }
    ) {
        self.file = file
        self.observe = observe
        buffers = (0..<2).map { _ in .allocate(byteCount: Self.bufferBytes, alignment: Self.blockBytes) }
        bypassesCache = bypassingCache && arb_bypass_cache(file.descriptor, 1) == 0
    }

    deinit {
        close(file.descriptor)
        for buffer in buffers { buffer.deallocate() }
    }

    /// Appends `bytes`.
    ///
    /// - Throws: `RasterError` (disk full, quota, I/O error), perhaps only at a later call.
    public func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let piece = rest.prefix(Self.bufferBytes - filled)
            buffers[current][filled...].copyBytes(from: piece)
            try advance(by: piece.count)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
        }
    }

    /// Appends `length` bytes that stand at `offset` of `source`.
    ///
    /// - Throws: `RasterError` when the source is too short or cannot be read; as `append(_:)`.
    func append(_ length: Int, from source: Int32, at offset: Int) throws {
        var done = 0
        while done < length {
            let wanted = min(Self.bufferBytes - filled, length - done)
            let found = pread(source, buffers[current].baseAddress! + filled, wanted, off_t(offset + done))
            if found < 0 && errno == EINTR { continue }
            guard found > 0 else {
                let reason =
                    found < 0 ? OutputFile.words(errno) : "\(length - done) bytes are missing at its end"
                throw RasterError(
                    "cannot assemble \(file.path): a block cannot be read back: \(reason); run the job again")
            }
            try advance(by: found)
            done += found
        }
    }

    /// Brings all bytes to the disk. Nothing can be appended after it.
    ///
    /// - Throws: `RasterError`.
    public func finish() throws {
        if filled > 0 { try send() }
        way.wait()
        defer { way.signal() }
        try check()
        guard fsync(file.descriptor) == 0 else { throw file.failure(errno) }
    }

    private func advance(by count: Int) throws {
        filled += count
        byteCount += count
        if filled == Self.bufferBytes { try send() }
    }

    /// Sends the buffer at hand on its way as soon as the one before it has arrived, and takes up the other.
    private func send() throws {
        observe(UnsafeRawBufferPointer(rebasing: buffers[current][..<filled]))
        way.wait()
        do { try check() } catch {
            way.signal()
            throw error
        }
        let (number, length, place) = (current, filled, byteCount - filled)
        queue.async { [self] in
            let code = write(UnsafeRawBufferPointer(rebasing: buffers[number][..<length]), at: place)
            if code != 0 { failure.withLock { $0 = code } }
            way.signal()
        }
        current = 1 - current
        filled = 0
    }

    private func check() throws {
        let code = failure.withLock { $0 }
        if code != 0 { throw file.failure(code) }
    }

    /// - Returns: 0, or the system's reason.
    private func write(_ bytes: UnsafeRawBufferPointer, at place: Int) -> Int32 {
        if bytes.count % Self.blockBytes != 0 { useCache() }
        var code = file.put(bytes, at: place)
        if code == EINVAL && bypassesCache {
            // Some file systems take the flag and refuse the write.
            useCache()
            code = file.put(bytes, at: place)
        }
        // So that the file's end finds little left to be written.
        if code == 0 && !bypassesCache {
            arb_start_write_back(file.descriptor, Int64(place), Int64(bytes.count))
        }
        return code
    }

    private func useCache() {
        guard bypassesCache else { return }
        _ = arb_bypass_cache(file.descriptor, 0)
        bypassesCache = false
    }
}
