import Foundation

/// Threads for what waits on the network: so many copies at a time, the rest in order.
final class TransferQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private var waiting: [@Sendable () -> Void] = []
    private var isClosed = false
    private let ended = DispatchGroup()

    /// - Parameter atOnce: copies at a time, at least 1.
    init(atOnce: Int) {
        for number in 0..<max(1, atOnce) {
            ended.enter()
            let thread = Thread { [self] in
                while let transfer = next() { transfer() }
                ended.leave()
            }
            thread.name = "arbutus transfer \(number)"
            thread.start()
        }
    }

    /// Runs `transfer` as soon as a thread is free; never after `shutDown`.
    func add(_ transfer: @escaping @Sendable () -> Void) {
        condition.withLock {
            guard !isClosed else { return }
            waiting.append(transfer)
            condition.signal()
        }
    }

    /// Drops what waits and returns when the running transfers have ended.
    func shutDown() {
        condition.withLock {
            isClosed = true
            waiting = []
            condition.broadcast()
        }
        ended.wait()
    }

    private func next() -> (@Sendable () -> Void)? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty, !isClosed { condition.wait() }
        return waiting.isEmpty ? nil : waiting.removeFirst()
    }
}

/// Tells long work, from any thread, that it is wanted no more.
final class StopSignal: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false

    func set() { lock.withLock { value = true } }
    var isSet: Bool { lock.withLock { value } }
}
