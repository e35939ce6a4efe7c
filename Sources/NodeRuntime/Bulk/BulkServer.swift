import Cluster
import Engine
import Foundation
import Logging
import Transport
import Wire

/// Answers what one peer asks over its bulk link: a reply in a control frame, then the bytes in data frames.
///
/// Each request is a stream; several go on at a time, and the network's own pace holds them back.
final class BulkServer: BulkReceiver, @unchecked Sendable {
    private let link: BulkLink
    private let items: LocalItems
    private let instructions: PeerInstructions
    private let tally: NodeTally
    private let threads: TransferQueue
    private let uplink: UplinkWatch
    private let logger: Logger
    private let ended = StopSignal()

    /// Bytes of a data frame: the largest that there is costs the fewest seals.
    static let pieceBytes = 256 << 10

    init(
        _ link: BulkLink, items: LocalItems, instructions: PeerInstructions, tally: NodeTally,
        threads: TransferQueue, uplink: UplinkWatch, logger: Logger
    ) {
        (self.link, self.items, self.instructions, self.tally) = (link, items, instructions, tally)
        (self.threads, self.uplink, self.logger) = (threads, uplink, logger)
        uplink.began(link)
    }

    func received(_ kind: FrameKind, stream: UInt32, _ payload: UnsafeRawBufferPointer) {
        // A caller sends requests and nothing else.
        guard kind == .control else { return link.close() }
        do {
            let request = try WireBulk.request([UInt8](payload))
            threads.add { self.answer(request, stream) }
        } catch {
            logger.warning("node \(link.peer.id) sent a bulk request that cannot be read: \(error)")
            link.close()
        }
    }

    func writabilityChanged(_ isWritable: Bool) {}

    func ended(_ loss: LinkLoss) {
        ended.set()
        uplink.ended(link)
    }

    private func answer(_ request: BulkRequest, _ stream: UInt32) {
        guard !ended.isSet else { return }
        if case .instruction(let instruction) = request { return obey(instruction, stream) }
        do {
            switch request {
            case .sceneStatus, .sceneFolder:
                return try say(try LocalItems.answer(request, items.roots), stream)
            default: break
            }
            guard let source = try items.open(request) else { return try say(.absent, stream) }
            try say(.follows(length: source.length), stream)
            let isWhole = try LocalItems.read(source, pieceBytes: Self.pieceBytes) { piece in
                try send(.data, stream, piece)
            }
            // The length was promised: a file that ends early ends the link, and the peer asks elsewhere.
            if isWhole { tally.sent(request, bytes: source.length) } else { link.close() }
        } catch is LinkEnded {
            ended.set()
        } catch let refusal as SceneRefusal {
            refuse(refusal, stream)
        } catch {
            logger.warning("cannot answer node \(link.peer.id): \(error)")
            link.close()
        }
    }

    /// Does what a user of the peer wants; its answer are bytes, or the sentence of a refusal.
    private func obey(_ instruction: PeerInstruction, _ stream: UInt32) {
        do {
            switch Result(catching: { try instructions.answer(instruction, from: link.peer.id) }) {
            case .success(let bytes):
                try say(.follows(length: bytes.count), stream)
                if !bytes.isEmpty { try send(.data, stream, bytes) }
            case .failure(let reason):
                try say(.refused(reason: String("\(reason)".prefix(WireLimit.sentence / 4))), stream)
            }
        } catch {
            ended.set()
        }
    }

    /// Says no, and in the log why: the asker is told less.
    private func refuse(_ refusal: SceneRefusal, _ stream: UInt32) {
        switch refusal {
        case .absent, .wrongKind: break
        case .outside, .detour, .changed, .unreadable:
            logger.notice("node \(link.peer.id) is refused a file: \(refusal)")
        }
        do { try say(LocalItems.reply(refusal), stream) } catch { ended.set() }
    }

    private func say(_ reply: BulkReply, _ stream: UInt32) throws {
        try send(.control, stream, WireBulk.encode(reply))
    }

    /// Sends a frame and waits until the network takes the next.
    private func send(_ kind: FrameKind, _ stream: UInt32, _ bytes: [UInt8]) throws {
        let outcome = Awaited<Void>()
        let link = link
        Task {
            do { outcome.give(.success(try await link.send(kind, stream: stream, bytes))) } catch {
                outcome.give(.failure(error))
            }
        }
        try outcome.wait()
    }
}

/// A result that another thread waits for.
final class Awaited<Value: Sendable>: @unchecked Sendable {
    private let given = DispatchSemaphore(value: 0)
    private let lock = NSLock()
    private var result: Result<Value, any Error>?

    /// Gives the result; a second one is ignored.
    func give(_ result: Result<Value, any Error>) {
        lock.withLock { if self.result == nil { self.result = result } }
        given.signal()
    }

    /// Waits for the result; nil when it does not come in time.
    func wait(seconds: Double) throws -> Value? {
        guard given.wait(timeout: .now() + seconds) == .success else { return nil }
        given.signal()
        return try lock.withLock { result }?.get()
    }

    func wait() throws -> Value {
        given.wait()
        given.signal()
        guard let result = lock.withLock({ result }) else {
            preconditionFailure("signalled without a result")
        }
        return try result.get()
    }
}
