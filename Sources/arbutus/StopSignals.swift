import Dispatch
import Engine
import Foundation

/// Turns Ctrl-C and SIGTERM into a `StopSignal`; the second one ends the process at once.
final class StopSignals {
    private let sources: [any DispatchSourceSignal]

    /// Listens until the object goes away.
    ///
    /// - Parameter stopping: called once, on another thread, at the first signal.
    init(_ cancellation: StopSignal, stopping: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "arbutus.signals")
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                guard cancellation.set() else { return stopping() }
                signal(number, SIG_DFL)
                kill(getpid(), number)
            }
            source.resume()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
}
