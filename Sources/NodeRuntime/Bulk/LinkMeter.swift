import Cluster
import Foundation

/// What transfers to this node get beside each other, as they go: the protocol weighs by it whether a range
/// is worth its way (PROTOCOL.md, section 4).
final class LinkMeter: @unchecked Sendable {
    /// Transfers of fewer bytes say more of the delay than of the speed.
    static let leastBytes = 64 << 10
    /// The newest transfer's share of the average.
    private static let newShare = 0.2
    private static let leastChange = 0.05
    /// Without news the protocol takes the link to be idle, so even the same is told so often.
    private static let longestSilence = Span.milliseconds(400)

    private let lock = NSLock()
    private var speed = 0.0
    private var delay = 0.0
    private var told: (link: LinkMeasure, at: Instant)?
    private let clock = MonotonicClock()
    private let tell: @Sendable (LinkMeasure) -> Void

    /// - Parameter tell: takes a measure that differs from the last one told, or that is due; from any
    ///   thread.
    init(tell: @escaping @Sendable (LinkMeasure) -> Void) { self.tell = tell }

    /// A question was answered.
    ///
    /// - Parameters:
    ///   - firstAfter: seconds from the question to its answer's first word.
    ///   - bytes: that followed, and the seconds they took.
    func answered(firstAfter: Double, bytes: Int, in seconds: Double) {
        let news: LinkMeasure? = lock.withLock {
            delay =
                delay == 0
                ? firstAfter : min(firstAfter, delay * (1 - Self.newShare) + firstAfter * Self.newShare)
            if bytes >= Self.leastBytes {
                let rate = Double(bytes) / max(1e-6, seconds)
                speed = speed == 0 ? rate : speed * (1 - Self.newShare) + rate * Self.newShare
            }
            guard speed > 0 else { return nil }
            let measure = LinkMeasure(
                roundTrip: .seconds(max(0, min(10, delay))), bytesPerSecond: speed)
            let now = clock.now
            if let told, now - told.at < Self.longestSilence,
                abs(told.link.bytesPerSecond - speed) < Self.leastChange * speed
            {
                return nil
            }
            told = (measure, now)
            return measure
        }
        if let news { tell(news) }
    }
}
