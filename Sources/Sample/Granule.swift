import Foundation
import Mosaic
import Raster

/// One acquisition of one tile: its place, its date and its names.
struct Granule: Sendable {
    /// 0 for the first acquisition; even ones show the western tile, odd ones the eastern.
    let index: Int
    /// Width and height in pixels of 10 m.
    let size: Int
    let zone: Int
    /// Outer corner of the top left pixel, metres.
    let originX: Int
    let originY: Int
    let acquired: Date
    /// Where pixels of this granule lie in the land's coordinates.
    private let placement: Placement

    /// The westernmost granule has the corner of the real tile 33TWM, or of 33TYM before the next zone.
    init(_ index: Int, of options: SampleOptions) throws {
        self.index = index
        size = options.size
        let firstX = options.warp ? 699_960 : 499_980
        let firstY = 5_200_020
        // The first system's tiles lie 100020 m apart and are 109800 m wide: 8.9 % overlap.
        let shift = (options.size * 10_002 / 10_980) / 2 * 2
        if index.isMultiple(of: 2) {
            (zone, originX, originY) = (33, firstX, firstY)
            placement = .shifted(0)
        } else if options.warp {
            let neighbour = try WarpedPlacement(
                size: options.size, shift: shift, west: (33, firstX, firstY), zone: 34)
            (zone, originX, originY) = (34, neighbour.originX, neighbour.originY)
            placement = .warped(neighbour)
        } else {
            (zone, originX, originY) = (33, firstX + shift * 10, firstY)
            placement = .shifted(shift)
        }
        // 2024-07-10T09:50:31Z and every five days, as Sentinel-2A and 2B take turns.
        acquired = Date(timeIntervalSince1970: 1_720_605_031 + 432_000 * Double(index))
    }

    /// An easting well within the 100 km square that names the tile; small granules have the names of whole
    /// ones.
    var tileX: Int {
        if case .shifted(let shift) = placement, shift > 0 { return 610_000 }
        return originX + 20_000
    }

    private enum Placement: Sendable {
        case shifted(Int)
        case warped(WarpedPlacement)
    }

    var isEastern: Bool { !index.isMultiple(of: 2) }

    var crs: CRS { CRS("EPSG:\(32_600 + zone)") }

    /// The granule's raster at a resolution in metres.
    func grid(resolution: Int) -> Grid {
        Grid(
            crs: crs, originX: Double(originX), originY: Double(originY), pixelWidth: Double(resolution),
            pixelHeight: Double(resolution), columns: size * 10 / resolution, rows: size * 10 / resolution)
    }

    /// The land's coordinates (`Landscape`) of a pixel position of this granule, units of 10 m.
    func position(x: Double, y: Double) -> (x: Double, y: Double) {
        switch placement {
        case .shifted(let shift): (Landscape.origin + x + Double(shift), Landscape.origin + y)
        case .warped(let warped): warped.position(x: x, y: y)
        }
    }

    /// How many pixels west of the corner the first node of the lattice lies, so that granules of one zone
    /// interpolate between the same nodes.
    var latticePhase: Int {
        switch placement {
        case .shifted(let shift): shift % Lattice.spacing
        case .warped: 0
        }
    }

    /// The edge of the swath (units of 10 m): both tiles lack a corner, the western one in the overlap, where
    /// the eastern one sees the land.
    @inline(__always)
    func sees(x: Float, y: Float) -> Bool {
        let side = Float(size)
        return isEastern ? x + 0.30 * y < 1.06 * side : x + 0.19 * y < 1.10 * side
    }

    /// The corners of what the sensor saw, metres, counter-clockwise from the top left, closed.
    var footprint: [(x: Double, y: Double)] {
        let side = Double(size)
        let (slope, reach) = isEastern ? (0.30, 1.06) : (0.19, 1.10)
        let turn = (reach - 1) / slope * side
        let bottom = (reach - slope) * side
        let pixels = [(0, 0), (0, side), (bottom, side), (side, turn), (side, 0), (0, 0)]
        return pixels.map { (Double(originX) + $0.0 * 10, Double(originY) - $0.1 * 10) }
    }
}

/// Where a granule of one UTM zone lies on the land, whose coordinates belong to another.
///
/// A lattice of points is projected once and rounded to 1/64 m, so that the last bits of PROJ's arithmetic
/// leave no trace; between them the way is bilinear, which is off by less than half a metre.
struct WarpedPlacement: Sendable {
    let originX: Int
    let originY: Int
    private static let cells = 48
    private let spacing: Double
    private let nodes: [SIMD2<Double>]

    /// The eastern neighbour of a granule at `west`, `shift` pixels further east, as a raster of UTM `zone`.
    init(size: Int, shift: Int, west: (zone: Int, x: Int, y: Int), zone: Int) throws {
        let here = CRS("EPSG:\(32_600 + zone)")
        let there = CRS("EPSG:\(32_600 + west.zone)")
        let half = Double(size) * 5
        guard
            let centre = try CoordinateTransform(from: there, to: here).transform(
                x: Double(west.x + shift * 10) + half, y: Double(west.y) - half)
        else {
            throw SampleError(
                "PROJ cannot turn UTM zone \(west.zone) into zone \(zone); is proj-data installed?")
        }
        originX = Int(((centre.x - half) / 20).rounded()) * 20
        originY = Int(((centre.y + half) / 20).rounded()) * 20
        spacing = Double(size) / Double(Self.cells)
        var x: [Double] = []
        var y: [Double] = []
        for row in 0...Self.cells {
            for column in 0...Self.cells {
                x.append(Double(originX) + Double(column) * spacing * 10)
                y.append(Double(originY) - Double(row) * spacing * 10)
            }
        }
        try CoordinateTransform(from: here, to: there).transform(x: &x, y: &y)
        nodes = zip(x, y).map { x, y in
            let metres = SIMD2((x * 64).rounded() / 64, (y * 64).rounded() / 64)
            return SIMD2(metres.x - Double(west.x), Double(west.y) - metres.y) / 10 + Landscape.origin
        }
    }

    /// The land's coordinates of a pixel position, units of 10 m.
    func position(x: Double, y: Double) -> (x: Double, y: Double) {
        let column = min(Self.cells - 1, max(0, Int(x / spacing)))
        let row = min(Self.cells - 1, max(0, Int(y / spacing)))
        let fx = x / spacing - Double(column)
        let fy = y / spacing - Double(row)
        let first = row * (Self.cells + 1) + column
        let below = first + Self.cells + 1
        let top = nodes[first] + (nodes[first + 1] - nodes[first]) * fx
        let bottom = nodes[below] + (nodes[below + 1] - nodes[below]) * fx
        let at = top + (bottom - top) * fy
        return (at.x, at.y)
    }
}
