import Cluster
import Foundation
import Synchronization
import Testing

@testable import NodeRuntime

/// The loop keeps a node's contract: inputs in order, the timer when it is due, effects in order.
@Suite struct NodeLoopTests {
    private func node() -> Node {
        let id = NodeID(short: 7)
        let keys = KeyTable(first: KeyID(bits: 1), secret: [UInt8](repeating: 1, count: 32))
        return Node(
            Membership.Identity(id: id, start: StartID(bits: 9), address: Address("127.0.0.1:7480")),
            persisted: Persisted(epoch: 4, peers: [], keys: keys), seeds: [],
            generator: SeededGenerator(seed: 1))
    }

    @Test(.timeLimit(.minutes(1))) func aNodeAloneComesUp() async throws {
        let effects = Mutex<[Effect]>([])
        let isReady = AsyncStream<Void>.makeStream()
        let loop = NodeLoop { effect, loop in
            effects.withLock { $0.append(effect) }
            switch effect {
            case .persist(_, let ticket): if ticket != 0 { loop.post(.persisted(ticket)) }
            case .sign(let claim): loop.post(.signed(AliveRecord(claim: claim, sealed: [1])))
            case .ready: isReady.continuation.finish()
            default: break
            }
        }
        loop.start(node())
        for await _ in isReady.stream {}
        let known = AsyncStream<Int>.makeStream()
        loop.ask { node in
            known.continuation.yield(node.membership.table.rows.count)
            known.continuation.finish()
        }
        for await count in known.stream { #expect(count == 0) }
        loop.stop()
        let seen = effects.withLock { $0 }
        // The epoch is on the disk before anything is signed with it (PROTOCOL.md, section 1).
        let persisted = try #require(
            seen.firstIndex { if case .persist(.epoch(5), _) = $0 { true } else { false } })
        let signed = try #require(seen.firstIndex { if case .sign = $0 { true } else { false } })
        #expect(persisted < signed)
        #expect(loop.droppedInputs == 0)
    }

    @Test func stoppingEndsTheThread() {
        let calls = Mutex(0)
        let loop = NodeLoop { _, _ in calls.withLock { $0 += 1 } }
        loop.start(node())
        loop.stop()
        loop.stop()
        let before = calls.withLock { $0 }
        loop.post(.timer)
        Thread.sleep(forTimeInterval: 0.05)
        #expect(calls.withLock { $0 } == before)
    }

    @Test func theClockGoesOn() {
        let clock = MonotonicClock()
        let first = clock.now
        Thread.sleep(forTimeInterval: 0.02)
        let passed = clock.now - first
        #expect(passed >= .milliseconds(20) && passed < .seconds(5))
    }
}
