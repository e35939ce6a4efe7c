import Cluster
import Testing
import Wire

/// The protocol packs datagrams and counts traffic by its own estimates; the bytes must keep to them.
@Suite struct WireSizeTests {
    /// Bytes of values as a cluster has them, and what the core counts for them.
    private struct Tally {
        var encoded = 0
        var counted = 0
        var largestExcess = 0

        mutating func add(_ bytes: Int, of estimate: Int) {
            encoded += bytes
            counted += estimate
            largestExcess = max(largestExcess, bytes - estimate)
        }
    }

    private func tally(_ measure: (inout Samples) -> [String: [(Int, Int)]]) -> [String: Tally] {
        var tallies: [String: Tally] = [:]
        for seed in 1...200 as ClosedRange<UInt64> {
            var samples = Samples(seed: seed, areExtreme: false)
            for (name, sizes) in measure(&samples) {
                for size in sizes { tallies[name, default: Tally()].add(size.0, of: size.1) }
            }
        }
        return tallies
    }

    private func check(_ tallies: [String: Tally]) {
        for (name, tally) in tallies.sorted(by: { $0.key < $1.key }) {
            #expect(
                tally.encoded <= tally.counted,
                "\(name): \(tally.encoded) bytes, counted as \(tally.counted); worst \(tally.largestExcess)")
        }
    }

    /// `ping`, `results`, …
    private func kind(_ value: Any) -> String {
        let mirror = Mirror(reflecting: value)
        return mirror.children.first?.label ?? "\(value)"
    }

    @Test func bodiesOfDatagramsKeepToTheEstimates() {
        let tallies = tally { samples in
            var sizes: [String: [(Int, Int)]] = [:]
            for message in samples.messages() {
                let body = WireDatagram.encode(message)
                let datagram = Datagram(
                    sender: samples.node(), start: StartID(bits: 1), target: samples.node(), message: message)
                // The estimate's overhead counts the body's first byte, its tag.
                sizes[kind(message), default: []]
                    .append((body.count, datagram.encodedSize - Datagram.overhead + 1))
            }
            let bare = WireDatagram.encode(.gossip).count
            for _ in 0..<10 {
                let rumour = samples.rumour()
                sizes["rumour " + kind(rumour), default: []]
                    .append((WireDatagram.encode(.gossip, [rumour]).count - bare, rumour.encodedSize))
            }
            return sizes
        }
        check(tallies)
    }

    @Test func framesKeepToTheEstimates() {
        check(
            tally { samples in
                var sizes: [String: [(Int, Int)]] = [:]
                for frame in samples.frames() {
                    var name = kind(frame)
                    if case .job(let message) = frame { name += " " + kind(message.body) }
                    if case .book(let message) = frame { name += " " + kind(message) }
                    if case .packet = frame { name = "packet" }
                    // Nine bytes of header, the seal, TCP and IP are in the estimate.
                    sizes[name, default: []].append((WireFrame.encode(frame).count, frame.encodedSize - 65))
                }
                return sizes
            })
    }

    @Test func headersNeverExceedTheirBound() {
        for seed in 1...200 as ClosedRange<UInt64> {
            var samples = Samples(seed: seed, areExtreme: seed % 2 == 0)
            let header = samples.header()
            #expect(WireHeader.encode(header).count <= header.encodedSize, "seed \(seed)")
        }
    }

    @Test func rumoursThatDoNotFitAreLeftOutFromTheEnd() throws {
        var samples = Samples(seed: 7, areExtreme: true)
        let rumours = (0..<8).map { _ in Rumour.alive(samples.record()) }
        let all = WireDatagram.encode(.gossip, rumours)
        let limit = 1131
        try #require(all.count > limit)
        let body = WireDatagram.encode(.gossip, rumours, limit: limit)
        #expect(body.count <= limit)
        let (_, told) = try WireDatagram.decode(body)
        #expect(!told.isEmpty)
        #expect(told == Array(rumours.prefix(told.count)))
        // One more would not have fitted.
        #expect(WireDatagram.encode(.gossip, Array(rumours.prefix(told.count + 1))).count > limit)
    }
}
