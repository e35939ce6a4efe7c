import CGDAL
import Foundation

/// The world's coastlines from GSHHG as GMT packs it (Debian: gmt-gshhg-low): bins of ten degrees hold pieces
/// of shore, which are put together to closed rings here, so that a map without a network has land and sea.
///
/// The packing is that of GMT's `gmt_shore.c`: of a segment's word the lowest three bits say where it leaves
/// the bin, the next three where it enters, the next three its level (1 land, 2 lake, 3 island in a lake, 5
/// edge of Antarctica's ice), the rest how many points it has.
public struct Coastline: Sendable {
    /// A closed ring.
    public struct Ring: Equatable, Sendable {
        public var level: Int
        /// Longitude, latitude, longitude, …: in degrees, going on past 180 where the ring crosses that
        /// meridian.
        public var points: [Double]
    }

    public let rings: [Ring]

    /// Where Debian's package puts the file.
    public static let usualPath = "/usr/share/gmt-gshhg/binned_GSHHS_l.nc"

    /// Reads GMT's file.
    ///
    /// - Throws: `RasterError` when it is not there or has another form.
    public init(path: String = Coastline.usualPath) throws {
        let file = try BinnedFile(path)
        rings = Self.join(try file.segments())
    }

    /// For each ring its level (2 bytes), the number of its points (4 bytes), and the points as hundred
    /// thousandths of a degree (4 bytes each); little endian.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(rings.reduce(0) { $0 + 6 + $1.points.count * 4 })
        for ring in rings {
            withUnsafeBytes(of: UInt16(ring.level).littleEndian) { bytes.append(contentsOf: $0) }
            withUnsafeBytes(of: UInt32(ring.points.count / 2).littleEndian) { bytes.append(contentsOf: $0) }
            for value in ring.points {
                let whole = Int32((value * 1e5).rounded())
                withUnsafeBytes(of: whole.littleEndian) { bytes.append(contentsOf: $0) }
            }
        }
        return bytes
    }

    /// A piece of shore inside one bin.
    struct Segment: Equatable {
        let shore: Int
        let level: Int
        let points: [(x: Double, y: Double)]

        static func == (a: Segment, b: Segment) -> Bool {
            a.shore == b.shore && a.level == b.level && a.points.elementsEqual(b.points, by: ==)
        }
    }

    private struct Place: Hashable {
        let shore: Int
        let x: Int
        let y: Int

        init(_ shore: Int, _ point: (x: Double, y: Double)) {
            self.shore = shore
            let turned = point.x.truncatingRemainder(dividingBy: 360)
            x = Int(((turned < 0 ? turned + 360 : turned) * 1e3).rounded()) % 360_000
            y = Int((point.y * 1e3).rounded())
        }
    }

    /// Puts pieces together where one ends and the next begins.
    static func join(_ segments: [Segment]) -> [Ring] {
        var starts: [Place: [Int]] = [:]
        for (number, segment) in segments.enumerated() {
            if let first = segment.points.first {
                starts[Place(segment.shore, first), default: []].append(number)
            }
        }
        var isUsed = [Bool](repeating: false, count: segments.count)
        var rings: [Ring] = []
        for number in segments.indices where !isUsed[number] && !segments[number].points.isEmpty {
            var points: [(x: Double, y: Double)] = []
            var next: Int? = number
            while let at = next, !isUsed[at] {
                isUsed[at] = true
                points += segments[at].points
                let end = Place(segments[at].shore, segments[at].points[segments[at].points.count - 1])
                next = starts[end]?.first { !isUsed[$0] }
            }
            if points.count > 2 { rings.append(Ring(level: segments[number].level, points: closed(points))) }
        }
        return rings
    }

    /// Longitudes that go on across the 180° meridian; a ring around the pole is closed along it.
    private static func closed(_ points: [(x: Double, y: Double)]) -> [Double] {
        var result: [Double] = []
        var last = points[0].x > 180 ? points[0].x - 360 : points[0].x
        for point in points {
            let x = point.x + ((last - point.x) / 360).rounded() * 360
            result += [x, point.y]
            last = x
        }
        if abs(last - result[0]) > 180 { result += [last, -90, result[0], -90] }
        return result
    }
}

/// GMT's netCDF file, read through GDAL's multidimensional interface.
private final class BinnedFile {
    private let path: String
    private let dataset: GDALDatasetH
    private let group: GDALGroupH

    init(_ path: String) throws {
        self.path = path
        let opened = GDALRuntime.capturing {
            GDALOpenEx(path, UInt32(GDAL_OF_MULTIDIM_RASTER) | UInt32(GDAL_OF_READONLY), nil, nil, nil)
        }
        guard let dataset = opened.value, let group = GDALDatasetGetRootGroup(dataset) else {
            if let dataset = opened.value { GDALClose(dataset) }
            throw RasterError(
                "cannot read the coastlines \(path): \(opened.message ?? "GDAL gave no reason"); install "
                    + "Debian's gmt-gshhg-low, or run scripts/setup")
        }
        self.dataset = dataset
        self.group = group
    }

    deinit {
        GDALGroupRelease(group)
        GDALClose(dataset)
    }

    func segments() throws -> [Coastline.Segment] {
        let minutes = try numbers("Bin_size_in_minutes")
        let across = try numbers("N_bins_in_360_longitude_range")
        let (firsts, counts) = (
            try numbers("Id_of_first_segment_in_a_bin"), try numbers("N_segments_in_a_bin")
        )
        let words = try numbers("Embedded_npts_levels_exit_entry_for_a_segment")
        let starts = try numbers("Id_of_first_point_in_a_segment")
        let shores = try numbers("Id_of_GSHHS_ID")
        let x = try numbers("Relative_longitude_from_SW_corner_of_bin")
        let y = try numbers("Relative_latitude_from_SW_corner_of_bin")
        guard let bin = minutes.first.map({ Double($0) / 60 }), let columns = across.first, bin > 0,
            columns > 0,
            firsts.count == counts.count, words.count == starts.count, words.count == shores.count,
            x.count == y.count
        else { throw damaged }
        var segments: [Coastline.Segment] = []
        for (number, first) in firsts.enumerated() {
            let west = Double(number % columns) * bin
            let south = 90 - Double(number / columns + 1) * bin
            for segment in first..<first + counts[number] {
                guard words.indices.contains(segment) else { throw damaged }
                let (level, count) = (words[segment] >> 6 & 7, words[segment] >> 9)
                let start = starts[segment]
                guard start >= 0, count >= 0, start + count <= x.count else { throw damaged }
                guard [1, 2, 3, 5].contains(level) else { continue }
                let points = (start..<start + count).map { point in
                    (
                        x: west + Double(UInt16(truncatingIfNeeded: x[point])) * bin / 65_535,
                        y: south + Double(UInt16(truncatingIfNeeded: y[point])) * bin / 65_535
                    )
                }
                segments.append(
                    Coastline.Segment(shore: shores[segment], level: level == 5 ? 1 : level, points: points))
            }
        }
        return segments
    }

    private var damaged: RasterError {
        RasterError(
            "the coastlines \(path) have another form than GMT's; install Debian's gmt-gshhg-low again")
    }

    private func numbers(_ name: String) throws -> [Int] {
        guard let array = GDALGroupOpenMDArray(group, name, nil) else { throw damaged }
        defer { GDALMDArrayRelease(array) }
        let total = Int(GDALMDArrayGetTotalElementsCount(array))
        guard GDALMDArrayGetDimensionCount(array) == 1, (1...1 << 24).contains(total) else { throw damaged }
        var values = [Int32](repeating: 0, count: total)
        var (start, count, step, stride) = (UInt64(0), total, Int64(1), Int64(1))
        guard let type = GDALExtendedDataTypeCreate(GDT_Int32) else { throw damaged }
        defer { GDALExtendedDataTypeRelease(type) }
        let isRead = GDALRuntime.capturing {
            GDALMDArrayRead(array, &start, &count, &step, &stride, type, &values, nil, 0)
        }
        guard isRead.value != 0 else { throw damaged }
        return values.map { Int($0) }
    }
}
