import Cluster
import Foundation
import Testing

@testable import NodeRuntime

/// Who waits for bytes of many nodes must not wait behind the one that does not answer.
struct BulkClientTests {
    private let deaf = NodeID(short: 2)

    private func client(linkPatience: Double) -> (BulkClient, dials: Counter) {
        let dials = Counter()
        let client = BulkClient(tally: NodeTally(), meter: LinkMeter { _ in }, linkPatience: linkPatience) {
            _ in dials.add()
        }
        return (client, dials)
    }

    /// A keeper is asked to copy 64 blobs of a coordinator that sends and hears nobody.
    @Test func aNodeThatAnswersNoDialIsWaitedForOnce() {
        let (client, dials) = client(linkPatience: 0.3)
        let begin = ContinuousClock.now
        for index in 0..<64 {
            #expect(throws: BulkFailure.self) {
                try client.reply(.manifest(Digest(0, 0, 0, UInt64(index))), from: deaf)
            }
        }
        #expect(ContinuousClock.now - begin < .seconds(3))
        #expect(dials.count == 1)
    }

    @Test(.timeLimit(.minutes(1))) func aDialEndsWhenTheNodeIsCalledDead() async {
        let (client, dials) = client(linkPatience: 50)
        let asking = Task.detached { [deaf] in
            do { _ = try client.reply(.manifest(Digest(0, 0, 0, 1)), from: deaf) } catch {
                return error is BulkFailure
            }
            return false
        }
        while dials.count == 0 { await Task.yield() }
        let begin = ContinuousClock.now
        client.memberChanged(deaf, to: .dead)
        #expect(await asking.value)
        #expect(ContinuousClock.now - begin < .seconds(10))
    }

    /// A node that was restarted is asked again at once.
    @Test func aNodeThatIsBackIsDialledAgain() {
        let (client, dials) = client(linkPatience: 0.1)
        for _ in 0..<2 {
            #expect(throws: BulkFailure.self) {
                try client.reply(.manifest(Digest(0, 0, 0, 1)), from: deaf)
            }
            client.memberChanged(deaf, to: .alive)
        }
        #expect(dials.count == 2)
    }
}

private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0
    var count: Int { lock.withLock { value } }
    func add() { lock.withLock { value += 1 } }
}
