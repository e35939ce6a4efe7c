/// What varies slowly over a granule, sampled every few pixels; the lanes are named below.
typealias Node = SIMD16<Float>

extension Node {
    var elevation: Float { self[0] }
    /// 1 on level ground, more on slopes towards the sun, less on those turned from it.
    var light: Float { self[1] }
    /// Distances in pixels to the bed of the river and of the nearest brook; the sign tells the bank.
    var riverDistance: Float { self[2] }
    var brookDistance: Float { self[3] }
    var lake: Float { self[4] }
    var moisture: Float { self[5] }
    var town: Float { self[6] }
    var cloud: Float { self[7] }
    var shading: Float { self[8] }
    var cirrus: Float { self[9] }
    /// As `light`, on the tops of the clouds.
    var cloudLight: Float { self[10] }
}

/// The nodes of a band of rows of a granule: one every `spacing` pixels, with what lies between interpolated.
struct Lattice {
    static let spacing = 4

    private let columns: Int
    private let firstRow: Int
    private let phase: Int
    private var nodes: [Node]

    /// Nodes around the pixel rows `rows` (10 m) of a granule.
    init(_ granule: Granule, land: Landscape, sky: Sky, rows: Range<Int>) {
        let spacing = Self.spacing
        phase = granule.latticePhase
        columns = (granule.size + phase) / spacing + 2
        firstRow = rows.lowerBound / spacing
        let lastRow = rows.upperBound / spacing + 1
        let size = Float(granule.size)

        // One more node on every side, for the slopes.
        let width = columns + 2
        var raw: [(relief: Landscape.Relief, weather: Sky.Weather)] = []
        raw.reserveCapacity(width * (lastRow - firstRow + 3))
        for row in (firstRow - 1)...(lastRow + 1) {
            for column in -1...columns {
                let at = granule.position(
                    x: Double(column * spacing - phase), y: Double(row * spacing))
                raw.append((land.relief(at.x, at.y), sky.weather(at.x, at.y)))
            }
        }
        nodes = []
        nodes.reserveCapacity(columns * (lastRow - firstRow + 1))
        for row in 0...(lastRow - firstRow) {
            for column in 0..<columns {
                let at = (row + 1) * width + column + 1
                nodes.append(Self.node(raw, at: at, width: width, size: size))
            }
        }
    }

    private static func node(
        _ raw: [(relief: Landscape.Relief, weather: Sky.Weather)], at: Int, width: Int, size: Float
    ) -> Node {
        let reach = Float(2 * spacing)
        func slope(_ value: ((relief: Landscape.Relief, weather: Sky.Weather)) -> Float) -> SIMD2<Float> {
            SIMD2(value(raw[at + 1]) - value(raw[at - 1]), value(raw[at + width]) - value(raw[at - width]))
                / reach
        }
        func length(_ v: SIMD2<Float>) -> Float { (v * v).sum().squareRoot() }
        let here = raw[at]
        let toSun = SIMD2<Float>(0.6, 0.8)
        let fall = -(slope { $0.relief.elevation } * toSun).sum() * size
        let cloudFall = -(slope { $0.weather.cloud } * toSun).sum() * min(size, 1600)
        var node = Node()
        node[0] = here.relief.elevation
        node[1] = 1 + 0.105 * fall
        node[2] = here.relief.river / (length(slope { $0.relief.river }) + 0.3 / size)
        node[3] = here.relief.brook / (length(slope { $0.relief.brook }) + 1.5 / size)
        node[4] = here.relief.lake
        node[5] = here.relief.moisture
        node[6] = here.relief.town
        node[7] = here.weather.cloud
        node[8] = here.weather.shading
        node[9] = here.weather.cirrus
        node[10] = 1 + 0.012 * cloudFall
        return node
    }

    /// The interpolated node at a pixel position of the granule (10 m units; pixel centres end in .5).
    @inline(__always)
    func at(x: Float, y: Float) -> Node {
        let u = (x + Float(phase)) * (1 / Float(Self.spacing))
        let v = y * (1 / Float(Self.spacing)) - Float(firstRow)
        let column = Int(u)
        let row = Int(v)
        let fx = u - Float(column)
        let fy = v - Float(row)
        let first = row * columns + column
        let top = nodes[first] + (nodes[first + 1] - nodes[first]) * fx
        let below = first + columns
        let bottom = nodes[below] + (nodes[below + 1] - nodes[below]) * fx
        return top + (bottom - top) * fy
    }
}
