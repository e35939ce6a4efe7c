import CGDAL
import Mosaic

/// Reads blocks of one band of one open file, by the fastest way that the file allows.
///
/// A tiled deflate GeoTIFF is read raw: GDAL tells where each block lies in the file, ISA-L inflates it and
/// the predictor is undone here (PLATFORM.md: twice the speed of RasterIO). Everything else goes through
/// GDAL. Used by one thread at a time.
final class BandReader {
    let dataset: Dataset
    let band: Band
    private let handle: GDALRasterBandH
    private let raw: RawBlocks?
    /// Blocks are dear to decode, as those of JP2 are: no thread should wait for another's.
    var isSlow: Bool { raw == nil }
    /// Samples in a block, columns × rows.
    let blockWidth: Int
    let blockHeight: Int
    /// Whether `blockWidth` × `blockHeight` is the file's own block.
    private let isNatural: Bool

    init(dataset: Dataset, band: Band) throws {
        self.dataset = dataset
        self.band = band
        handle = try dataset.band(band.number)
        let size = dataset.size
        guard size.columns == band.grid.columns, size.rows == band.grid.rows else {
            throw RasterError(
                "\(dataset.address) has \(size.columns) × \(size.rows) pixels and had \(band.grid.columns) × "
                    + "\(band.grid.rows) when the job was planned; restore the file or submit the job anew")
        }
        var width: Int32 = 0
        var height: Int32 = 0
        GDALGetBlockSize(handle, &width, &height)
        raw = RawBlocks(dataset: dataset, band: handle, sample: band.sample)
        let area = Int(width) * Int(height)
        isNatural = raw != nil || (width >= 64 && height >= 64 && area <= 1 << 22)
        blockWidth = isNatural ? Int(width) : min(1024, size.columns)
        blockHeight = isNatural ? Int(height) : min(256, size.rows)
    }

    /// Decodes one block. The parts of edge blocks outside the raster hold anything.
    ///
    /// - Returns: the block and the compressed bytes read for it (an estimate where GDAL reads).
    func decode(
        column: Int, row: Int, with tools: DecodingTools, jobWindow: PixelWindow?, from pool: BufferPool
    ) throws -> (block: DecodedBlock, bytesRead: Int) {
        let sampleBytes = band.sample.bytes
        let block = DecodedBlock(
            byteCount: blockWidth * blockHeight * sampleBytes, width: blockWidth, jobWindow: jobWindow,
            pool: pool)
        if let raw {
            let read = try raw.decode(column: column, row: row, into: block.bytes, with: tools)
            return (block, read)
        }
        let x = column * blockWidth
        let y = row * blockHeight
        let width = min(blockWidth, band.grid.columns - x)
        let height = min(blockHeight, band.grid.rows - y)
        let outcome = GDALRuntime.capturing {
            isNatural
                ? GDALReadBlock(handle, Int32(column), Int32(row), block.bytes.baseAddress)
                : GDALRasterIOEx(
                    handle, GF_Read, Int32(x), Int32(y), Int32(width), Int32(height), block.bytes.baseAddress,
                    Int32(width), Int32(height), GDALGetRasterDataType(handle), Int64(sampleBytes),
                    Int64(blockWidth * sampleBytes), nil)
        }
        guard outcome.value == CE_None, outcome.message == nil else {
            let reason = (outcome.message ?? "GDAL gave no reason").asReason(about: dataset.address)
            throw RasterError(
                "cannot read \(dataset.shownAddress) at pixel \(x),\(y): \(reason); restore the file or "
                    + "drop it from the job"
            )
        }
        return (block, width * height * sampleBytes)
    }
}
