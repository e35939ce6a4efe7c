import Cluster
import Foundation
import Synchronization
import Testing

@testable import Transport

/// Real sockets on 127.0.0.1.
@Suite(.serialized) struct LoopbackTests {
    @Test func aLinkCarriesMessagesBothWaysInOrderAndSaysGoodbye() async throws {
        let (a, b) = (try await Station(1), try await Station(2, start: 22))
        a.transport.dial(7, b.address, expecting: b.identity.id)
        let (up, accepted) = (try await a.linkUp(to: b), try await b.linkUp(to: a))
        #expect((up.dial, accepted.dial) == (7, nil))
        #expect(up.peer.start == StartID(bits: 22))
        #expect(up.seenAt == b.address)
        #expect(up.key == Fixture.keyA)
        for number in 0..<100 { a.transport.send([UInt8(number)], to: b.identity.id) }
        b.transport.send([UInt8](repeating: 5, count: 1 << 20), to: a.identity.id)
        try await eventually("messages") { b.heard.count == 100 && a.heard.count == 1 }
        #expect(b.heard == (0..<100).map { [UInt8($0)] })
        #expect(a.heard[0].count == 1 << 20)
        a.transport.close(b.identity.id)
        #expect(try await b.linkLost() == .goodbye(.done))
        // Who closes is told too: it may have closed a newer link than it knew.
        #expect(a.losses == 1)
        await a.transport.shutDown()
        await b.transport.shutDown()
    }

    @Test func shuttingDownSaysGoodbyeAndAKilledProcessDoesNot() async throws {
        let (a, b) = (try await Station(1), try await Station(2))
        a.transport.dial(1, b.address)
        _ = try await b.linkUp(to: a)
        _ = try await a.linkUp(to: b)
        await a.transport.shutDown()
        #expect(try await b.linkLost() == .goodbye(.done))

        let client = try await RawClient(port: b.port)
        _ = try await client.shakeHands(3)
        _ = try await b.first("link to the client") {
            if case .linkUp(let up) = $0, up.peer.id == Fixture.identity(3).id { up } else { nil }
        }
        client.close()
        let loss = try await b.first("end of the client's link") {
            guard case .linkLost(let peer, let loss) = $0 else { return nil as LinkLoss? }
            return peer.id == Fixture.identity(3).id ? loss : nil
        }
        // The system says that the connection was reset where it held bytes that the process had not read.
        guard case .broken(let why) = loss else {
            Issue.record("a killed process: \(loss)")
            return
        }
        #expect(why.contains("without a goodbye") || why.contains("reset by peer"))
        await b.transport.shutDown()
        await b.transport.shutDown()
    }

    @Test func datagramsReachTheSamePortAndNames() async throws {
        let (a, b) = (try await Station(1, start: 9), try await Station(2))
        a.transport.send([1, 2, 3], to: b.identity.id, at: Address("localhost:\(b.port)"))
        let (datagram, from) = try await b.first("datagram") {
            if case .datagram(let datagram, let from) = $0 { (datagram, from) } else { nil }
        }
        #expect(datagram.body == [1, 2, 3])
        #expect((datagram.sender, datagram.target) == (a.identity.id, b.identity.id))
        #expect(datagram.start == StartID(bits: 9))
        #expect(from == a.address)
        a.transport.send([4], to: b.identity.id, at: Address("no.such.host.invalid:1"))
        a.transport.send([UInt8](repeating: 0, count: 1200), to: b.identity.id, at: b.address)
        try await eventually("two unsent") { await a.transport.counts().datagramsUnsent == 2 }
        #expect(await b.transport.counts().datagramsReceived == 1)
        await a.transport.shutDown()
        await b.transport.shutDown()
    }

    @Test func dialsFailWithTheirReason() async throws {
        let (a, b) = (try await Station(1), try await Station(2))
        let stranger = try await Station(3, Fixture.tableB)
        await b.transport.shutDown()
        a.transport.dial(1, b.address)
        #expect(try await a.dialFailure(1) == .refused)
        a.transport.dial(2, a.address)
        #expect(try await a.dialFailure(2) == .handshake(.ourselves))
        a.transport.dial(3, stranger.address)
        #expect(try await a.dialFailure(3) == .handshake(.noCommonKey))
        a.transport.dial(4, Address("no.such.host.invalid:7480"))
        #expect(try await a.dialFailure(4) == .unresolved("no.such.host.invalid:7480"))
        a.transport.dial(5, Address("nonsense"))
        #expect(try await a.dialFailure(5) == .unresolved("nonsense"))
        let clone = try await Station(1, start: 2)
        a.transport.dial(6, clone.address)
        #expect(try await a.dialFailure(6) == .handshake(.otherStart(StartID(bits: 2))))
        await stranger.transport.shutDown()
        await clone.transport.shutDown()
        await a.transport.shutDown()
        #expect(a.ups == 0)
    }

    @Test func aDialThatMeetsAnotherNodeFailsAndLeavesItsLink() async throws {
        let (a, b) = (try await Station(1), try await Station(2))
        a.transport.dial(1, b.address, expecting: Fixture.identity(9).id)
        #expect(try await a.dialFailure(1) == .otherNode(b.identity.id))
        #expect(try await a.linkUp(to: b).dial == nil)
        await a.transport.shutDown()
        await b.transport.shutDown()
    }

    @Test(arguments: 0..<20) func twoSimultaneousDialsLeaveOneLinkAndLoseNothing(round: Int) async throws {
        let (a, b) = (try await Station(1), try await Station(2))
        a.transport.dial(1, b.address, expecting: b.identity.id)
        b.transport.dial(1, a.address, expecting: a.identity.id)
        _ = try await a.linkUp(to: b)
        _ = try await b.linkUp(to: a)
        for number in 0..<50 {
            a.transport.send([UInt8(number)], to: b.identity.id)
            b.transport.send([UInt8(number)], to: a.identity.id)
        }
        try await eventually("all messages in round \(round)") { a.heard.count == 50 && b.heard.count == 50 }
        try await Task.sleep(for: .milliseconds(100))
        a.transport.send([99], to: b.identity.id)
        b.transport.send([99], to: a.identity.id)
        try await eventually("the last message") { a.heard.count == 51 && b.heard.count == 51 }
        #expect((a.losses, b.losses) == (0, 0), "\(a.story)\n\(b.story)")
        await a.transport.shutDown()
        #expect(try await b.linkLost() == .goodbye(.done))
        await b.transport.shutDown()
    }

    @Test func keysAreExchangedWithoutAStopAndADeniedNodeIsCut() async throws {
        let (a, b) = (try await Station(1), try await Station(2))
        a.transport.dial(1, b.address)
        _ = try await a.linkUp(to: b)
        _ = try await b.linkUp(to: a)
        for station in [a, b] { station.transport.use(SealingKeys(.using(Fixture.keyB, Fixture.tableAB))) }
        a.transport.send([2], to: b.identity.id)
        try await eventually("the message") { b.heard == [[2]] }
        try await eventually("a datagram under the new key") {
            a.transport.send([1], to: b.identity.id, at: b.address)
            return b.events.contains { if case .datagram = $0 { true } else { false } }
        }
        b.transport.use(SealingKeys(try Fixture.denied(a.identity.id)))
        #expect(try await a.linkLost() == .goodbye(.unwelcome))
        a.transport.dial(2, b.address)
        _ = try await b.first("not admitted") {
            if case .refused(_, let why) = $0, why.contains("is not admitted under key") { why } else { nil }
        }
        await a.transport.shutDown()
        await b.transport.shutDown()
    }

    @Test func anAddressThatIsTakenIsSaidInASentence() async throws {
        let a = try await Station(1)
        let failure = await #expect(throws: ListenFailure.self) {
            _ = try await Station(2, listen: "127.0.0.1:\(a.port)")
        }
        #expect(failure?.description.contains("cannot listen on 127.0.0.1:\(a.port)") == true)
        await a.transport.shutDown()
    }
}
