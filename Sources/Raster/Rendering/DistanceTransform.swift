/// Grows areas by a distance: exact Euclidean distances in two passes (P. Felzenszwalb and D. Huttenlocher,
/// "Distance transforms of sampled functions", Theory of Computing 8, 2012).
enum DistanceTransform {
    /// Sets to 1 every pixel whose centre lies within `radius` pixels of a pixel that is 1.
    ///
    /// - Parameter plane: `width` × `height` bytes, 0 or 1, row by row.
    static func grow(_ plane: inout [UInt8], width: Int, height: Int, radius: Double) {
        guard radius > 0, plane.contains(1) else { return }
        let far = Float(width + height) * Float(width + height)
        var squared = [Float](repeating: far, count: plane.count)
        columns(plane, &squared, width, height, far)
        let limit = Float(radius * radius) + 1e-3
        var envelope = Envelope(capacity: width)
        for row in 0..<height {
            let start = row * width
            envelope.build(squared[start..<start + width], far: far)
            envelope.visit(width) { column, distance in
                if distance <= limit { plane[start + column] = 1 }
            }
        }
    }

    /// Squared distance to the nearest set pixel in the same column.
    private static func columns(
        _ plane: [UInt8], _ squared: inout [Float], _ width: Int, _ height: Int, _ far: Float
    ) {
        for column in 0..<width {
            var last = -1
            for row in 0..<height {
                if plane[row * width + column] == 1 { last = row }
                if last >= 0 { squared[row * width + column] = Float((row - last) * (row - last)) }
            }
            last = -1
            for row in stride(from: height - 1, through: 0, by: -1) {
                if plane[row * width + column] == 1 { last = row }
                guard last >= 0 else { continue }
                let distance = Float((last - row) * (last - row))
                squared[row * width + column] = min(squared[row * width + column], distance)
            }
        }
    }

    /// The lower envelope of the parabolas (x − q)² + f(q).
    private struct Envelope {
        private var places: [Int]
        private var heights: [Float]
        private var borders: [Float]
        private var count = 0

        init(capacity: Int) {
            places = [Int](repeating: 0, count: capacity)
            heights = [Float](repeating: 0, count: capacity)
            borders = [Float](repeating: 0, count: capacity + 1)
        }

        mutating func build(_ values: ArraySlice<Float>, far: Float) {
            count = 0
            for (place, value) in values.enumerated() where value < far {
                var border = -Float.infinity
                while count > 0 {
                    let other = places[count - 1]
                    let left = heights[count - 1] + Float(other * other)
                    border = (value + Float(place * place) - left) / Float(2 * (place - other))
                    if border > borders[count - 1] { break }
                    count -= 1
                }
                if count == 0 { border = -.infinity }
                places[count] = place
                heights[count] = value
                borders[count] = border
                count += 1
            }
        }

        func visit(_ width: Int, _ body: (Int, Float) -> Void) {
            guard count > 0 else { return }
            var current = 0
            for place in 0..<width {
                while current + 1 < count, borders[current + 1] < Float(place) { current += 1 }
                let across = Float(place - places[current])
                body(place, across * across + heights[current])
            }
        }
    }
}
