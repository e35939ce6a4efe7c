import CGDAL
import Mosaic

/// Turns coordinates of one system into those of another, x before y. Used by one thread.
public final class CoordinateTransform {
    public let source: CRS
    public let target: CRS
    private let isTargetGeographic: Bool
    let handle: OGRCoordinateTransformationH

    /// - Throws: `RasterError` when PROJ knows no way between the two.
    public init(from source: CRS, to target: CRS) throws {
        let from = try CoordinateSystem(source)
        let to = try CoordinateSystem(target)
        let made = withExtendedLifetime((from, to)) {
            GDALRuntime.capturing { OCTNewCoordinateTransformation(from.handle, to.handle) }
        }
        guard let handle = made.value else {
            throw RasterError(
                "no way from \(source.name.quoted) to \(target.name.quoted): "
                    + "\((made.message ?? "PROJ gave no reason").asReason); choose another --crs")
        }
        self.source = source
        self.target = target
        isTargetGeographic = to.isGeographic
        self.handle = handle
    }

    deinit { OCTDestroyCoordinateTransformation(handle) }

    /// Transforms points in place; both coordinates of a point that has no place in the target become NaN.
    public func transform(x: inout [Double], y: inout [Double]) {
        precondition(x.count == y.count, "\(x.count) x and \(y.count) y are no points")
        guard !x.isEmpty else { return }
        var isGood = [Int32](repeating: 0, count: x.count)
        _ = GDALRuntime.capturing { OCTTransformEx(handle, Int32(x.count), &x, &y, nil, &isGood) }
        // The pole opposite to a polar map lies at 10^23 m: PROJ's word for infinity.
        for index in x.indices where isGood[index] == 0 || !(abs(x[index]) < 1e9 && abs(y[index]) < 1e9) {
            x[index] = .nan
            y[index] = .nan
        }
    }

    /// Transforms one point; nil when it has no place in the target.
    public func transform(x: Double, y: Double) -> (x: Double, y: Double)? {
        var xs = [x]
        var ys = [y]
        transform(x: &xs, y: &ys)
        return xs[0].isNaN ? nil : (xs[0], ys[0])
    }

    /// The rectangle around `area` in the target, from a lattice of 33 × 33 points of it, edges included.
    ///
    /// For a geographic target the right side lies past 180 when the area crosses the 180° meridian; for a
    /// geographic source `area.right` may do so.
    ///
    /// - Throws: `RasterError` when a part of the area has no place in the target.
    public func bounds(of area: Bounds) throws -> Bounds {
        let steps = 32
        var x: [Double] = []
        var y: [Double] = []
        for row in 0...steps {
            for column in 0...steps {
                x.append(area.left + (area.right - area.left) * Double(column) / Double(steps))
                y.append(area.bottom + (area.top - area.bottom) * Double(row) / Double(steps))
            }
        }
        transform(x: &x, y: &y)
        guard !x.contains(where: \.isNaN) else {
            throw RasterError(
                "a part of the area \(area.sentence) of \(source.name.quoted) has no place in "
                    + "\(target.name.quoted); choose a smaller area or another --crs")
        }
        if isTargetGeographic { unwrap(&x, around: x[x.count / 2]) }
        var result = Bounds(left: x.min()!, bottom: y.min()!, right: x.max()!, top: y.max()!)
        guard isTargetGeographic else { return result }
        try includePoles(of: area, in: &result)
        return result.turned
    }

    /// Moves longitudes by whole turns to within half a turn of `centre`.
    private func unwrap(_ longitudes: inout [Double], around centre: Double) {
        for index in longitudes.indices {
            if longitudes[index] - centre > 180 { longitudes[index] -= 360 }
            if longitudes[index] - centre < -180 { longitudes[index] += 360 }
        }
    }

    /// An area around a pole has all longitudes, which its edges do not show.
    private func includePoles(of area: Bounds, in result: inout Bounds) throws {
        let back = try CoordinateTransform(from: target, to: source)
        guard try !CoordinateSystem(source).isGeographic else { return }
        for latitude in [90.0, -90.0] {
            guard let pole = back.transform(x: 0, y: latitude), area.left < pole.x, pole.x < area.right,
                area.bottom < pole.y, pole.y < area.top
            else { continue }
            result.left = -180
            result.right = 180
            result.bottom = min(result.bottom, latitude)
            result.top = max(result.top, latitude)
        }
    }
}

extension Area {
    /// The area's bounds in `crs`, densified before they are projected (RASTER.md, Grid).
    ///
    /// - Throws: `RasterError` when a part of the area has no place in `crs`.
    public func bounds(in crs: CRS) throws -> Bounds {
        let own = Bounds(left: west, bottom: south, right: unwrappedEast, top: north)
        return crs == .wgs84 ? own : try CoordinateTransform(from: .wgs84, to: crs).bounds(of: own)
    }

    /// The smallest area in degrees around `bounds` of `crs`; `west` > `east` when it crosses the 180°
    /// meridian.
    ///
    /// - Throws: `RasterError` when a part of the bounds has no place on the globe.
    public init(covering bounds: Bounds, in crs: CRS) throws {
        let degrees =
            crs == .wgs84
            ? bounds.turned : try CoordinateTransform(from: crs, to: .wgs84).bounds(of: bounds)
        let isWhole = degrees.right - degrees.left >= 360
        self.init(
            west: isWhole ? -180 : degrees.left, south: degrees.bottom,
            east: isWhole ? 180 : degrees.right > 180 ? degrees.right - 360 : degrees.right,
            north: degrees.top)
    }
}

extension Bounds {
    /// The same longitudes with the left one between −180 and 180.
    fileprivate var turned: Bounds {
        let turns = 360 * ((left + 180) / 360).rounded(.down)
        return Bounds(left: left - turns, bottom: bottom, right: right - turns, top: top)
    }

    fileprivate var sentence: String { "\(left), \(bottom), \(right), \(top)" }
}
