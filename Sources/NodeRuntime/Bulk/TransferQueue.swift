import Engine

/// Threads for what waits on the network: so many copies at a time, the rest in order.
typealias TransferQueue = WorkThreads<@Sendable () -> Void>

extension TransferQueue {
    /// - Parameter atOnce: copies at a time, at least 1.
    convenience init(atOnce: Int) {
        self.init("transfer", count: atOnce) { next in while let transfer = next() { transfer() } }
    }

    /// Drops what waits and returns when the running transfers have ended.
    func shutDown() {
        close()
        wait()
    }
}
