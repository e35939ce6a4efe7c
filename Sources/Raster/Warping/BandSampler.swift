import CKernels
import Mosaic

/// Brings bands onto windows of the job grid: copied where the lattices agree, resampled where they do not.
final class BandSampler {
    let reader: SourceReader
    let scratch: Scratch
    private let job: Grid
    private var transforms: [CRS: CoordinateTransform] = [:]

    init(job: Grid, reader: SourceReader, scratch: Scratch) {
        self.job = job
        self.reader = reader
        self.scratch = scratch
    }

    /// How a window of the job grid lies in a lattice.
    enum Placing {
        /// The same lattice: the window's pixels are these.
        case aligned(PixelWindow)
        /// The same CRS: columns and rows map on their own. Coordinates of pixel centres from the outer
        /// corner.
        case axis(x: [Double], y: [Double])
        /// Another CRS: coordinates of each pixel centre, row by row, in buffers that the next call
        /// overwrites.
        case free(UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>)
    }

    func place(_ window: PixelWindow, in lattice: Grid) throws -> Placing {
        if let offset = job.offset(in: lattice) { return .aligned(window.offset(x: offset.x, y: offset.y)) }
        if lattice.crs == job.crs {
            let x = (window.x..<window.endX).map { column in
                (job.originX + (Double(column) + 0.5) * job.pixelWidth - lattice.originX) / lattice.pixelWidth
            }
            let y = (window.y..<window.endY).map { row in
                (lattice.originY - job.originY + (Double(row) + 0.5) * job.pixelHeight) / lattice.pixelHeight
            }
            return .axis(x: x, y: y)
        }
        let xs = scratch.doubles(.coordinateX, atLeast: window.count)
        let ys = scratch.doubles(.coordinateY, atLeast: window.count)
        let coordinates = Coordinates(job: job, source: lattice, transform: try transform(to: lattice.crs))
        try coordinates.fill(window, xs, ys)
        return .free(xs, ys)
    }

    private func transform(to crs: CRS) throws -> CoordinateTransform {
        if let known = transforms[crs] { return known }
        let made = try CoordinateTransform(from: job.crs, to: crs)
        transforms[crs] = made
        return made
    }

    /// Job pixel ÷ pixel of `grid` at the middle of `grid`, the smaller of the two directions.
    func ratio(to grid: Grid) throws -> Double {
        guard grid.crs != job.crs else {
            return min(job.pixelWidth / grid.pixelWidth, job.pixelHeight / grid.pixelHeight)
        }
        let centre = grid.bounds.centre
        let back = try CoordinateTransform(from: grid.crs, to: job.crs)
        var x = [centre.x, centre.x + grid.pixelWidth, centre.x]
        var y = [centre.y, centre.y, centre.y + grid.pixelHeight]
        back.transform(x: &x, y: &y)
        let across = ((x[1] - x[0]) * (x[1] - x[0]) + (y[1] - y[0]) * (y[1] - y[0])).squareRoot()
        let down = ((x[2] - x[0]) * (x[2] - x[0]) + (y[2] - y[0]) * (y[2] - y[0])).squareRoot()
        let ratio = min(job.pixelWidth / across, job.pixelHeight / down)
        return ratio.isFinite ? ratio : 1
    }

    /// Fills `target` (`window.count` floats, row by row) with the band's DN; NaN where it has none.
    func sample(
        _ band: SampledBand, _ window: PixelWindow, _ method: Resampling,
        into target: UnsafeMutablePointer<Float>
    ) throws {
        switch try place(window, in: band.grid) {
        case .aligned(let source):
            let held = source.intersection(band.grid.window)
            if held != source { target.update(repeating: .nan, count: window.count) }
            guard !held.isEmpty else { return }
            let start = target + (held.y - source.y) * window.width + held.x - source.x
            try band.read(held, into: start, stride: window.width, from: reader, scratch: scratch)
        case .axis(let x, let y):
            try sampleAxis(band, x, y, method, target)
        case .free(let xs, let ys):
            try sampleFree(band, xs, ys, window.count, method, target)
        }
    }

    /// Decodes what `sample` will want of a band on the job's own lattice and nobody decodes yet.
    func decodeAhead(_ band: SampledBand, _ window: PixelWindow) throws {
        guard band.factor == 1, let offset = job.offset(in: band.grid) else { return }
        let source = window.offset(x: offset.x, y: offset.y)
        try reader.decodeAhead(band.band, source.intersection(band.grid.window))
    }

    private func sampleAxis(
        _ band: SampledBand, _ x: [Double], _ y: [Double], _ method: Resampling,
        _ target: UnsafeMutablePointer<Float>
    ) throws {
        guard method == .bilinear else {
            let count = x.count * y.count
            let xs = scratch.doubles(.coordinateX, atLeast: count)
            let ys = scratch.doubles(.coordinateY, atLeast: count)
            for row in y.indices {
                for column in x.indices {
                    xs[row * x.count + column] = x[column]
                    ys[row * x.count + column] = y[row]
                }
            }
            return try sampleFree(band, xs, ys, count, method, target)
        }
        let columns = x.map(Neighbours.init)
        let rows = y.map(Neighbours.init)
        guard
            let source = try load(
                band, left: columns[0].first, right: columns[columns.count - 1].first + 1, top: rows[0].first,
                bottom: rows[rows.count - 1].first + 1)
        else { return target.update(repeating: .nan, count: x.count * y.count) }
        let (window, pixels) = (source.window, source.pixels)
        let first = columns.map { Int32(clamping: $0.first - window.x) }
        let weights = columns.map(\.weight)
        let values = scratch.floats(.rowValues, atLeast: window.width + 2)
        let sums = scratch.floats(.rowWeights, atLeast: window.width + 2)
        for (row, place) in rows.enumerated() {
            arb_bilinear_row(
                pixels, window.width, Int32(window.width), Int32(window.height), first, weights,
                Int32(clamping: place.first - window.y), place.weight, target + row * x.count, x.count,
                values, sums)
        }
    }

    /// The two samples that a coordinate lies between, and the weight of the second.
    private struct Neighbours {
        let first: Int
        let weight: Float

        /// - Parameter coordinate: from the outer corner. Within a millionth of a sample's centre it is that
        ///   sample.
        init(_ coordinate: Double) {
            let place = max(-1e9, min(1e9, coordinate - 0.5))
            let near = place.rounded()
            let exact = abs(place - near) < 1e-6
            first = Int(exact ? near : place.rounded(.down))
            weight = exact ? 0 : Float(place - place.rounded(.down))
        }
    }

    private func sampleFree(
        _ band: SampledBand, _ xs: UnsafeMutablePointer<Double>, _ ys: UnsafeMutablePointer<Double>,
        _ count: Int,
        _ method: Resampling, _ target: UnsafeMutablePointer<Float>
    ) throws {
        let halo = method == .cubic ? 2 : 1
        guard let box = Self.box(xs, ys, count, in: band.grid, halo: halo),
            let source = try load(
                band, left: box.x, right: box.endX - 1, top: box.y, bottom: box.endY - 1)
        else { return target.update(repeating: .nan, count: count) }
        let (window, pixels) = (source.window, source.pixels)
        if method == .nearest {
            for index in 0..<count {
                let x = xs[index].rounded(.down) - Double(window.x)
                let y = ys[index].rounded(.down) - Double(window.y)
                let inside = x >= 0 && y >= 0 && x < Double(window.width) && y < Double(window.height)
                target[index] = inside ? pixels[Int(y) * window.width + Int(x)] : .nan
            }
            return
        }
        let x = scratch.floats(.rowValues, atLeast: count)
        let y = scratch.floats(.rowWeights, atLeast: count)
        for index in 0..<count {
            x[index] = Float(xs[index] - 0.5 - Double(window.x))
            y[index] = Float(ys[index] - 0.5 - Double(window.y))
        }
        let kernel = method == .cubic ? arb_cubic : arb_bilinear
        kernel(pixels, window.width, Int32(window.width), Int32(window.height), x, y, target, count)
    }

    /// The window of `grid` that holds every sample near the coordinates; nil when none does.
    private static func box(
        _ xs: UnsafeMutablePointer<Double>, _ ys: UnsafeMutablePointer<Double>, _ count: Int, in grid: Grid,
        halo: Int
    ) -> PixelWindow? {
        var (left, right, top, bottom) = (
            Double.infinity, -Double.infinity, Double.infinity, -Double.infinity
        )
        let (width, height) = (Double(grid.columns), Double(grid.rows))
        for index in 0..<count {
            let (x, y) = (xs[index], ys[index])
            guard x > -1, y > -1, x < width + 1, y < height + 1 else { continue }
            left = min(left, x)
            right = max(right, x)
            top = min(top, y)
            bottom = max(bottom, y)
        }
        guard left <= right else { return nil }
        return PixelWindow(
            x: Int(left.rounded(.down)) - halo, y: Int(top.rounded(.down)) - halo,
            width: Int(right.rounded(.down)) - Int(left.rounded(.down)) + 1 + 2 * halo,
            height: Int(bottom.rounded(.down)) - Int(top.rounded(.down)) + 1 + 2 * halo)
    }

    private func load(
        _ band: SampledBand, left: Int, right: Int, top: Int, bottom: Int
    ) throws -> (window: PixelWindow, pixels: UnsafeMutablePointer<Float>)? {
        let wanted = PixelWindow(x: left, y: top, width: right - left + 1, height: bottom - top + 1)
        let held = wanted.intersection(band.grid.window)
        guard !held.isEmpty else { return nil }
        let pixels = scratch.floats(.source, atLeast: held.count)
        try band.read(held, into: pixels, stride: held.width, from: reader, scratch: scratch)
        return (held, pixels)
    }

    /// Fills `target` (`window.count` bytes) with the classes at the pixel centres; 0 (no data) outside the
    /// band.
    func sampleClasses(_ band: Band, _ window: PixelWindow, into target: UnsafeMutablePointer<UInt8>) throws {
        target.update(repeating: 0, count: window.count)
        switch try place(window, in: band.grid) {
        case .aligned(let source):
            let held = source.intersection(band.grid.window)
            guard !held.isEmpty else { return }
            let start = target + (held.y - source.y) * window.width + held.x - source.x
            try reader.readClasses(band, held, into: start, stride: window.width)
        case .axis(let x, let y):
            let columns = x.map { Int($0.rounded(.down)) }
            let rows = y.map { Int($0.rounded(.down)) }
            let wanted = PixelWindow(
                x: columns[0], y: rows[0], width: columns[columns.count - 1] - columns[0] + 1,
                height: rows[rows.count - 1] - rows[0] + 1)
            let held = wanted.intersection(band.grid.window)
            guard !held.isEmpty else { return }
            let pixels = scratch.octets(.classes, atLeast: held.count)
            try reader.readClasses(band, held, into: pixels, stride: held.width)
            for (row, sourceRow) in rows.enumerated() where sourceRow >= held.y && sourceRow < held.endY {
                let line = pixels + (sourceRow - held.y) * held.width - held.x
                let out = target + row * window.width
                for (column, sourceColumn) in columns.enumerated()
                where sourceColumn >= held.x && sourceColumn < held.endX { out[column] = line[sourceColumn] }
            }
        case .free(let xs, let ys):
            guard let box = Self.box(xs, ys, window.count, in: band.grid, halo: 1) else { return }
            let held = box.intersection(band.grid.window)
            guard !held.isEmpty else { return }
            let pixels = scratch.octets(.classes, atLeast: held.count)
            try reader.readClasses(band, held, into: pixels, stride: held.width)
            for index in 0..<window.count {
                let x = xs[index].rounded(.down) - Double(held.x)
                let y = ys[index].rounded(.down) - Double(held.y)
                guard x >= 0, y >= 0, x < Double(held.width), y < Double(held.height) else { continue }
                target[index] = pixels[Int(y) * held.width + Int(x)]
            }
        }
    }

    /// Marks with 1 the pixels of `window` whose centre lies inside `grid`, with 0 the others.
    ///
    /// - Returns: how many lie inside.
    func coverage(of grid: Grid, _ window: PixelWindow, into target: UnsafeMutablePointer<UInt8>) throws
        -> Int
    {
        switch try place(window, in: grid) {
        case .aligned(let source):
            let held = source.intersection(grid.window)
            target.update(repeating: held == source ? 1 : 0, count: window.count)
            guard held != source else { return held.count }
            for row in held.y..<max(held.y, held.endY) {
                (target + (row - source.y) * window.width + held.x - source.x).update(
                    repeating: 1, count: held.width)
            }
            return held.count
        case .axis(let x, let y):
            let columns = x.map { $0 >= 0 && $0 < Double(grid.columns) }
            let rows = y.map { $0 >= 0 && $0 < Double(grid.rows) }
            for row in rows.indices {
                for column in columns.indices {
                    target[row * window.width + column] = rows[row] && columns[column] ? 1 : 0
                }
            }
            return rows.count(where: { $0 }) * columns.count(where: { $0 })
        case .free(let xs, let ys):
            var inside = 0
            for index in 0..<window.count {
                let (x, y) = (xs[index], ys[index])
                let covered = x >= 0 && y >= 0 && x < Double(grid.columns) && y < Double(grid.rows)
                target[index] = covered ? 1 : 0
                inside += covered ? 1 : 0
            }
            return inside
        }
    }
}
