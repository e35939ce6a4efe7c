import Testing

@testable import Raster

@Suite struct DistanceTransformTests {
    @Test func aPointBecomesADisc() {
        var plane = [UInt8](repeating: 0, count: 49)
        plane[24] = 1
        DistanceTransform.grow(&plane, width: 7, height: 7, radius: 2)
        #expect(
            plane == [
                0, 0, 0, 0, 0, 0, 0,
                0, 0, 0, 1, 0, 0, 0,
                0, 0, 1, 1, 1, 0, 0,
                0, 1, 1, 1, 1, 1, 0,
                0, 0, 1, 1, 1, 0, 0,
                0, 0, 0, 1, 0, 0, 0,
                0, 0, 0, 0, 0, 0, 0,
            ])
    }

    @Test(
        arguments: [(1, 1), (1, 40), (40, 1), (23, 31), (40, 40)],
        [0, 0.5, 1, 1.4142135623730951, 2.5, 5, 13])
    func asByBruteForce(size: (Int, Int), radius: Double) {
        let (width, height) = size
        for share in [0, 1, 4, 30] {
            var numbers = TestNumbers(state: UInt64(width * 100 + height + share))
            let seeds = (0..<width * height).map { _ -> UInt8 in
                Int.random(in: 0..<200, using: &numbers) < share ? 1 : 0
            }
            var grown = seeds
            DistanceTransform.grow(&grown, width: width, height: height, radius: radius)
            let points = seeds.indices.filter { seeds[$0] == 1 }.map { ($0 % width, $0 / width) }
            let expected = seeds.indices.map { place -> UInt8 in
                let (x, y) = (place % width, place / width)
                let isNear = points.contains { point in
                    let (dx, dy) = (point.0 - x, point.1 - y)
                    return Double(dx * dx + dy * dy) <= radius * radius + 1e-9
                }
                return isNear ? 1 : 0
            }
            #expect(grown == expected, "\(width) × \(height), radius \(radius), \(share) of 200")
        }
    }
}
