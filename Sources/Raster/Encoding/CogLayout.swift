/// The levels of a COG: full resolution is level 0, each next one half of it rounded up, until both sides fit
/// in one block (RASTER.md, Outputs).
public struct CogLayout: Hashable, Sendable {
    /// One level: its size in pixels and in blocks of 512 x 512.
    public struct Level: Hashable, Sendable {
        public let columns: Int
        public let rows: Int

        /// Blocks in a row, the last one perhaps not full.
        public var blocksAcross: Int { (columns + FloatBlockCoder.side - 1) / FloatBlockCoder.side }
        /// Blocks in a column, the last one perhaps not full.
        public var blocksDown: Int { (rows + FloatBlockCoder.side - 1) / FloatBlockCoder.side }
        /// Blocks of the level, sparse ones counted too.
        public var blockCount: Int { blocksAcross * blocksDown }
    }

    /// From full resolution to the smallest overview; at least one.
    public let levels: [Level]

    /// The levels of an image of `columns` x `rows` pixels, both at least 1.
    public init(columns: Int, rows: Int) {
        precondition(columns >= 1 && rows >= 1, "an image of \(columns) x \(rows)")
        var levels = [Level(columns: columns, rows: rows)]
        while let last = levels.last, max(last.columns, last.rows) > FloatBlockCoder.side {
            levels.append(Level(columns: (last.columns + 1) / 2, rows: (last.rows + 1) / 2))
        }
        self.levels = levels
    }
}

/// Where a framed block (leader, payload, trailer) stands: bytes `offset ..< offset + length` of an open
/// file.
public struct BlockPlace: Hashable, Sendable {
    public var fileDescriptor: Int32
    public var offset: Int
    /// With leader and trailer, as `FloatBlockCoder.encode` returned it.
    public var length: Int

    public init(fileDescriptor: Int32, offset: Int, length: Int) {
        self.fileDescriptor = fileDescriptor
        self.offset = offset
        self.length = length
    }
}
