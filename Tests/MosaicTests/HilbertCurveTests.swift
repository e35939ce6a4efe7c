import Testing

@testable import Mosaic

@Suite struct HilbertCurveTests {
    @Test(arguments: [1, 2, 4, 8, 32, 64])
    func everyCellHasItsOwnPlaceAndNeighboursFollow(side: Int) {
        var cells = [(x: Int, y: Int)?](repeating: nil, count: side * side)
        for y in 0..<side {
            for x in 0..<side {
                let place = HilbertCurve.distance(x: x, y: y, side: side)
                #expect(cells.indices.contains(place) && cells[place] == nil, "(\(x), \(y)) at \(place)")
                cells[place] = (x, y)
            }
        }
        let steps = zip(cells, cells.dropFirst()).map { abs($0!.x - $1!.x) + abs($0!.y - $1!.y) }
        #expect(steps.allSatisfy { $0 == 1 })
    }

    /// The smallest curve: up the left side, over, and down the right one.
    @Test func theFirstOrder() {
        let places = [(0, 0), (0, 1), (1, 1), (1, 0)].map { HilbertCurve.distance(x: $0.0, y: $0.1, side: 2) }
        #expect(places == [0, 1, 2, 3])
    }
}
