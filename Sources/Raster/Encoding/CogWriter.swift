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

    private static let ghost: [UInt8] = {
        let promises = """
            LAYOUT=IFDS_BEFORE_DATA
            BLOCK_ORDER=ROW_MAJOR
            BLOCK_LEADER=SIZE_AS_UINT4
            BLOCK_TRAILER=LAST_4_BYTES_REPEATED
            KNOWN_INCOMPATIBLE_EDITION=NO
            \u{20}
            """
        let digits = String(promises.utf8.count)
        let size = String(repeating: "0", count: 6 - digits.count) + digits
        return Array("GDAL_STRUCTURAL_METADATA_SIZE=\(size) bytes\n\(promises)".utf8)
    }()

    /// Writes the whole file from offset 0; the file should be empty before.
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
        _ image: CogImage, to file: OutputFile,
        place: (_ level: Int, _ row: Int, _ column: Int) throws -> BlockPlace?,
        progress: (_ bytes: Int) throws -> Void = { _ in }
    ) throws -> Int {
        let plan = try CogPlan(image, ghost: ghost, place: place)
        let header = plan.header(ghost: ghost)
        try header.withUnsafeBytes { try file.write($0, at: 0) }
        try progress(header.count)
        var target = header.count
        for blocks in plan.places.reversed() {
            try copy(blocks.lazy.compactMap { $0 }, to: file, at: &target, progress: progress)
        }
        return target
    }

    /// Copies blocks one behind the other; neighbours in the same source file go in one call.
    private static func copy(
        _ blocks: some Sequence<BlockPlace>, to file: OutputFile, at target: inout Int,
        progress: (Int) throws -> Void
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
                try copy(open, to: file, at: &target, progress: progress)
                run = block
            }
        }
        if let run { try copy(run, to: file, at: &target, progress: progress) }
    }

    private static func copy(
        _ run: BlockPlace, to file: OutputFile, at target: inout Int, progress: (Int) throws -> Void
    ) throws {
        var done = 0
        while done < run.length {
            let length = min(pieceBytes, run.length - done)
            try file.copy(length, from: run.fileDescriptor, at: run.offset + done, to: target)
            file.startWriteBack(from: target, length: length)
            done += length
            target += length
            try progress(length)
        }
    }
}

/// Where everything in the file will stand, decided before the first byte is written.
struct CogPlan {
    /// Per level, row by row; nil for sparse blocks.
    let places: [[BlockPlace?]]
    let big: Bool
    private let layout: CogLayout
    /// Tags of the first directory that do not depend on offsets.
    private let description: [TiffTag]

    init(
        _ image: CogImage, ghost: [UInt8], place: (Int, Int, Int) throws -> BlockPlace?
    ) throws {
        let (columns, rows) = (image.grid.columns, image.grid.rows)
        guard min(columns, rows) >= 1, max(columns, rows) <= Int(Int32.max) else {
            throw RasterError(
                "a TIFF cannot have \(columns) x \(rows) pixels, only 1 to 2147483647 a side; choose "
                    + "another area or --resolution")
        }
        let layout = CogLayout(columns: columns, rows: rows)
        self.layout = layout
        description = try Self.description(of: image)
        places = try layout.levels.enumerated().map { number, level in
            var blocks: [BlockPlace?] = []
            blocks.reserveCapacity(level.blockCount)
            for row in 0..<level.blocksDown {
                for column in 0..<level.blocksAcross { blocks.append(try place(number, row, column)) }
            }
            return blocks
        }
        let data = places.joined().reduce(0) { $0 + ($1?.length ?? 0) }
        let classic = Self.directories(layout, places, description, big: false, dataStart: nil)
        let head = Self.firstDirectory(ghost, big: false) + classic.reduce(0) { $0 + $1.byteCount }
        big = head + data > Int(UInt32.max)
    }

    /// The offset of the first directory: behind the file header and the ghost area, on a multiple of 8.
    private static func firstDirectory(_ ghost: [UInt8], big: Bool) -> Int {
        ((big ? 16 : 8) + ghost.count + 7) & ~7
    }

    /// Header, ghost area and all directories with their values.
    func header(ghost: [UInt8]) -> [UInt8] {
        let draft = Self.directories(layout, places, description, big: big, dataStart: nil)
        var bytes: [UInt8] = big ? [0x49, 0x49, 43, 0, 8, 0, 0, 0] : [0x49, 0x49, 42, 0]
        let first = Self.firstDirectory(ghost, big: big)
        bytes += big ? TiffTag.packed([UInt64(first)]) : TiffTag.packed([UInt32(first)])
        bytes += ghost
        bytes += [UInt8](repeating: 0, count: first - bytes.count)
        let dataStart = first + draft.reduce(0) { $0 + $1.byteCount }
        let final = Self.directories(layout, places, description, big: big, dataStart: dataStart)
        for (number, directory) in final.enumerated() {
            let next = number + 1 < final.count ? bytes.count + directory.byteCount : 0
            bytes += directory.bytes(at: bytes.count, next: next)
        }
        return bytes
    }

    /// The directories of all levels, full resolution first; without `dataStart` the offsets are zeros and
    /// only the sizes are right.
    private static func directories(
        _ layout: CogLayout, _ places: [[BlockPlace?]], _ description: [TiffTag], big: Bool, dataStart: Int?
    ) -> [TiffDirectory] {
        var next = dataStart
        let reversed = layout.levels.indices.reversed().map { number in
            var offsets: [Int] = []
            offsets.reserveCapacity(places[number].count)
            for place in places[number] {
                guard let place, let start = next else {
                    offsets.append(0)
                    continue
                }
                offsets.append(start + FloatBlockCoder.leader)
                next = start + place.length
            }
            let counts = places[number].map { UInt32($0.map { $0.length - FloatBlockCoder.frame } ?? 0) }
            var tags = imageTags(layout.levels[number], isOverview: number > 0)
            tags.append(.offsets(324, offsets, big: big))
            tags.append(.long(325, counts))
            return TiffDirectory(number == 0 ? tags + description : tags, big: big)
        }
        return reversed.reversed()
    }

    /// Size, format and nodata of one level (TIFF 6.0 tag numbers; 42113 is GDAL_NODATA).
    private static func imageTags(_ level: CogLayout.Level, isOverview: Bool) -> [TiffTag] {
        let side = UInt16(FloatBlockCoder.side)
        return (isOverview ? [.long(254, [1])] : []) + [
            .long(256, [UInt32(level.columns)]), .long(257, [UInt32(level.rows)]), .short(258, [32]),
            .short(259, [8]), .short(262, [1]), .short(277, [1]), .short(284, [1]), .short(317, [3]),
            .short(322, [side]), .short(323, [side]), .short(339, [3]), .ascii(42113, "nan"),
        ]
    }

    /// Place (33550 ModelPixelScale, 33922 ModelTiepoint, GeoKeys) and metadata (42112) of the image.
    private static func description(of image: CogImage) throws -> [TiffTag] {
        let grid = image.grid
        return try [
            .double(33550, [grid.pixelWidth, grid.pixelHeight, 0]),
            .double(33922, [0, 0, 0, grid.originX, grid.originY, 0]),
            .ascii(42112, image.metadataXML),
        ] + GeoKeys.tags(for: grid.crs)
    }
}
