import Cluster
import Testing

@testable import NodeRuntime

/// When a node's way out counts as full.
struct UplinkLoadTests {
    private final class Link {}
    private let links = (0..<3).map { _ in Link() }

    /// Looks once a second at links whose bytes waited for these shares of it, one peer a link.
    private func load(_ seconds: [[Double]], samePeer: Bool = false) -> [Bool] {
        var (load, held) = (UplinkLoad(), [Double](repeating: 7, count: links.count))
        func look() {
            let readings = links.indices.map { index in
                UplinkLoad.Reading(
                    link: ObjectIdentifier(links[index]), peer: NodeID(short: samePeer ? 1 : UInt64(index)),
                    held: held[index])
            }
            load.looked(readings, after: 1)
        }
        look()
        return seconds.map { shares in
            for (index, share) in shares.enumerated() { held[index] += share }
            look()
            return load.isFull
        }
    }

    @Test func twoPeersWhoseBytesWaitForTheNetworkAreEnough() {
        #expect(load([[1, 0.95, 0]]) == [true])
        #expect(load([[1, 0.8, 0]]) == [false])
    }

    @Test func oneSlowPeerSaysNothingOfOurWayOut() {
        #expect(load([[1, 0, 0], [1, 0.1, 0.2]]) == [false, false])
        #expect(load([[1, 1, 1]], samePeer: true) == [false])
    }

    @Test func itIsFreeAgainWhenBytesWaitForLessThanHalfOfTheTime() {
        #expect(
            load([[1, 1, 0], [0.6, 0.6, 0], [0.6, 0.4, 0], [0.6, 0.6, 0]]) == [true, true, false, false])
    }

    /// Bytes that are on a long way are held by the network too, and nothing waits.
    @Test func aLongWayIsNoFullOne() {
        var load = UplinkLoad()
        for second in 0..<3 {
            let readings = links.enumerated().map {
                UplinkLoad.Reading(
                    link: ObjectIdentifier($1), peer: NodeID(short: UInt64($0)), held: Double(second),
                    isWaiting: false)
            }
            load.looked(readings, after: 1)
        }
        #expect(!load.isFull)
    }

    /// What a link waited before it was first seen is not of this second.
    @Test func aLinkThatIsNewCountsFromItsFirstLook() {
        var load = UplinkLoad()
        let readings = links.enumerated().map {
            UplinkLoad.Reading(link: ObjectIdentifier($1), peer: NodeID(short: UInt64($0)), held: 100)
        }
        load.looked(readings, after: 1)
        #expect(!load.isFull)
    }
}
