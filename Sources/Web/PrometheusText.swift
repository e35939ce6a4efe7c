/// Metrics in Prometheus' text format
/// (https://prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4).
struct PrometheusText {
    /// What a number is.
    enum Kind: String { case counter, gauge }

    private(set) var text = ""

    /// One family with one number.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        add(name, kind, help, [([], value)])
    }

    /// One family with a number for each set of labels.
    mutating func add(
        _ name: String, _ kind: Kind, _ help: String, _ values: [(labels: [(String, String)], Double)]
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for (labels, value) in values {
            let inside = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
            text += name + (inside.isEmpty ? "" : "{\(inside)}") + " \(Self.number(value))\n"
        }
    }

    /// One family with a number for each value of one label, in its order.
    mutating func add(
        _ name: String, _ kind: Kind, _ help: String, by label: String, _ values: [String: Int]
    ) {
        add(name, kind, help, values.sorted { $0.key < $1.key }.map { ([(label, $0.key)], Double($0.value)) })
    }

    /// A distribution: how many values fell into each group, whose upper bounds rise; the last group has
    /// none.
    mutating func add(
        histogram name: String, _ help: String, bounds: [Double], counts: [Int], sum: Double
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) histogram\n"
        var total = 0
        for (bound, count) in zip(bounds.map(Self.number) + ["+Inf"], counts) {
            total += count
            text += "\(name)_bucket{le=\"\(bound)\"} \(total)\n"
        }
        text += "\(name)_sum \(Self.number(sum))\n\(name)_count \(total)\n"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }
}
