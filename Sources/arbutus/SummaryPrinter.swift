import Engine
import Foundation
import Mosaic

/// What a finished job says: a table for people, JSON for programs.
enum SummaryPrinter {
    /// At most so many failures are listed; the rest are counted.
    static let shownFailures = 10

    /// The table that ends a job on a terminal.
    static func text(_ summary: JobSummary) -> String {
        var lines: [String] = []
        if !summary.products.isEmpty { lines.append(pixels(summary.products)) }
        var facts = Table([.left, .left])
        facts.add("size", "\(summary.columns) × \(summary.rows) pixels, \(summary.crs)")
        facts.add("tasks", tasks(summary))
        facts.add("time", Quantity.duration(summary.seconds))
        facts.add("read", Quantity.bytes(summary.bytesRead))
        facts.add("written", Quantity.bytes(summary.bytesWritten))
        lines.append(facts.text)
        if !summary.files.isEmpty {
            lines.append("files in \(Terminal.printable(summary.output)):")
            lines.append("  " + summary.files.map(Terminal.printable).joined(separator: "  "))
        }
        lines.append(contentsOf: failures(summary))
        return lines.joined(separator: "\n")
    }

    private static func pixels(_ products: [JobSummary.Product]) -> String {
        let right = Table.Side.right
        var table = Table([.left, right, right, right, right, right, right, right, right, right])
        table.add(
            "index", "pixels", "valid", "masked", "no data", "no scene", "undefined", "failed", "mean",
            "min…max")
        for product in products {
            let counts = product.counts
            let cells = [Reason.valid, .masked, .nodata, .outside, .undefined, .readFailed].map { reason in
                Quantity.percent(counts[reason], of: counts.total)
            }
            let mean = product.mean.map(value) ?? "–"
            var span = "–"
            if let low = product.minimum, let high = product.maximum { span = "\(value(low))…\(value(high))" }
            table.add([product.name, Quantity.pixels(counts.total)] + cells + [mean, span])
        }
        return table.text
    }

    private static func value(_ number: Double) -> String { String(format: "%.4g", number) }

    private static func tasks(_ summary: JobSummary) -> String {
        var text = "\(summary.tasks)"
        if summary.tasksReused > 0 { text += ", \(summary.tasksReused) reused" }
        if summary.tasksFailed > 0 { text += ", \(summary.tasksFailed) failed" }
        return text
    }

    private static func failures(_ summary: JobSummary) -> [String] {
        guard !summary.failures.isEmpty else { return [] }
        var lines = ["failed, their pixels are marked:"]
        lines += summary.failures.prefix(shownFailures).map { "  " + Terminal.printable($0) }
        if summary.failures.count > shownFailures {
            lines.append("  and \(summary.failures.count - shownFailures) more; see provenance.json")
        }
        return lines
    }
}
