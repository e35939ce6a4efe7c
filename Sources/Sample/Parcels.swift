/// Fields of a farmed plain: districts with a direction of their own (a jittered Voronoi diagram), cut into
/// rows and parcels with one crop each, hedges between parcels and roads between districts.
struct Parcels: Sendable {
    let seed: UInt32

    struct Parcel {
        var crop: Int
        /// Evenly spread over the parcels, 0 to 1: growth, moisture, tint.
        var vigour: Float
        /// 0 to 1 along the rows of the crop, for a faint stripe.
        var across: Float
        /// On the border between two parcels of a district.
        var isHedge: Bool
        /// On the border of the district.
        var isRoad: Bool
    }

    private static let district: Float = 118
    /// Keeps rotated positions positive.
    private static let shift: Float = 32_768
    /// Cosine and sine of eight directions.
    private static let directions: [SIMD2<Float>] = [
        [1, 0], [0.9659, 0.2588], [0.8660, 0.5], [0.7071, 0.7071], [0.5, 0.8660], [0.2588, 0.9659],
        [0.9848, -0.1736], [0.8660, -0.5],
    ]

    /// The parcel at a position in units of 10 m.
    func parcel(_ x: Float, _ y: Float) -> Parcel {
        let (site, border) = nearestDistrict(x, y)
        let direction = Self.directions[Int(site & 7)]
        let u = x * direction.x + y * direction.y + Float(site >> 23)
        let v = y * direction.x - x * direction.y + Self.shift
        let height = 7 + Float((site >> 3) & 15)
        let row = Int32(v / height)
        let rowHash = Noise.hash(row, Int32(bitPattern: site), seed &+ 1)
        let width = 14 + Float(rowHash & 31)
        let along = u + Self.shift + Float((rowHash >> 8) & 63)
        let column = Int32(along / width)
        let hash = Noise.hash(column, row, site ^ seed)
        let inRow = v - Float(row) * height
        let inColumn = along - Float(column) * width
        return Parcel(
            crop: Int(hash & 15), vigour: Float((hash >> 8) & 0xFFFF) * (1 / 65_535),
            across: inRow / height,
            isHedge: (inRow < 0.9 && hash >> 30 == 0) || (inColumn < 0.7 && hash >> 31 == 0),
            isRoad: border < 0.75)
    }

    /// The hash of the nearest district and the distance in pixels to the border with the next.
    private func nearestDistrict(_ x: Float, _ y: Float) -> (hash: UInt32, border: Float) {
        let column = Int32(x / Self.district)
        let row = Int32(y / Self.district)
        var nearest = Float.infinity
        var second = Float.infinity
        var site: UInt32 = 0
        for dy in Int32(-1)...1 {
            for dx in Int32(-1)...1 {
                let h = Noise.hash(column + dx, row + dy, seed)
                let px =
                    (Float(column + dx) + 0.1 + 0.8 * Float(h & 0xFFFF) * (1 / 65_535)) * Self.district - x
                let py = (Float(row + dy) + 0.1 + 0.8 * Float(h >> 16) * (1 / 65_535)) * Self.district - y
                let distance = px * px + py * py
                if distance < nearest {
                    second = nearest
                    nearest = distance
                    site = h
                } else if distance < second {
                    second = distance
                }
            }
        }
        return (site, second.squareRoot() - nearest.squareRoot())
    }
}
