import Cluster
import Sodium
import Testing

@testable import Transport

@Suite struct LinkHandshakeTests {
    @Test func twoNodesMeetAndHoldTheSameKeys() throws {
        var meeting = Meeting(Fixture.own(1, start: 11), Fixture.own(2, start: 22))
        meeting.run()
        let caller = try #require(meeting.callerOutcome.session)
        let answerer = try #require(meeting.answererOutcome.session)
        #expect(caller.peer.id == Fixture.identity(2).id)
        #expect(caller.peer.start == StartID(bits: 22))
        #expect(answerer.peer.id == Fixture.identity(1).id)
        #expect(answerer.peer.start == StartID(bits: 11))
        #expect(caller.transcript == answerer.transcript)
        #expect((caller.isCaller, answerer.isCaller) == (true, false))
        #expect(caller.key == Fixture.keyA)
        var (sending, receiving) = (caller.sending, answerer.receiving)
        let sealed = try sending.encrypt([1, 2, 3], header: [9])
        #expect(try receiving.decrypt(sealed[...], header: [9]) == [1, 2, 3])
        // Preamble 16, length 2, message of 32 + 16; status 4, length 2, 32 + 48 + 46 + 16; length 2, 48 +
        // 62.
        #expect(meeting.flights.map(\.count) == [66, 148, 112])
    }

    @Test func bytesMayComeOneByOneAndFramesRightBehind() throws {
        var meeting = Meeting(Fixture.own(1), Fixture.own(2), purpose: .bulk)
        var answer: [UInt8] = []
        for byte in meeting.callerOutcome.sent { answer += Outcome(meeting.answerer.received([byte])).sent }
        var proof: [UInt8] = []
        for byte in answer { proof += Outcome(meeting.caller.received([byte])).sent }
        let outcome = Outcome(meeting.answerer.received(proof + [7, 8, 9]))
        #expect(outcome.rest == [7, 8, 9])
        #expect(try #require(outcome.session).purpose == .bulk)
    }

    @Test func aCallerTriesItsOtherKeys() throws {
        var meeting = Meeting(Fixture.own(1, Fixture.tableAB), Fixture.own(2, Fixture.tableB))
        meeting.run()
        #expect(meeting.callerOutcome.session?.key == Fixture.keyB)
        #expect(meeting.answererOutcome.session?.key == Fixture.keyB)
        #expect(meeting.flights[1] == [LinkHandshake.Status.unknownKey.rawValue, 1, 1, 0])
    }

    @Test func withoutACommonKeyThereIsNoLink() {
        var meeting = Meeting(Fixture.own(1, Fixture.tableA), Fixture.own(2, Fixture.tableB))
        meeting.run()
        #expect(meeting.callerOutcome.failure == .noCommonKey)
        #expect(meeting.answererOutcome.session == nil)
    }

    @Test func anotherSecretUnderTheSameNameOpensNothing() {
        let other = KeyTable(first: Fixture.keyA, secret: Fixture.secretB)
        var meeting = Meeting(Fixture.own(1, other), Fixture.own(2))
        meeting.run()
        #expect(meeting.answererOutcome.failure == .noise(.notAuthentic))
        #expect(meeting.flights.count == 1, "a stranger gets no answer that costs a key agreement")
    }

    @Test func neighbouringVersionsTalkAndOthersAreToldWhy() {
        let (old, new) = (
            LinkTerms(versions: 1...2, features: 0b011), LinkTerms(versions: 2...3, features: 0b110)
        )
        var meeting = Meeting(Fixture.own(1, terms: old), Fixture.own(2, terms: new))
        meeting.run()
        #expect(meeting.callerOutcome.session?.version == 2)
        #expect(meeting.answererOutcome.session?.version == 2)
        #expect(meeting.callerOutcome.session?.features == 0b010)
        #expect(meeting.answererOutcome.session?.features == 0b010)

        let newest = LinkTerms(versions: 3...4, features: 0)
        var failed = Meeting(Fixture.own(1, terms: old), Fixture.own(2, terms: newest))
        failed.run()
        #expect(failed.callerOutcome.failure == .noCommonVersion(3...4))
        #expect(failed.answererOutcome.session == nil)
    }

    /// Every byte of every flight, changed: no side ends with a link that the other does not have, and none
    /// that the change reached.
    @Test func aChangedByteBreaksTheHandshake() {
        var lengths = Meeting(Fixture.own(1), Fixture.own(2))
        lengths.run()
        for (flight, bytes) in lengths.flights.enumerated() {
            for index in bytes.indices {
                var meeting = Meeting(Fixture.own(1), Fixture.own(2))
                meeting.run { number, bytes in if number == flight { bytes[index] ^= 0x40 } }
                let receiver = flight % 2 == 0 ? meeting.answererOutcome : meeting.callerOutcome
                // The versions beside the status are a courtesy to a refused caller and bind nothing.
                if flight == 1, index == 1 || index == 2 { continue }
                #expect(receiver.session == nil, "flight \(flight), byte \(index)")
                #expect(meeting.answererOutcome.session == nil, "flight \(flight), byte \(index)")
            }
        }
    }

    @Test func flightsCutShortLeadToNothing() {
        for flight in 0..<3 {
            var meeting = Meeting(Fixture.own(1), Fixture.own(2))
            meeting.run { number, bytes in if number == flight { bytes.removeLast() } }
            #expect(meeting.answererOutcome.session == nil)
            #expect(meeting.flights.count == flight + 1, "nothing is answered before it is complete")
        }
    }

    @Test func aReplayedCallerProvesNothing() {
        var first = Meeting(Fixture.own(1), Fixture.own(2))
        first.run()
        var answerer = LinkHandshake(answeringAs: Fixture.own(2))
        let answer = Outcome(answerer.received(first.flights[0]))
        #expect(answer.sent.count == 148 && answer.sent != first.flights[1])
        #expect(Outcome(answerer.received(first.flights[2])).failure == .noise(.notAuthentic))
    }

    @Test func flightsOutOfOrderAreRefused() {
        var first = Meeting(Fixture.own(1), Fixture.own(2))
        first.run()
        var answerer = LinkHandshake(answeringAs: Fixture.own(2))
        #expect(Outcome(answerer.received(first.flights[2])).failure == .otherProtocol)
        var (caller, _) = LinkHandshake.call(as: Fixture.own(1), purpose: .control)
        #expect(Outcome(caller.received(first.flights[1])).failure == .noise(.notAuthentic))
    }

    /// The caller proves one static key and shows another's Ed25519 key.
    @Test func aStolenNodeKeyIsFound() throws {
        let preamble = Preamble(terms: .current, key: Fixture.keyA)
        let secret = try #require(SealingKeys(Fixture.tableA)[Fixture.keyA]).link.withBytes { Array($0) }
        var thief = NoiseHandshake(
            isInitiator: true, prologue: preamble.prologue, staticKey: Fixture.identity(3).agreementKey,
            sharedSecret: secret)
        var answerer = LinkHandshake(answeringAs: Fixture.own(2))
        let first = try thief.write([])
        let answer = Outcome(answerer.received(preamble.bytes + [0, UInt8(first.count)] + first)).sent
        _ = try thief.read(Array(answer.dropFirst(6)))
        let claim = Introduction(
            publicKey: Fixture.identity(1).publicKey, start: StartID(bits: 1), version: 1, purpose: .control,
            features: 0)
        let proof = try thief.write(claim.bytes)
        #expect(Outcome(answerer.received([0, UInt8(proof.count)] + proof)).failure == .falseIdentity)
    }

    @Test func meetingOurselvesIsNoticed() {
        var same = Meeting(Fixture.own(1, start: 5), Fixture.own(1, start: 5))
        same.run()
        #expect(same.callerOutcome.failure == .ourselves)
        var clone = Meeting(Fixture.own(1, start: 5), Fixture.own(1, start: 6))
        clone.run()
        #expect(clone.callerOutcome.failure == .otherStart(StartID(bits: 6)))
    }

    @Test func aDeniedNodeIsNotAdmittedAndANarrowedKeyAdmitsMembersOnly() throws {
        let (denied, member, stranger) = (
            Fixture.identity(1).id, Fixture.identity(3).id, Fixture.identity(4).id
        )
        let answerer = Fixture.own(2, try Fixture.denied(denied), members: [denied, member])
        var first = Meeting(Fixture.own(1), answerer)
        first.run()
        #expect(first.answererOutcome.failure == .notAdmitted(denied, Fixture.keyA))
        var second = Meeting(Fixture.own(3), answerer)
        second.run()
        #expect(second.answererOutcome.session?.peer.id == member)
        var third = Meeting(Fixture.own(4), answerer)
        third.run()
        #expect(third.answererOutcome.failure == .notAdmitted(stranger, Fixture.keyA))
    }

    @Test func otherProtocolsAndLongMessagesAreRefusedEarly() {
        var web = LinkHandshake(answeringAs: Fixture.own(2))
        #expect(Outcome(web.received(Array("GET / HTTP/1.1\r\n".utf8))).failure == .otherProtocol)
        var long = LinkHandshake(answeringAs: Fixture.own(2))
        let preamble = Preamble(terms: .current, key: Fixture.keyA).bytes
        #expect(Outcome(long.received(preamble + [0xff, 0xff])).failure == .malformed)
        var (caller, _) = LinkHandshake.call(as: Fixture.own(1), purpose: .control)
        #expect(Outcome(caller.received(LinkHandshake.busyAnswer(.current))).failure == .busy)
    }

    @Test func aCallerMayNameOnlySoManyKeys() {
        var answerer = LinkHandshake(answeringAs: Fixture.own(2))
        var outcome = Outcome([])
        for number in 0..<LinkHandshake.mostTries {
            let preamble = Preamble(terms: .current, key: KeyID(bits: 100 + UInt32(number)))
            outcome = Outcome(answerer.received(preamble.bytes + [0, 1, 0]))
        }
        #expect(outcome.failure == .noCommonKey)
    }
}
