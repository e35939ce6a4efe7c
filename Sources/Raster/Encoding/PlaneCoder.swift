import Foundation
import Mosaic

/// Packs planes of reasons and scenes, which are mostly one value: a constant, or a zlib stream. One thread
/// at a time.
public final class PlaneCoder {
    private let deflater = Deflater(for: .zlibStream)
    private let inflater = Inflater()

    public init() {}

    /// Appends `count` values to `sink` unless they are all the same.
    func encode<Value: FixedWidthInteger & UnsignedInteger>(
        _ plane: UnsafePointer<Value>, count: Int, to sink: ByteSink
    ) -> Blob.Plane {
        let size = MemoryLayout<Value>.size
        let bytes = UnsafeRawBufferPointer(start: plane, count: count * size)
        if memcmp(bytes.baseAddress!, bytes.baseAddress! + size, bytes.count - size) == 0 {
            return .constant(UInt16(plane[0]))
        }
        let offset = sink.count
        return .compressed(
            Blob.Part(offset: offset, length: deflater.compress(bytes, valueBytes: size, into: sink)))
    }

    /// Adds the number of pixels of each reason.
    func count(_ reasons: UnsafePointer<UInt8>, count: Int, into counts: inout ReasonCounts) {
        if memcmp(reasons, reasons + 1, count - 1) == 0 {
            counts.counts[Int(reasons[0])] += count
            return
        }
        for pixel in 0..<count { counts.counts[Int(reasons[pixel])] += 1 }
    }

    /// Turns a plane back into `target.count` values.
    ///
    /// - Parameter bytes: what `.compressed` points at; unused for a constant.
    /// - Throws: `InflateError` when the stream is damaged.
    public func decode<Value: FixedWidthInteger & UnsignedInteger>(
        _ plane: Blob.Plane, _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Value>
    ) throws {
        switch plane {
        case .constant(let value): target.update(repeating: Value(truncatingIfNeeded: value))
        case .compressed: try inflater.inflate(bytes, into: UnsafeMutableRawBufferPointer(target))
        }
    }
}
