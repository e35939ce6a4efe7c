import Synchronization

/// Tells long work, from any thread, that it is wanted no more. The work asks between two pieces of it.
public final class StopSignal: Sendable {
    private let flag = Atomic(false)

    public init() {}

    /// Whether somebody has set it.
    public var isSet: Bool { flag.load(ordering: .acquiring) }

    /// - Returns: whether it was set already.
    @discardableResult
    public func set() -> Bool { flag.exchange(true, ordering: .acquiringAndReleasing) }
}
