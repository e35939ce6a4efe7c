import Foundation
import Testing

@testable import Raster

@Suite struct OutputWriterTests {
    private let buffer = 1 << 19

    /// Bytes that tell their place.
    private func content(_ count: Int) -> [UInt8] {
        var numbers = TestNumbers(state: UInt64(count))
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
    }

    private func writer(
        _ path: String, bypassingCache: Bool, observe: @escaping (UnsafeRawBufferPointer) -> Void = { _ in }
    ) throws -> OutputWriter {
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o644)
        try #require(descriptor >= 0)
        return OutputWriter(
            OutputFile(descriptor: descriptor, path: path), bypassingCache: bypassingCache, observe: observe)
    }

    /// Around a disk's block and a buffer, past the cache and through it, on a disk and in memory.
    @Test(arguments: [false, true], ["", "/dev/shm"])
    func whatIsAppendedIsWhatIsThere(bypassingCache: Bool, place: String) throws {
        let folder = try TestFolder()
        let path = place.isEmpty ? folder.path + "/out" : "\(place)/arbutus-test-\(UUID().uuidString)"
        defer { unlink(path) }
        for count in [
            0, 1, 4095, 4096, 4097, buffer - 1, buffer, buffer + 1, 3 * buffer + 4096, 5 * buffer + 7,
        ] {
            let bytes = content(count)
            var seen: [UInt8] = []
            let output = try writer(path, bypassingCache: bypassingCache) { seen += $0 }
            var numbers = TestNumbers(state: UInt64(count + 1))
            var done = 0
            while done < count {
                let length = min(count - done, Int(numbers.next() % 900_000) + 1)
                try bytes[done..<done + length].withUnsafeBytes { try output.append($0) }
                done += length
            }
            #expect(output.byteCount == count)
            try output.finish()
            #expect(seen == bytes)
            #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == bytes)
        }
    }

    @Test func partsOfOtherFilesAreCopied() throws {
        let folder = try TestFolder()
        let bytes = content(2 * buffer + 5000)
        try folder.write("source") { source in
            try bytes.withUnsafeBytes { try source.write($0, at: 0) }
            var seen: [UInt8] = []
            let output = try writer(folder.path + "/out", bypassingCache: true) { seen += $0 }
            try output.append(bytes.count - 100, from: source.descriptor, at: 100)
            try output.append(100, from: source.descriptor, at: 0)
            try output.finish()
            #expect(seen == Array(bytes[100...]) + Array(bytes[..<100]))
            #expect(try Array(Data(contentsOf: folder.file("out"))) == seen)
        }
    }

    /// The failure of a write that was under way comes out at a later call, and the writer can be dropped.
    @Test func aWriteThatFailsIsToldLater() throws {
        let output = try writer("/dev/full", bypassingCache: false)
        let bytes = content(buffer)
        let error = #expect(throws: RasterError.self) {
            for _ in 0..<3 { try bytes.withUnsafeBytes { try output.append($0) } }
            try output.finish()
        }
        #expect(error?.description.contains("cannot write /dev/full: No space left on device") == true)
        #expect(throws: RasterError.self) { try output.finish() }
    }
}
