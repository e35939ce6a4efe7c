import Foundation
import Hummingbird
import Testing

@testable import Web

/// One stream for many clients.
struct EventFanTests {
    /// What a client is told until it is told the last word.
    private func heard(_ client: EventClient, until last: String) async -> [String] {
        var texts: [String] = []
        for await bytes in client.stream {
            texts.append(String(buffer: bytes))
            if texts.last?.hasSuffix(last) == true { break }
        }
        return texts
    }

    @Test func fewClientsHearEachEventAtOnce() async {
        let fan = EventFan()
        let client = fan.join(ByteBuffer(string: "begin;"))
        for text in ["a;", "b;", "c;"] { fan.tell(ByteBuffer(string: text)) }
        #expect(await heard(client, until: "c;") == ["begin;", "a;", "b;", "c;"])
    }

    @Test(.timeLimit(.minutes(1))) func aCrowdHearsEventsTogetherAndInOrder() async {
        let fan = EventFan()
        let clients = (0..<EventFan.crowd).map { _ in fan.join(nil) }
        for text in ["a;", "b;", "c;"] { fan.tell(ByteBuffer(string: text)) }
        #expect(await heard(clients[7], until: "c;") == ["a;b;c;"])
        fan.tell(ByteBuffer(string: "d;"))
        // Who comes now has the state of this moment: what was told before is no news to it.
        let late = fan.join(ByteBuffer(string: "begin;"))
        fan.tell(ByteBuffer(string: "e;"))
        fan.finish()
        #expect(await heard(late, until: "e;") == ["begin;", "e;"])
        #expect(await heard(clients[8], until: "e;") == ["a;b;c;", "d;", "e;"])
    }
}
