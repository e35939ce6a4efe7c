/// A colour in sRGB, 8 bits a channel.
public struct RGB: Codable, Hashable, Sendable {
    public var red: UInt8
    public var green: UInt8
    public var blue: UInt8

    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }
}

/// The 256 colours of a `Colormap`. Entry 0 is nodata (black, shown transparent); entries 1…255 run from the
/// low to the high end of the value range, linear in sRGB between anchors (RASTER.md, Outputs).
public struct Palette: Hashable, Sendable {
    /// A colour at one palette entry.
    public struct Anchor: Hashable, Sendable {
        /// 1…255.
        public let entry: Int
        public let colour: RGB
    }

    /// In rising order, from entry 1 to entry 255.
    public let anchors: [Anchor]
    /// 256 colours.
    public let entries: [RGB]

    /// `anchors` rise from entry 1 to entry 255.
    init(anchors: [Anchor]) {
        precondition(
            anchors.first?.entry == 1 && anchors.last?.entry == 255
                && zip(anchors, anchors.dropFirst()).allSatisfy { $0.entry < $1.entry }, "anchors \(anchors)")
        self.anchors = anchors
        var entries = [RGB(0, 0, 0), anchors[0].colour]
        for (from, to) in zip(anchors, anchors.dropFirst()) {
            for entry in (from.entry + 1)...to.entry {
                let (step, span) = (entry - from.entry, to.entry - from.entry)
                entries.append(
                    RGB(
                        Self.between(from.colour.red, to.colour.red, step, span),
                        Self.between(from.colour.green, to.colour.green, step, span),
                        Self.between(from.colour.blue, to.colour.blue, step, span)))
            }
        }
        self.entries = entries
    }

    /// Where an anchor lies in the value range: 0 at entry 1, 1 at entry 255.
    public static func position(ofEntry entry: Int) -> Double { Double(entry - 1) / 254 }

    /// a + (b − a) · step / span in whole numbers, halves rounded up.
    private static func between(_ a: UInt8, _ b: UInt8, _ step: Int, _ span: Int) -> UInt8 {
        UInt8((2 * (Int(a) * (span - step) + Int(b) * step) + span) / (2 * span))
    }
}

extension Colormap {
    /// The colours of this map.
    public var palette: Palette {
        switch self {
        case .rdylgn: Self.rdylgnPalette
        case .grey: Self.greyPalette
        case .viridis: Self.viridisPalette
        case .blues: Self.bluesPalette
        }
    }

    /// Anchors of RASTER.md.
    private static let rdylgnPalette = make([
        (1, 165, 0, 38), (64, 248, 142, 82), (128, 254, 254, 189), (191, 134, 203, 102), (255, 0, 104, 55),
    ])

    private static let greyPalette = make([(1, 0, 0, 0), (255, 255, 255, 255)])

    /// Samples of viridis (S. van der Walt, N. Smith, matplotlib, CC0): within 2 of 255 levels of it
    /// everywhere.
    private static let viridisPalette = make([
        (1, 68, 1, 84), (30, 72, 41, 121), (59, 61, 76, 138), (120, 35, 137, 142), (147, 31, 162, 135),
        (164, 44, 178, 125), (187, 83, 197, 104), (215, 149, 216, 64), (239, 213, 226, 26),
        (247, 234, 228, 26), (255, 253, 231, 37),
    ])

    /// For NDSI: bare land brown, sand at 0, and from 0.4 on (snow, RASTER.md; entry 179 of −1…1) blues that
    /// deepen.
    private static let bluesPalette = make([
        (1, 84, 58, 36), (64, 150, 117, 82), (128, 224, 212, 190), (178, 214, 226, 236), (179, 158, 202, 225),
        (217, 66, 146, 198), (255, 8, 48, 107),
    ])

    private static func make(_ rows: [(Int, UInt8, UInt8, UInt8)]) -> Palette {
        Palette(anchors: rows.map { Palette.Anchor(entry: $0.0, colour: RGB($0.1, $0.2, $0.3)) })
    }
}
