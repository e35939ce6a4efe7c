import CGDAL
import CKernels
import Foundation
import Mosaic

/// The blocks of a tiled deflate GeoTIFF band, read as bytes from the file and inflated here.
///
/// Only for what is certain: compression exactly DEFLATE, predictor 1 or 2, little-endian, whole bytes a
/// sample, one band a block, not inside a compressed zip member (PLATFORM.md).
final class RawBlocks {
    private let address: String
    private let band: GDALRasterBandH
    private let file: OpaqueFile
    private let sampleBytes: Int
    private let hasPredictor: Bool
    private let width: Int
    private let height: Int

    /// nil when the file is not of that kind.
    init?(dataset: Dataset, band: GDALRasterBandH, sample: SampleType) {
        let handle = dataset.handle
        guard Self.driver(of: handle) == "GTiff", !Self.isInsideZip(dataset.address),
            Self.item("COMPRESSION", handle, "IMAGE_STRUCTURE") == "DEFLATE",
            dataset.bandCount == 1 || Self.item("INTERLEAVE", handle, "IMAGE_STRUCTURE") == "BAND",
            Self.item("NBITS", band, "IMAGE_STRUCTURE") == nil,
            let predictor = Int(Self.item("PREDICTOR", handle, "IMAGE_STRUCTURE") ?? "1"),
            (1...2).contains(predictor),
            predictor == 1 || (sample.isInteger && sample.bytes <= 4)
        else { return nil }
        var width: Int32 = 0
        var height: Int32 = 0
        GDALGetBlockSize(band, &width, &height)
        guard width >= 16, height >= 16, Int(width) * Int(height) <= 1 << 24 else { return nil }
        guard let file = OpaqueFile(opening: dataset.address), file.isLittleEndianTiff else { return nil }
        address = dataset.address
        self.band = band
        self.file = file
        sampleBytes = sample.bytes
        hasPredictor = predictor == 2
        (self.width, self.height) = (Int(width), Int(height))
    }

    /// Inflates a block into `target` and undoes its predictor.
    ///
    /// - Returns: compressed bytes read; 0 for a block that the file leaves out, which is all nodata.
    func decode(
        column: Int, row: Int, into target: UnsafeMutableRawBufferPointer, with tools: DecodingTools
    ) throws -> Int {
        let size = width * height * sampleBytes
        guard let offset = place("BLOCK_OFFSET", column, row), let length = place("BLOCK_SIZE", column, row),
            offset > 0, length > 0
        else {
            var none = 0.0
            var hasNone: Int32 = 0
            none = GDALGetRasterNoDataValue(band, &hasNone)
            fill(target, with: hasNone != 0 ? none : 0)
            return 0
        }
        guard length <= size * 2 + 65_536 else {
            throw failure(column, row, "its directory gives it \(length) bytes, more than a block can have")
        }
        let compressed = tools.compressed(atLeast: length)
        guard file.read(into: compressed.baseAddress!, at: offset, count: length) else {
            throw failure(column, row, "the file ends before byte \(offset + length)")
        }
        do {
            try tools.inflater.inflate(
                UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(compressed)[..<length]),
                into: UnsafeMutableRawBufferPointer(rebasing: target[..<size]))
        } catch {
            // The last strip of a file without tiles holds only the rows that there are.
            guard case InflateError.wrongLength(_, found: bytes(inRowsOf: row)) = error else {
                throw failure(column, row, "\(error)")
            }
        }
        if hasPredictor { undoPredictor(target) }
        return length
    }

    /// Bytes of the rows of block row `row` that lie inside the raster.
    private func bytes(inRowsOf row: Int) -> Int {
        min(height, Int(GDALGetRasterBandYSize(band)) - row * height) * width * sampleBytes
    }

    private func undoPredictor(_ target: UnsafeMutableRawBufferPointer) {
        guard let base = target.baseAddress else { return }
        switch sampleBytes {
        case 1: arb_predictor2_undo_u8(base.assumingMemoryBound(to: UInt8.self), width, height, 1)
        case 2: arb_predictor2_undo_u16(base.assumingMemoryBound(to: UInt16.self), width, height, 1)
        default: arb_predictor2_undo_u32(base.assumingMemoryBound(to: UInt32.self), width, height, 1)
        }
    }

    private func fill(_ target: UnsafeMutableRawBufferPointer, with value: Double) {
        // A left-out block holds the nodata value, which `arb_to_float` treats like 0 for integers.
        target.initializeMemory(as: UInt8.self, repeating: 0)
        guard sampleBytes >= 4 else { return }
        if GDALGetRasterDataType(band) == GDT_Float32 {
            target.bindMemory(to: Float.self).update(repeating: Float(value))
        } else if GDALGetRasterDataType(band) == GDT_Float64 {
            target.bindMemory(to: Double.self).update(repeating: value)
        }
    }

    private func place(_ item: String, _ column: Int, _ row: Int) -> Int? {
        Self.item("\(item)_\(column)_\(row)", band, "TIFF").flatMap(Int.init)
    }

    private func failure(_ column: Int, _ row: Int, _ reason: String) -> RasterError {
        RasterError(
            "cannot read \(address) at pixel \(column * width),\(row * height): \(reason); "
                + "restore the file or drop it from the job")
    }

    private static func item(_ key: String, _ object: UnsafeMutableRawPointer, _ domain: String) -> String? {
        GDALGetMetadataItem(object, key, domain).map { String(cString: $0) }
    }

    private static func driver(of handle: GDALDatasetH) -> String? {
        guard let driver = GDALGetDatasetDriver(handle), let name = GDALGetDriverShortName(driver) else {
            return nil
        }
        return String(cString: name)
    }

    private static func isInsideZip(_ address: String) -> Bool {
        address.contains("/vsizip/") || address.contains("/vsigzip/") || address.contains("/vsitar/")
    }
}
