import Cluster
import Foundation
import Testing

@testable import Transport

/// Peers that break the rules, on real sockets: each is cut, the others notice nothing.
@Suite(.serialized) struct HostilePeerTests {
    private var quick: LinkLimits {
        var limits = LinkLimits()
        limits.handshake = 0.3
        limits.handshakesPerAddress = 3
        limits.silence = 1.2
        limits.stall = 1.2
        limits.keepAlive = 1
        return limits
    }

    @Test func aSlowHandshakeIsCutHoweverBusy() async throws {
        let station = try await Station(1, limits: quick)
        let client = try await RawClient(port: station.port)
        for byte in Preamble(terms: .current, key: Fixture.keyA).bytes.prefix(12) where !client.isClosed {
            try await client.send([byte])
            try await Task.sleep(for: .milliseconds(20))
        }
        try await eventually("the cut") { client.isClosed }
        #expect(try await station.refusal() == "no complete handshake within 0.3 s")
        await station.transport.shutDown()
    }

    @Test func aFloodOfHandshakesIsAnsweredBusyAndPasses() async throws {
        // Ten connections are there well before the first handshake's time is up, on a loaded machine too.
        var limits = quick
        limits.handshake = 4
        let station = try await Station(1, limits: limits)
        var clients: [RawClient] = []
        for _ in 0..<10 { clients.append(try await RawClient(port: station.port)) }
        let busy = LinkHandshake.busyAnswer(.current)
        try await eventually("seven turned away") { clients.count { $0.bytes == busy && $0.isClosed } == 7 }
        #expect(await station.transport.counts().connectionsTurnedAway == 7)
        try await eventually("the others cut") { clients.allSatisfy(\.isClosed) }
        let friend = try await Station(2)
        friend.transport.dial(1, station.address)
        _ = try await friend.linkUp(to: station)
        await friend.transport.shutDown()
        await station.transport.shutDown()
    }

    @Test func garbageAndOtherProtocolsAreCutAtOnce() async throws {
        let station = try await Station(1)
        let client = try await RawClient(port: station.port)
        try await client.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        try await eventually("the cut") { client.isClosed }
        #expect(client.bytes.isEmpty)
        #expect(try await station.refusal().contains("does not speak the cluster's protocol"))
        await station.transport.shutDown()
    }

    @Test func impossibleLengthsEndTheLink() async throws {
        let station = try await Station(1)
        let client = try await RawClient(port: station.port)
        _ = try await client.shakeHands(2)
        try await eventually("the link") { station.ups == 1 }
        try await client.send([0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0])
        try await eventually("the cut") { client.isClosed }
        #expect(try await station.refusal() == "the peer sent a control frame that claims 4294967295 bytes")
        #expect(
            try await station.linkLost()
                == .broken("cut: the peer sent a control frame that claims 4294967295 bytes"))
        await station.transport.shutDown()
    }

    @Test func bulkBytesOverAControlLinkEndIt() async throws {
        let station = try await Station(1)
        let client = try await RawClient(port: station.port)
        var sealer = FrameSealer(try await client.shakeHands(2).sending)
        var frame = [UInt8](repeating: 0, count: FrameSealer.size(payloadCount: 3))
        try [UInt8]([1, 2, 3]).withUnsafeBytes { payload in
            try frame.withUnsafeMutableBytes { try sealer.seal(.data, stream: 1, payload, into: $0) }
        }
        try await eventually("the link") { station.ups == 1 }
        try await client.send(frame)
        #expect(try await station.refusal() == "the peer sent bulk bytes over a control link")
        await station.transport.shutDown()
    }

    @Test func aSilentPeerAndAFrameThatNeverEndsAreCut() async throws {
        let station = try await Station(1, limits: quick)
        let silent = try await RawClient(port: station.port)
        _ = try await silent.shakeHands(2)
        try await eventually("the cut") { silent.isClosed }
        #expect(try await station.refusal() == "nothing was heard for 1.2 s")

        var slow = quick
        slow.silence = 60
        let other = try await Station(3, limits: slow)
        let dripping = try await RawClient(port: other.port)
        _ = try await dripping.shakeHands(4)
        try await eventually("the link") { other.ups == 1 }
        try await dripping.send([0, 0, 0x10, 0, 1, 0, 0, 0, 0])
        while !dripping.isClosed {
            try await dripping.send([0])
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(try await other.refusal() == "a frame took longer than 1.2 s")
        await station.transport.shutDown()
        await other.transport.shutDown()
    }

    @Test func aPeerThatTakesNoBytesIsCut() async throws {
        var limits = quick
        limits.silence = 60
        let station = try await Station(1, limits: limits)
        let client = try await RawClient(port: station.port)
        let peer = Fixture.identity(2).id
        _ = try await client.shakeHands(2)
        try await eventually("the link") { station.ups == 1 }
        try await client.stopReading()
        for _ in 0..<12 { station.transport.send([UInt8](repeating: 0, count: 1 << 20), to: peer) }
        let why = try await station.refusal()
        #expect(why.hasPrefix("the peer took no bytes for 1.2 s"))
        client.close()
        await station.transport.shutDown()
    }

    @Test func aControlQueueHasABound() async throws {
        let station = try await Station(1)
        let client = try await RawClient(port: station.port)
        _ = try await client.shakeHands(2)
        try await eventually("the link") { station.ups == 1 }
        try await client.stopReading()
        let peer = Fixture.identity(2).id
        for _ in 0..<40 { station.transport.send([UInt8](repeating: 0, count: 1 << 20), to: peer) }
        #expect(try await station.refusal().hasPrefix("the peer does not keep up"))
        client.close()
        await station.transport.shutDown()
    }
}
