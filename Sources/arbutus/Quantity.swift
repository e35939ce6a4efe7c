import Foundation

/// Amounts as people read them; one spelling for progress, plans and summaries.
enum Quantity {
    /// `0 B`, `12.3 MB`, `1.20 GB` (powers of 1000).
    static func bytes(_ count: Int) -> String {
        scaled(Double(count), steps: ["B", "kB", "MB", "GB", "TB", "PB"])
    }

    /// `512 px`, `12.3 Mpx`.
    static func pixels(_ count: Int) -> String {
        scaled(Double(count), steps: ["px", "kpx", "Mpx", "Gpx", "Tpx"])
    }

    /// `0.8 s`, `42 s`, `3 min 20 s`, `1 h 5 min`, `2 d 3 h`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "?" }
        if seconds < 9.95 { return String(format: "%.1f s", seconds) }
        let whole = Int(seconds.rounded())
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return "\(whole / 60) min \(whole % 60) s"
        case ..<86400: return "\(whole / 3600) h \(whole % 3600 / 60) min"
        default: return "\(whole / 86400) d \(whole % 86400 / 3600) h"
        }
    }

    /// A share of a total: `12.3 %`; `–` when there is no total.
    static func percent(_ part: Int, of total: Int) -> String {
        guard total > 0 else { return "–" }
        return String(format: "%.1f %%", 100 * Double(part) / Double(total))
    }

    private static func scaled(_ amount: Double, steps: [String]) -> String {
        var amount = amount
        var step = 0
        while amount >= 999.5, step + 1 < steps.count {
            amount /= 1000
            step += 1
        }
        guard step > 0 else { return "\(Int(amount)) \(steps[0])" }
        let digits = amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0
        return String(format: "%.\(digits)f ", amount) + steps[step]
    }
}
