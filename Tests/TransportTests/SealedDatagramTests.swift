import Cluster
import Testing

@testable import Transport

@Suite struct SealedDatagramTests {
    private let datagram = SealedDatagram(
        sender: NodeID(short: 1), start: StartID(bits: 2), target: NodeID(short: 3), body: [4, 5, 6])

    @Test func aDatagramIsOpenedByWhoHoldsTheKey() throws {
        let packet = try #require(datagram.sealed(with: SealingKeys(Fixture.tableA)))
        #expect(packet.count == 5 + 24 + 24 + 3 + 16)
        #expect(Array(packet[..<5]) == [1, 0, 0, 0, 0xa])
        #expect(try SealedDatagram.open(packet, with: SealingKeys(Fixture.tableAB)) == datagram)
        #expect(throws: DatagramError.unknownKey(Fixture.keyA)) {
            try SealedDatagram.open(packet, with: SealingKeys(Fixture.tableB))
        }
        let again = try #require(datagram.sealed(with: SealingKeys(Fixture.tableA)))
        #expect(again != packet, "two seals of one datagram must differ in their nonces")
    }

    @Test func everyChangedByteIsNoticed() throws {
        let keys = SealingKeys(Fixture.tableA)
        let packet = try #require(datagram.sealed(with: keys))
        for index in packet.indices {
            var changed = packet
            changed[index] ^= 0x80
            #expect(throws: DatagramError.self, "byte \(index)") {
                try SealedDatagram.open(changed, with: keys)
            }
        }
        for count in 0..<packet.count {
            #expect(throws: DatagramError.self) {
                try SealedDatagram.open(Array(packet[..<count]), with: keys)
            }
        }
    }

    @Test func sizesAreBounded() throws {
        let keys = SealingKeys(Fixture.tableA)
        func body(_ count: Int) -> SealedDatagram {
            SealedDatagram(
                sender: datagram.sender, start: datagram.start, target: datagram.target,
                body: [UInt8](repeating: 0, count: count))
        }
        let longest = try #require(body(SealedDatagram.bodyLimit).sealed(with: keys))
        #expect(longest.count == 1200)
        #expect(try SealedDatagram.open(longest, with: keys).body.count == SealedDatagram.bodyLimit)
        #expect(body(SealedDatagram.bodyLimit + 1).sealed(with: keys) == nil)
        #expect(throws: DatagramError.size(1201)) { try SealedDatagram.open(longest + [0], with: keys) }
        #expect(throws: DatagramError.size(68)) {
            try SealedDatagram.open([UInt8](repeating: 1, count: 68), with: keys)
        }
        #expect(throws: DatagramError.version(2)) {
            try SealedDatagram.open([2] + longest.dropFirst(), with: keys)
        }
    }

    /// PROTOCOL section 6: after a node was denied the old key opens no datagram.
    @Test func aNarrowedKeyOpensNoDatagramAndTheNewOneSeals() throws {
        let old = try #require(datagram.sealed(with: SealingKeys(Fixture.tableA)))
        let keys = SealingKeys(try Fixture.denied(NodeID(short: 9)))
        #expect(throws: DatagramError.unknownKey(Fixture.keyA)) { try SealedDatagram.open(old, with: keys) }
        let fresh = try #require(datagram.sealed(with: keys))
        #expect(try SealedDatagram.open(fresh, with: SealingKeys(Fixture.tableB)) == datagram)
    }
}
