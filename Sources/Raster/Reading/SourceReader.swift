import CKernels
import Mosaic

/// One worker's way to the scenes: its own GDAL handles and buffers over the node's shared cache of decoded
/// blocks.
public final class SourceReader {
    private struct Open {
        let reader: BandReader
        var lastUse: Int
    }

    private struct BandKey: Hashable {
        let address: String
        let number: Int
    }

    private let cache: BlockCache
    private let job: Grid
    private var transforms: [CRS: CoordinateTransform] = [:]
    private let tools = DecodingTools()
    private var datasets: [String: Dataset] = [:]
    private var open: [BandKey: Open] = [:]
    private var uses = 0
    /// Files kept open by a worker; the ones used longest ago are closed.
    private static let mostOpen = 96

    /// Compressed bytes read from sources so far.
    public private(set) var bytesRead = 0

    /// - Parameter job: the grid of the job that the blocks are for.
    public init(cache: BlockCache, job: Grid) {
        self.cache = cache
        self.job = job
    }

    /// Reads `window` of `band` as float32 digital numbers, NaN where the band has no data.
    ///
    /// - Parameters:
    ///   - window: inside the band's grid.
    ///   - target: the window's first sample; rows are `stride` floats apart.
    /// - Throws: `RasterError` when a block cannot be read.
    func read(_ band: Band, _ window: PixelWindow, into target: UnsafeMutablePointer<Float>, stride: Int)
        throws
    {
        let type = Self.sampleCode(band.sample)
        try forEachBlock(of: band, in: window) { part, source, sourceStride in
            for row in 0..<part.height {
                arb_to_float(
                    source + row * sourceStride, type,
                    target + (part.y - window.y + row) * stride + part.x - window.x,
                    part.width, band.nodata != nil ? 1 : 0, band.nodata ?? 0)
            }
        }
    }

    /// Reads `window` of a classification band of bytes, as they are.
    func readClasses(
        _ band: Band, _ window: PixelWindow, into target: UnsafeMutablePointer<UInt8>, stride: Int
    ) throws {
        guard band.sample == .uint8 else {
            throw RasterError(
                "the classification \(band.file.address) holds \(band.sample.rawValue) "
                    + "samples; it must hold bytes: "
                    + "use --mask none, or restore the file")
        }
        try forEachBlock(of: band, in: window) { part, source, sourceStride in
            for row in 0..<part.height {
                let line = target + (part.y - window.y + row) * stride + part.x - window.x
                line.update(
                    from: (source + row * sourceStride).assumingMemoryBound(to: UInt8.self), count: part.width
                )
            }
        }
    }

    /// The pixels of the job grid that samples of a window of `source` may reach through the widest kernel;
    /// nil when PROJ has no answer.
    private func jobWindow(of window: PixelWindow, in source: Grid) throws -> PixelWindow? {
        if let offset = source.offset(in: job) { return window.offset(x: offset.x, y: offset.y) }
        var extent = source.bounds(of: window)
        if source.crs != job.crs {
            let transform = try transforms[source.crs] ?? CoordinateTransform(from: source.crs, to: job.crs)
            transforms[source.crs] = transform
            let middle = extent.centre
            var x = [extent.left, middle.x, extent.right].flatMap { [$0, $0, $0] }
            var y = [extent.bottom, middle.y, extent.top]
            y += y + y
            transform.transform(x: &x, y: &y)
            guard !x.contains(where: \.isNaN) else { return nil }
            extent = Bounds(left: x.min()!, bottom: y.min()!, right: x.max()!, top: y.max()!)
        }
        let covered = job.windowCovering(extent)
        let halo = 4 + 3 * covered.width / max(1, window.width)
        return PixelWindow(
            x: covered.x - halo, y: covered.y - halo, width: covered.width + 2 * halo,
            height: covered.height + 2 * halo)
    }

    /// Decodes the blocks of `window` that are dear and at which nobody is, so that they are there when the
    /// window is read.
    ///
    /// - Parameter window: inside the band's grid.
    func decodeAhead(_ band: Band, _ window: PixelWindow) throws {
        guard !window.isEmpty else { return }
        let reader = try reader(of: band)
        guard reader.isSlow else { return }
        for whole in blocks(of: reader, in: window) {
            try cache.decodeAhead(key(of: whole, reader)) { try decode(whole, reader) }
        }
    }

    private func forEachBlock(
        of band: Band, in window: PixelWindow,
        _ body: (_ part: PixelWindow, _ source: UnsafeRawPointer, _ strideBytes: Int) throws -> Void
    ) throws {
        guard !window.isEmpty else { return }
        precondition(band.grid.window.contains(window), "window \(window) outside \(band.grid)")
        let reader = try reader(of: band)
        let sampleBytes = band.sample.bytes
        for whole in blocks(of: reader, in: window) {
            let block = try cache.block(key(of: whole, reader)) { try decode(whole, reader) }
            let part = window.intersection(whole)
            let start = ((part.y - whole.y) * block.width + part.x - whole.x) * sampleBytes
            try withExtendedLifetime(block) {
                try body(part, UnsafeRawPointer(block.bytes.baseAddress!) + start, block.width * sampleBytes)
            }
        }
    }

    /// The blocks that touch `window`, row by row; those at the edges reach beyond the raster.
    private func blocks(of reader: BandReader, in window: PixelWindow) -> [PixelWindow] {
        let (width, height) = (reader.blockWidth, reader.blockHeight)
        return (window.y / height...(window.endY - 1) / height).flatMap { row in
            (window.x / width...(window.endX - 1) / width).map { column in
                PixelWindow(x: column * width, y: row * height, width: width, height: height)
            }
        }
    }

    private func key(of block: PixelWindow, _ reader: BandReader) -> BlockKey {
        BlockKey(
            address: reader.band.file.address, band: reader.band.number, column: block.x / block.width,
            row: block.y / block.height)
    }

    private func decode(_ block: PixelWindow, _ reader: BandReader) throws -> DecodedBlock {
        let decoded = try reader.decode(
            column: block.x / block.width, row: block.y / block.height, with: tools,
            jobWindow: try jobWindow(of: block, in: reader.band.grid), from: cache.pool)
        bytesRead += decoded.bytesRead
        return decoded.block
    }

    private func reader(of band: Band) throws -> BandReader {
        uses += 1
        let key = BandKey(address: band.file.address, number: band.number)
        if let found = open[key] {
            open[key]?.lastUse = uses
            return found.reader
        }
        if datasets.count >= Self.mostOpen { closeOldest() }
        let dataset: Dataset
        if let known = datasets[key.address] {
            dataset = known
        } else {
            dataset = try Dataset(opening: key.address)
            try dataset.check(isStill: band.file)
            datasets[key.address] = dataset
        }
        let reader = try BandReader(dataset: dataset, band: band)
        open[key] = Open(reader: reader, lastUse: uses)
        return reader
    }

    private func closeOldest() {
        guard let oldest = open.min(by: { $0.value.lastUse < $1.value.lastUse })?.key.address else { return }
        open = open.filter { $0.key.address != oldest }
        datasets[oldest] = nil
    }

    private static func sampleCode(_ sample: SampleType) -> arb_sample {
        switch sample {
        case .uint8: ARB_U8
        case .int8: ARB_I8
        case .uint16: ARB_U16
        case .int16: ARB_I16
        case .uint32: ARB_U32
        case .int32: ARB_I32
        case .float32: ARB_F32
        case .float64: ARB_F64
        }
    }
}

/// Buffers and states that a worker keeps for decoding.
final class DecodingTools {
    let inflater = Inflater()
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)

    deinit { buffer.deallocate() }

    /// A buffer of at least `count` bytes; the same one each time.
    func compressed(atLeast count: Int) -> UnsafeMutableRawBufferPointer {
        if buffer.count < count {
            buffer.deallocate()
            buffer = .allocate(byteCount: count + count / 4, alignment: 64)
        }
        return buffer
    }
}
