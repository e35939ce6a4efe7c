import Testing

@testable import Cluster

@Suite struct ProberTests {
    let b = NodeID(short: 2)

    private func at(_ milliseconds: Int) -> Instant { .zero + .milliseconds(milliseconds) }

    @Test func threePingsThenRelaysThenAVerdict() {
        var prober = Prober(Configuration())
        #expect(prober.probe(b, nonce: 7, scale: 1, at: .zero) == [.ping(b, 7)])
        #expect(prober.timer(at(134)) == [.ping(b, 7)])
        #expect(prober.timer(at(267)) == [.ping(b, 7)])
        #expect(prober.timer(at(400)) == [.askRelays(b, 7)])
        prober.relaysAsked(3, nonce: 7)
        prober.nacked(7)
        #expect(prober.timer(at(799)) == [])
        #expect(prober.timer(at(800)) == [.failed(b, silent: 2)])
        #expect(prober.nextDeadline == .never)
    }

    @Test func onlyAnAckWithTheRandomOfAProbeCounts() {
        var prober = Prober(Configuration())
        _ = prober.probe(b, nonce: 7, scale: 1, at: .zero)
        #expect(prober.acked(6, by: b) == [])
        #expect(prober.acked(7, by: b) == [.answered(b)])
        #expect(prober.acked(7, by: b) == [])
    }

    @Test func anyFrameOfTheTargetAnswers() {
        var prober = Prober(Configuration())
        _ = prober.probe(b, nonce: 7, scale: 1, at: .zero)
        #expect(prober.heard(b) == [.answered(b)])
    }

    @Test func aSickNodeIsPatient() {
        var prober = Prober(Configuration())
        _ = prober.probe(b, nonce: 7, scale: 3, at: .zero)
        #expect(prober.timer(at(399)) == [])
        #expect(prober.timer(at(400)) == [.ping(b, 7)])
    }

    @Test func oneProbeATarget() {
        var prober = Prober(Configuration())
        _ = prober.probe(b, nonce: 7, scale: 1, at: .zero)
        #expect(prober.probe(b, nonce: 8, scale: 1, at: at(100)) == [])
    }
}
