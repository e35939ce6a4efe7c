import Cluster
import Foundation
import Synchronization
import Testing

@testable import Transport

/// Counts and sums what a bulk link brings.
final class Sink: BulkReceiver {
    private let state = Mutex((bytes: 0, sum: UInt64(0), control: [[UInt8]](), losses: [LinkLoss]()))

    func received(_ kind: FrameKind, stream: UInt32, _ payload: UnsafeRawBufferPointer) {
        let sum = kind == .data ? payload.prefix(64).reduce(UInt64(stream)) { $0 &+ UInt64($1) } : 0
        state.withLock {
            if kind == .control { $0.control.append(Array(payload)) } else { $0.bytes += payload.count }
            $0.sum &+= sum
        }
    }

    func writabilityChanged(_ isWritable: Bool) {}

    func ended(_ loss: LinkLoss) { state.withLock { $0.losses.append(loss) } }

    var bytes: Int { state.withLock { $0.bytes } }
    var sum: UInt64 { state.withLock { $0.sum } }
    var control: [[UInt8]] { state.withLock { $0.control } }
    var losses: [LinkLoss] { state.withLock { $0.losses } }
}

/// Bulk links in the order in which they came up.
final class BulkLinks: Sendable {
    private let links = Mutex<[BulkLink]>([])

    func add(_ link: BulkLink) { links.withLock { $0.append(link) } }

    var first: BulkLink? { links.withLock { $0.first } }
}

/// Two stations with one bulk link between them.
struct BulkPair: Sendable {
    let a: Station
    let b: Station
    /// The ends of the link at `a`, which dialled, and at `b`.
    let link: BulkLink
    let otherEnd: BulkLink
    let atA = Sink()
    let atB = Sink()

    init(limits: LinkLimits = LinkLimits()) async throws {
        let (sinkA, sinkB, linksA, linksB) = (atA, atB, BulkLinks(), BulkLinks())
        a = try await Station(1, limits: limits) { link in
            linksA.add(link)
            return sinkA
        }
        b = try await Station(2, limits: limits) { link in
            linksB.add(link)
            return sinkB
        }
        a.transport.dial(1, b.address, purpose: .bulk)
        try await eventually("bulk link") { linksA.first != nil && linksB.first != nil }
        link = try #require(linksA.first)
        otherEnd = try #require(linksB.first)
    }

    func shutDown() async {
        await a.transport.shutDown()
        await b.transport.shutDown()
    }
}

@Suite(.serialized) struct BulkTests {
    @Test func bytesFollowTheirMessageRaw() async throws {
        let pair = try await BulkPair()
        #expect(pair.link.peer.id == pair.b.identity.id)
        #expect(pair.link.dial == 1)
        try await pair.link.send(.control, stream: 3, Array("blob 1".utf8))
        for _ in 0..<40 {
            try await pair.link.send(.data, stream: 3, [UInt8](repeating: 1, count: 256 << 10))
        }
        try await eventually("ten megabytes") { pair.atB.bytes == 40 * 256 << 10 }
        #expect(pair.atB.control == [Array("blob 1".utf8)])
        #expect(pair.atB.sum == 40 * (3 + 64))
        pair.link.close()
        try await eventually("the end") {
            pair.atB.losses == [.goodbye(.done)] && pair.atA.losses == [.closedHere]
        }
        await #expect(throws: LinkEnded.self) { try await pair.link.send(.data, stream: 1, [1]) }
        #expect(pair.a.ups == 0 && pair.b.ups == 0, "a bulk link is no control link")
        await pair.shutDown()
    }

    @Test func aSenderPausesWhileTheReceiverDoes() async throws {
        var limits = LinkLimits()
        (limits.lowWatermark, limits.highWatermark) = (256 << 10, 1 << 20)
        let pair = try await BulkPair(limits: limits)
        pair.otherEnd.setReading(false)
        let counter = Counter()
        let sender = Task {
            for _ in 0..<400 {
                try await pair.link.send(.data, stream: 1, [UInt8](repeating: 2, count: 256 << 10))
                counter.increment()
            }
        }
        // 100 MB are offered; the mark, the kernel's buffers and a read or two take some of them.
        try await Task.sleep(for: .milliseconds(500))
        let before = counter.value
        #expect(before < 200)
        try await Task.sleep(for: .milliseconds(300))
        #expect(counter.value == before)
        pair.otherEnd.setReading(true)
        try await sender.value
        try await eventually("all received") { pair.atB.bytes == 400 * 256 << 10 }
        await pair.shutDown()
    }

    @Test func aPeerMayHaveOnlySoManyBulkLinks() async throws {
        var limits = LinkLimits()
        limits.bulkLinksPerPeer = 1
        let pair = try await BulkPair(limits: limits)
        pair.a.transport.dial(2, pair.b.address, purpose: .bulk)
        #expect(try await pair.b.refusal().hasSuffix("has 1 bulk links"))
        try await eventually("unwelcome") { pair.atA.losses == [.goodbye(.unwelcome)] }
        await pair.shutDown()
    }
}

/// Counts on any thread.
final class Counter: Sendable {
    private let count = Mutex(0)
    func increment() { count.withLock { $0 += 1 } }
    var value: Int { count.withLock { $0 } }
}
