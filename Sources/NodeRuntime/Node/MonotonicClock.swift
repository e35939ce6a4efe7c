import Cluster
import Foundation

/// The clock that the protocol runs by: nanoseconds since the machine booted, time asleep included, so that a
/// suspended machine notices (PROTOCOL.md, section 2, stall guard). The wall clock decides nothing.
public struct MonotonicClock: Sendable {
    public init() {}

    /// Now.
    public var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
