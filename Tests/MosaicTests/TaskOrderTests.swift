import Testing

@testable import Mosaic

@Suite struct TaskOrderTests {
    private func grid(_ x: Double, _ y: Double, pixel: Double = 10, zone: Int = 32610) -> Grid {
        Grid(
            crs: CRS("EPSG:\(zone)"), originX: x, originY: y, pixelWidth: pixel, pixelHeight: pixel,
            columns: 10_980,
            rows: 10_980)
    }

    /// Granules of one row of Sentinel-2's tiling lie 10,002 px apart: their blocks end within tasks from
    /// left to right only. (All figures by hand: 1024 px of 10 m are 10,240 m.)
    @Test func rowsWhereBlocksAreSharedAcross() {
        let home = grid(399_960, 5_600_040)
        func order(_ sources: Grid...) -> TaskOrder { TaskOrder(home, sources: sources, edge: 1024) }
        #expect(order(home, grid(499_980, 5_600_040)) == .rows)
        #expect(order(home, grid(399_960, 5_500_020)) == .columns)
        #expect(order(home, grid(499_980, 5_500_020)) == .hilbert)
        #expect(order(home, grid(399_960 + 10_240, 5_600_040 - 20_480)) == .hilbert, "nothing is shared")
        #expect(order(home, grid(499_980, 5_600_040), grid(399_960, 5_600_040, pixel: 20)) == .hilbert)
        #expect(order(home, grid(499_980, 5_600_040, zone: 32611)) == .hilbert)
    }

    @Test func everyCellHasItsOwnPlace() {
        for order in [TaskOrder.rows, .columns, .hilbert] {
            let places = (0..<15).map { order.place(column: $0 % 5, row: $0 / 5, columns: 5, rows: 3) }
            #expect(Set(places).count == 15)
        }
        #expect(TaskOrder.rows.place(column: 4, row: 1, columns: 5, rows: 3) == 9)
        #expect(TaskOrder.columns.place(column: 4, row: 1, columns: 5, rows: 3) == 13)
    }
}
