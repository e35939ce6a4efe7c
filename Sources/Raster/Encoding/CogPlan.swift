import Mosaic

/// Where everything in the file will stand, decided before the first byte is written.
struct CogPlan {
    /// What GDAL reads behind the file header; a reader of another kind skips it.
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

    /// Per level, row by row; nil for sparse blocks.
    let places: [[BlockPlace?]]
    let big: Bool
    private let layout: CogLayout
    /// Tags of the first directory that do not depend on offsets.
    private let description: [TiffTag]

    init(_ image: CogImage, place: (Int, Int, Int) throws -> BlockPlace?) throws {
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
        let head = Self.firstDirectory(big: false) + classic.reduce(0) { $0 + $1.byteCount }
        big = head + data > Int(UInt32.max)
    }

    /// The offset of the first directory: behind the file header and the ghost area, on a multiple of 8.
    private static func firstDirectory(big: Bool) -> Int {
        ((big ? 16 : 8) + ghost.count + 7) & ~7
    }

    /// Header, ghost area and all directories with their values.
    func header() -> [UInt8] {
        let draft = Self.directories(layout, places, description, big: big, dataStart: nil)
        var bytes: [UInt8] = big ? [0x49, 0x49, 43, 0, 8, 0, 0, 0] : [0x49, 0x49, 42, 0]
        let first = Self.firstDirectory(big: big)
        bytes += big ? TiffTag.packed([UInt64(first)]) : TiffTag.packed([UInt32(first)])
        bytes += Self.ghost
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
