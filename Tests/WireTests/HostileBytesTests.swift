import Cluster
import Testing
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Bytes that nobody honest sends: every decoder ends with a value or with a named error, whatever comes.
///
/// `ARBUTUS_FUZZ_SECONDS` sets how long the mutations run (2 s without it); the seed is printed on failure.
@Suite struct HostileBytesTests {
    private typealias Decoder = @Sendable ([UInt8]) throws -> Void

    private static let decoders: [Decoder] = [
        { _ = try WireDatagram.decode($0) },
        { _ = try WireFrame.decode($0) },
        { _ = try WireHeader.decode($0) },
        { _ = try WireRecord.decode($0) },
        { _ = try WireKeys.decode($0) },
        { _ = try WireBulk.request($0) },
        { _ = try WireBulk.reply($0) },
    ]

    /// Honest bytes for every decoder.
    private static func honest(_ samples: inout Samples) -> [[UInt8]] {
        var all = samples.messages().map { WireDatagram.encode($0, samples.some(4) { $0.rumour() }) }
        all += samples.frames().map(WireFrame.encode)
        all += samples.bulkRequests().map(WireBulk.encode)
        all += samples.bulkReplies().map(WireBulk.encode)
        all.append(WireHeader.encode(samples.header()))
        all.append(WireRecord.encode(samples.record()))
        all.append(WireKeys.encode(samples.keyTable()))
        return all
    }

    private static var seconds: Double {
        ProcessInfo.processInfo.environment["ARBUTUS_FUZZ_SECONDS"].flatMap(Double.init) ?? 2
    }

    private func mutate(_ bytes: [UInt8], _ samples: inout Samples) -> [UInt8] {
        var result = bytes
        for _ in 0...samples.generator.below(4) {
            guard !result.isEmpty else { return samples.bytes(8) }
            let at = samples.generator.below(result.count)
            switch samples.generator.below(6) {
            case 0: result[at] ^= 1 << UInt8(samples.generator.below(8))
            case 1: result[at] = [0, 1, 0x7f, 0x80, 0xff][samples.generator.below(5)]
            case 2: result.removeSubrange(at..<min(result.count, at + 1 + samples.generator.below(8)))
            case 3: result.insert(contentsOf: samples.bytes(1 + samples.generator.below(8)), at: at)
            case 4: result.insert(contentsOf: [UInt8](repeating: 0xff, count: 9) + [1], at: at)
            default: result += result[at...].prefix(64)
            }
        }
        return result
    }

    /// The run ends with the process if a decoder traps; so the seed of each round is enough to find it.
    @Test func mutatedMessagesAreReadOrRefused() {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(Self.seconds)
        var (seed, read, refused) = (UInt64(0), 0, 0)
        while clock.now < end {
            seed += 1
            var samples = Samples(seed: seed, areExtreme: seed % 2 == 0)
            for bytes in Self.honest(&samples) where bytes.count < 20_000 {
                let hostile = mutate(bytes, &samples)
                for decode in Self.decoders {
                    do {
                        try decode(hostile)
                        read += 1
                    } catch {
                        refused += 1
                    }
                }
            }
        }
        #expect(read > 0 && refused > read, "\(seed) seeds: \(read) read, \(refused) refused")
    }

    /// What was read once says the same when it is sent on.
    @Test func whatIsReadFromMutatedFramesIsWithinBounds() throws {
        for seed in 1...40 as ClosedRange<UInt64> {
            var samples = Samples(seed: seed, areExtreme: false)
            for bytes in samples.frames().map(WireFrame.encode) {
                let frame: Frame
                do {
                    frame = try WireFrame.decode(mutate(bytes, &samples))
                } catch { continue }
                #expect(try WireFrame.decode(WireFrame.encode(frame)) == frame, "seed \(seed)")
            }
        }
    }

    @Test func truncationAtEveryByteIsReadOrRefused() {
        var samples = Samples(seed: 3, areExtreme: false)
        var refused = 0
        for bytes in Self.honest(&samples) {
            for length in 0..<min(bytes.count, 600) {
                for decode in Self.decoders {
                    do { try decode(Array(bytes.prefix(length))) } catch { refused += 1 }
                }
            }
        }
        #expect(refused > 10_000)
    }

    @Test func hugeLengthsAllocateNothing() {
        // Field 6 of a frame, a message of 2⁶³ − 1 bytes; and one of 2 GiB.
        let lengths: [[UInt8]] = [
            [0x32] + [UInt8](repeating: 0xff, count: 8) + [0x7f],
            [0x32, 0xff, 0xff, 0xff, 0xff, 0x07],
        ]
        for bytes in lengths {
            #expect(throws: WireError.malformed("frame")) { _ = try WireFrame.decode(bytes) }
        }
    }

    @Test func deepNestingIsRefused() {
        // Ten thousand groups of an unknown field, each inside the last.
        let group: [UInt8] = [0xa3, 0x06]
        let groups = [[UInt8]](repeating: group, count: 10_000).flatMap(\.self)
        #expect(throws: WireError.malformed("frame")) { _ = try WireFrame.decode(groups) }
    }
}
