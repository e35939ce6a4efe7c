import Cluster
import Testing
import Wire

/// What is sent arrives: every kind of message, with usual and with extreme values.
@Suite struct RoundTripTests {
    private static let seeds: [UInt64] = Array(1...30)

    @Test(arguments: [false, true]) func datagramsArrive(areExtreme: Bool) throws {
        for seed in Self.seeds {
            var samples = Samples(seed: seed, areExtreme: areExtreme)
            for message in samples.messages() {
                let rumours = samples.some(5) { $0.rumour() }
                let (said, told) = try WireDatagram.decode(WireDatagram.encode(message, rumours))
                #expect(said == message, "seed \(seed)")
                #expect(told == rumours, "seed \(seed)")
            }
        }
    }

    @Test(arguments: [false, true]) func framesArrive(areExtreme: Bool) throws {
        for seed in Self.seeds {
            var samples = Samples(seed: seed, areExtreme: areExtreme)
            for frame in samples.frames() {
                #expect(try WireFrame.decode(WireFrame.encode(frame)) == frame, "seed \(seed)")
            }
        }
    }

    @Test(arguments: [false, true]) func whatTheJournalKeepsComesBack(areExtreme: Bool) throws {
        for seed in Self.seeds {
            var samples = Samples(seed: seed, areExtreme: areExtreme)
            let (header, record, table) = (samples.header(), samples.record(), samples.keyTable())
            #expect(try WireHeader.decode(WireHeader.encode(header)) == header, "seed \(seed)")
            #expect(try WireRecord.decode(WireRecord.encode(record)) == record, "seed \(seed)")
            #expect(try WireKeys.decode(WireKeys.encode(table)) == table, "seed \(seed)")
        }
    }

    @Test(arguments: [false, true]) func bulkRequestsAndRepliesArrive(areExtreme: Bool) throws {
        for seed in Self.seeds {
            var samples = Samples(seed: seed, areExtreme: areExtreme)
            for request in samples.bulkRequests() {
                #expect(try WireBulk.request(WireBulk.encode(request)) == request, "seed \(seed)")
            }
            for reply in samples.bulkReplies() {
                #expect(try WireBulk.reply(WireBulk.encode(reply)) == reply, "seed \(seed)")
            }
        }
    }
}
