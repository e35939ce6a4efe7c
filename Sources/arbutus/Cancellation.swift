import Dispatch
import Foundation
import Synchronization

/// The wish to stop: set once by a signal, polled by the engine between two pieces of work.
final class Cancellation: Sendable {
    private let flag = Atomic(false)

    var isCancelled: Bool { flag.load(ordering: .acquiring) }

    /// - Returns: whether it was already set.
    @discardableResult
    func cancel() -> Bool { flag.exchange(true, ordering: .acquiringAndReleasing) }
}

/// Turns Ctrl-C and SIGTERM into a `Cancellation`; the second one ends the process at once.
final class StopSignals {
    private let sources: [any DispatchSourceSignal]

    /// Listens until the object goes away.
    ///
    /// - Parameter stopping: called once, on another thread, at the first signal.
    init(_ cancellation: Cancellation, stopping: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "arbutus.signals")
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                guard cancellation.cancel() else { return stopping() }
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
