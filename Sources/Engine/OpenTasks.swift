import Mosaic
import Synchronization

/// Which tasks are unfinished, by where they lie: what the cache of source blocks had better keep.
final class OpenTasks: Sendable {
    private let edge: Int
    private let columns: Int
    private let rows: Int
    private let cells: [Int]
    private let open: Mutex<Set<Int>>

    init(_ plan: MosaicPlan) {
        let edge = plan.taskEdge
        let columns = (plan.grid.columns + edge - 1) / edge
        (self.edge, self.columns, rows) = (edge, columns, (plan.grid.rows + edge - 1) / edge)
        let cells = plan.tasks.map { $0.window.y / edge * columns + $0.window.x / edge }
        self.cells = cells
        open = Mutex(Set(cells))
    }

    func finished(_ number: Int) { open.withLock { _ = $0.remove(cells[number]) } }

    /// Whether an unfinished task touches a window of the job grid.
    func touch(_ window: PixelWindow) -> Bool {
        let left = max(0, window.x) / edge
        let top = max(0, window.y) / edge
        let right = min(columns - 1, (window.endX - 1) / edge)
        let bottom = min(rows - 1, (window.endY - 1) / edge)
        guard window.endX > 0, window.endY > 0, left <= right, top <= bottom else { return false }
        return open.withLock { open in
            (top...bottom).contains { row in (left...right).contains { open.contains(row * columns + $0) } }
        }
    }
}
