import Engine

/// What a running job says of itself, as text; pure, so that it can be tested without a clock or a terminal.
///
/// Speed is that of the last `window` seconds: tasks differ, and what was is no guide to what comes.
struct ProgressLine: Equatable {
    /// Seconds over which the speed is taken.
    static let window = 20.0

    private struct Sample: Equatable {
        var time: Double
        var pixels: Int
    }

    private var samples: [Sample] = []
    private(set) var progress = JobProgress()

    /// Takes a report at a time in seconds; times do not fall.
    mutating func update(_ report: JobProgress, at time: Double) {
        if report.phase != progress.phase { samples = [] }
        progress = report
        let pixels = max(samples.last?.pixels ?? 0, Self.rendered(report))
        if let last = samples.last, last.pixels == pixels, samples.count > 1 {
            samples[samples.count - 1].time = time
        } else {
            samples.append(Sample(time: time, pixels: pixels))
        }
        while samples.count > 2, samples[1].time <= time - Self.window { samples.removeFirst() }
    }

    /// Pixels of this run: reused tasks, which cost nothing, are taken for tasks of the common size.
    private static func rendered(_ report: JobProgress) -> Int {
        guard report.tasksTotal > 0 else { return 0 }
        return max(0, report.pixelsDone - report.tasksReused * (report.pixelsTotal / report.tasksTotal))
    }

    /// Pixels per second; nil until two reports lie apart.
    var speed: Double? {
        guard let first = samples.first, let last = samples.last, last.time - first.time >= 0.2,
            last.pixels > first.pixels
        else { return nil }
        return Double(last.pixels - first.pixels) / (last.time - first.time)
    }

    /// Seconds to the end at the present speed.
    var remaining: Double? {
        guard progress.phase == .rendering, let speed else { return nil }
        return Double(max(0, progress.pixelsTotal - progress.pixelsDone)) / speed
    }

    /// What is done of the phase, from 0 to 1: pixels rendered, or bytes written.
    var share: Double {
        let (done, total) =
            switch progress.phase {
            case .rendering: (progress.pixelsDone, progress.pixelsTotal)
            case .assembling: (progress.bytesWritten, progress.bytesExpected)
            }
        return total > 0 ? min(1, Double(done) / Double(total)) : 0
    }

    /// A line for a log: `rendering: 12 of 48 tasks, 25 %, 61.2 Mpx/s, 1 min 2 s left`.
    var plain: String {
        "\(progress.phase.rawValue): " + parts(separate: " of ").joined(separator: ", ")
            + (remaining.map { ", \(Quantity.duration($0)) left" } ?? "")
    }

    /// A line of at most `columns` characters for a terminal, with a bar as wide as there is room for.
    func bar(columns: Int, colour: Bool) -> String {
        var words = parts(separate: "/").joined(separator: "  ")
        if let remaining { words += "  ETA \(Quantity.duration(remaining))" }
        let head = progress.phase.rawValue + " "
        let room = min(30, columns - head.count - words.count - 4)
        guard room >= 5 else { return String((head + words).prefix(max(0, columns - 1))) }
        let filled = Int((share * Double(room)).rounded(.down))
        let full = String(repeating: "█", count: filled)
        let empty = String(repeating: "░", count: room - filled)
        let drawn = colour ? "\u{1B}[32m" + full + "\u{1B}[0m" + empty : full + empty
        return head + drawn + "  " + words
    }

    private func parts(separate: String) -> [String] {
        guard progress.phase == .rendering else {
            return [Quantity.bytes(progress.bytesWritten), "\(Int(share * 100)) %"]
        }
        var parts = ["\(progress.tasksDone)\(separate)\(progress.tasksTotal) tasks"]
        parts.append("\(Int(share * 100)) %")
        if progress.tasksReused > 0 { parts.append("\(progress.tasksReused) reused") }
        if progress.tasksFailed > 0 { parts.append("\(progress.tasksFailed) failed") }
        if let speed { parts.append(Quantity.pixels(Int(speed)) + "/s") }
        return parts
    }
}
