import Engine
import Foundation
import Synchronization

/// Shows a job's progress on stderr: one redrawn line on a terminal, at most ten times a second; plain lines
/// in a pipe, at most one in five seconds.
final class ProgressPrinter: Sendable {
    /// How to show progress.
    enum Style: Sendable {
        case silent
        case lines
        case redrawn(colour: Bool)

        /// Silent with `--json`; otherwise what stderr is good for.
        static func fitting(json: Bool) -> Style {
            if json { return .silent }
            return Terminal.canRedraw ? .redrawn(colour: Terminal.wantsColour) : .lines
        }
    }

    private struct State {
        var line = ProgressLine()
        var lastShown: Double?
        var isDrawn = false
        var isFinished = false
    }

    private let style: Style
    private let started = ContinuousClock.now
    private let state = Mutex(State())

    init(_ style: Style) { self.style = style }

    /// Takes a report from any thread.
    func report(_ progress: JobProgress) {
        let now = (ContinuousClock.now - started) / .seconds(1)
        state.withLock { state in
            guard !state.isFinished else { return }
            state.line.update(progress, at: now)
            switch style {
            case .silent: break
            case .lines where due(state.lastShown, now, every: 5):
                Terminal.say(state.line.plain)
                state.lastShown = now
            case .redrawn(let colour) where due(state.lastShown, now, every: 0.1):
                let text = state.line.bar(columns: Terminal.columns, colour: colour)
                Terminal.write("\r\u{1B}[2K" + text, to: .standardError)
                state.lastShown = now
                state.isDrawn = true
            case .lines, .redrawn: break
            }
        }
    }

    /// Takes the redrawn line away, so that words can follow.
    func clear() {
        state.withLock { state in
            guard state.isDrawn else { return }
            Terminal.write("\r\u{1B}[2K", to: .standardError)
            state.isDrawn = false
        }
    }

    /// Takes the redrawn line away for good; reports that come later are not shown.
    func finish() {
        state.withLock { $0.isFinished = true }
        clear()
    }

    private func due(_ last: Double?, _ now: Double, every seconds: Double) -> Bool {
        last.map { now - $0 >= seconds } ?? true
    }
}
