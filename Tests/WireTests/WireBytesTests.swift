import Cluster
import Testing
import Wire

/// Bytes worked out by hand from the .proto files and the encoding's specification
/// (protobuf.dev/programming-guides/encoding), and what older and newer versions say to each other.
@Suite struct WireBytesTests {
    private func bytes(_ text: String) -> [UInt8] {
        text.split(whereSeparator: \.isWhitespace).map { UInt8($0, radix: 16) ?? 0 }
    }

    @Test func aPingWithADeadRumourIsTheseBytes() throws {
        let expected = bytes(
            """
            09  08 07 06 05 04 03 02 01
            7a 10  1a 0e  09  01 00 00 00 00 00 00 a0  10 05  18 ac 02
            """)
        let rumour = Rumour.dead(NodeID(short: 0xa000_0000_0000_0001), Version(epoch: 5, incarnation: 300))
        #expect(WireDatagram.encode(.ping(0x0102_0304_0506_0708), [rumour]) == expected)
        let (message, rumours) = try WireDatagram.decode(expected)
        #expect(message == .ping(0x0102_0304_0506_0708))
        #expect(rumours == [rumour])
    }

    @Test func aCoordinatorsBeatIsTheseBytes() throws {
        let expected = bytes(
            """
            32 2c
            0a 10  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f
            10 02
            1a 14  08 07  11 01 00 00 00 00 00 00 00  19 02 00 00 00 00 00 00 00
            40 03
            """)
        let frame = Frame.job(
            JobMessage(
                job: JobID(high: 0x0001_0203_0405_0607, low: 0x0809_0a0b_0c0d_0e0f), run: RunID(2),
                term: Term(counter: 7, node: NodeID(short: 1), start: 2), body: .beat(revision: 3)))
        #expect(WireFrame.encode(frame) == expected)
        #expect(try WireFrame.decode(expected) == frame)
    }

    @Test func aSignedClaimIsTheseBytes() throws {
        let claim = AliveClaim(
            id: NodeID(short: 0x0102), start: StartID(bits: 3), version: Version(epoch: 4, incarnation: 5),
            address: Address("a:1"), keys: [KeyID(bits: 6), KeyID(bits: 7)],
            engine: Engine(fingerprint: Digest(8, 9, 10, 11), slots: 12, memory: 13, hasRoom: true))
        let expected = bytes(
            """
            01  00 00 00 00 00 00 01 02  00 00 00 00 00 00 00 03  00 00 00 04  00 00 00 05
            03 61 3a 31  02 00 00 00 06 00 00 00 07  03
            00 00 00 00 00 00 00 08 00 00 00 00 00 00 00 09 00 00 00 00 00 00 00 0a 00 00 00 00 00 00 00 0b
            00 00 00 0c  00 00 00 00 00 00 00 0d
            """)
        #expect(claim.signedBytes == expected)
        let key = [UInt8](repeating: 1, count: 32)
        let signature = [UInt8](repeating: 2, count: 64)
        let record = WireRecord.make(claim, publicKey: key, signature: signature)
        #expect(record.sealed == key + signature + expected)
        let seal = try WireRecord.seal(of: WireRecord.decode(record.sealed))
        #expect((seal.publicKey, seal.signature, seal.signed) == (key, signature, expected))
    }
}
