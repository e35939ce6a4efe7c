import Mosaic

/// Puts a COG together from blocks that are compressed already: header and directories, then the blocks of
/// the smallest overview first and of the full resolution last, row by row. No pixel is decoded.
///
/// The layout is GDAL's (https://gdal.org/drivers/raster/cog.html, "File format details"): the ghost area
/// behind the header promises this order and the frame around each block.
public enum CogWriter {
    /// Runs of adjoining blocks are copied in pieces of at most this many bytes, so that progress and
    /// cancellation are timely.
    private static let pieceBytes = 8 << 20

    /// Appends the whole file to `file`, which holds nothing before; who called finishes it.
    ///
    /// - Parameters:
    ///   - place: the framed block at level, block row and block column; nil for one without a valid pixel.
    ///     Asked once for each block.
    ///   - progress: called with the bytes just written, after each piece; throw from it to stop.
    /// - Returns: the file's length in bytes.
    /// - Throws: `RasterError` when the CRS cannot be written, a block cannot be read or the disk is full;
    ///   what `place` and `progress` throw.
    @discardableResult
    public static func write(
        _ image: CogImage, to file: OutputWriter,
        place: (_ level: Int, _ row: Int, _ column: Int) throws -> BlockPlace?,
        progress: (_ bytes: Int) throws -> Void = { _ in }
    ) throws -> Int {
        let plan = try CogPlan(image, place: place)
        let header = plan.header()
        try header.withUnsafeBytes { try file.append($0) }
        try progress(header.count)
        for blocks in plan.places.reversed() {
            try copy(blocks.lazy.compactMap { $0 }, to: file, progress: progress)
        }
        return file.byteCount
    }

    /// Copies blocks one behind the other; neighbours in the same source file go in one call.
    private static func copy(
        _ blocks: some Sequence<BlockPlace>, to file: OutputWriter, progress: (Int) throws -> Void
    ) throws {
        var run: BlockPlace?
        for block in blocks {
            guard let open = run else {
                run = block
                continue
            }
            if open.fileDescriptor == block.fileDescriptor && open.offset + open.length == block.offset {
                run?.length += block.length
            } else {
                try copy(open, to: file, progress: progress)
                run = block
            }
        }
        if let run { try copy(run, to: file, progress: progress) }
    }

    private static func copy(
        _ run: BlockPlace, to file: OutputWriter, progress: (Int) throws -> Void
    ) throws {
        var done = 0
        while done < run.length {
            let length = min(pieceBytes, run.length - done)
            try file.append(length, from: run.fileDescriptor, at: run.offset + done)
            done += length
            try progress(length)
        }
    }
}
