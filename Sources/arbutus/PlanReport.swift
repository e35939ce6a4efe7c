import Engine
import Foundation
import Mosaic

/// What `arbutus plan` shows: the mosaic, its cost, and what was found out about each scene.
struct PlanReport: Codable {
    /// Rows × columns of the mosaic and where they lie.
    var grid: Grid
    var indices: [String]
    var select: SelectionRule
    var tasks: Int
    /// Side of a task in pixels.
    var taskEdge: Int
    var estimate: PlanEstimate
    var threads: Int
    /// Bytes that the job will hold on this machine, at most.
    var memory: Int
    /// In plan order, with the bands that the job reads.
    var scenes: [Scene]
    /// Of the scenes, in the mosaic's CRS.
    var extents: [Bounds]
    /// What the scenes' readers noticed.
    var warnings: [String]

    /// - Throws: `EngineError` when the job does not fit in the machine's memory.
    init(_ plan: MosaicPlan, png: Bool, limits: MachineLimits) throws {
        let need = MemoryNeed(plan, png: png)
        threads = min(try need.threads(within: limits), max(1, plan.tasks.count))
        memory = need.bytes(within: limits, threads: threads)
        grid = plan.grid
        indices = plan.indices.map(\.name)
        select = plan.rules.select
        tasks = plan.tasks.count
        taskEdge = plan.taskEdge
        estimate = PlanEstimate(plan, threads: threads)
        scenes = plan.scenes
        extents = plan.extents
        warnings = plan.warnings
    }

    /// The report as tables.
    var text: String {
        ([overview, "", sceneTable] + warnings.map { "warning: " + Terminal.printable($0) })
            .joined(separator: "\n")
    }

    private var overview: String {
        var table = Table([.left, .left])
        let size = Self.shown(grid.pixelWidth) + " × " + Self.shown(grid.pixelHeight)
        table.add("mosaic", "\(grid.columns) × \(grid.rows) pixels of \(size), \(grid.crs)")
        table.add("extent", Self.shown(grid.bounds))
        table.add("indices", indices.joined(separator: ", "))
        table.add("selection", select.rawValue)
        table.add("tasks", "\(tasks) of at most \(taskEdge) × \(taskEdge) pixels")
        table.add("to read", "at most \(Quantity.bytes(estimate.bytesToRead))")
        table.add("memory", "at most \(Quantity.bytes(memory)), \(threads) thread\(threads == 1 ? "" : "s")")
        let low = Quantity.duration(estimate.secondsLow)
        let high = Quantity.duration(estimate.secondsHigh)
        table.add("time", low == high ? "about \(low)" : "\(low) to \(high)")
        return table.text
    }

    private var sceneTable: String {
        var table = Table([.left, .left, .left, .right, .left, .right, .left, .left, .left])
        table.add("scene", "product", "date", "cloud", "CRS", "pixel", "radiometry", "SCL", "extent")
        for (scene, extent) in zip(scenes, extents) {
            let finest = scene.bands.values.map(\.grid).min { $0.pixelWidth < $1.pixelWidth }
            table.add(
                scene.id, Self.product(scene), Self.date(scene.acquired),
                scene.cloudCover.map { "\(Self.shown(($0 * 10).rounded() / 10)) %" } ?? "–",
                finest?.crs.description ?? "–", finest.map { Self.shown($0.pixelWidth) } ?? "–",
                Self.radiometry(scene), scene.classification == nil ? "no" : "yes", Self.shown(extent))
        }
        return table.text
    }

    private static func product(_ scene: Scene) -> String {
        let baseline = scene.baseline.map { String(format: "%05.2f", $0) }
        return ([scene.sensor.rawValue] + [scene.level, scene.tile, baseline].compactMap { $0 })
            .joined(separator: " ")
    }

    /// Each offset and scale that occurs, with the rule that gave it.
    private static func radiometry(_ scene: Scene) -> String {
        let words = scene.bands.values.map { band in
            "(DN \(band.radiometry.offset < 0 ? "−" : "+") \(shown(band.radiometry.offset.magnitude))) × "
                + "\(band.radiometry.scale) (\(band.radiometry.origin.rawValue))"
        }
        return Set(words).sorted().joined(separator: "; ")
    }

    private static func date(_ seconds: Double?) -> String {
        guard let seconds, seconds.magnitude < 1e11 else { return "–" }
        return Date(timeIntervalSince1970: seconds).formatted(.iso8601)
    }

    private static func shown(_ bounds: Bounds) -> String {
        "\(shown(bounds.left)),\(shown(bounds.bottom)) to \(shown(bounds.right)),\(shown(bounds.top))"
    }

    /// At most eight digits after the point, without trailing zeros.
    private static func shown(_ number: Double) -> String {
        var text = String(format: "%.8f", number)
        while text.hasSuffix("0") { text.removeLast() }
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }
}
