import Cipher
import Cluster
import Foundation
import Sodium
import Synchronization
import Transport

/// What a sealed byte costs on this machine, both ends counted: two transports of this process with a bulk
/// link over loopback between them, and frames of the size in which blobs go.
public enum SealedTransferTrial {
    /// What was measured.
    public struct Figures: Codable, Sendable {
        /// That went through the link.
        public let bytes: Int
        /// Of all of this process's threads meanwhile.
        public let cpuSeconds: Double
        /// Wall time.
        public let seconds: Double
        /// CPU time of sealing and opening as many bytes without a network: less is not to be had here.
        public let cipherCPUSeconds: Double
    }

    /// - Parameter bytes: how much to send, rounded up to whole frames.
    /// - Throws: `RuntimeError`, `LinkEnded` or `ListenFailure`, a sentence: loopback is not to be had.
    public static func run(bytes: Int) async throws -> Figures {
        let (links, found) = AsyncStream.makeStream(of: BulkLink.self)
        let taken = Sink()
        let from = end(1) { link in
            found.yield(link)
            return Sink()
        }
        let to = end(2) { _ in taken }
        let figures: Result<Figures, any Error>
        do {
            _ = try await from.open()
            from.dial(1, Address("127.0.0.1:\(try await to.open())"), purpose: .bulk)
            Task {
                do { try await Task.sleep(for: .seconds(5)) } catch { return found.finish() }
                found.finish()
            }
            guard let link = await links.first(where: { _ in true }) else {
                throw RuntimeError("no link came up over 127.0.0.1 within 5 s; a firewall may cut it")
            }
            figures = .success(try await send(bytes, over: link, to: taken))
        } catch {
            figures = .failure(error)
        }
        await from.shutDown()
        await to.shutDown()
        return try figures.get()
    }

    private static func end(
        _ number: UInt8, _ bulk: @escaping @Sendable (BulkLink) -> any BulkReceiver
    ) -> Transport {
        let secret = [UInt8](repeating: 7, count: 32)
        let options = Transport.Options(
            identity: NodeIdentity(seed: Secret(copying: [UInt8](repeating: number, count: 32))),
            start: StartID(bits: UInt64(number)),
            keys: SealingKeys(KeyTable(first: SealingKeys.name(of: secret), secret: secret)),
            listen: Address("127.0.0.1:0"))
        return Transport(options, bulk: bulk, report: { _ in })
    }

    private static func send(_ bytes: Int, over link: BulkLink, to sink: Sink) async throws -> Figures {
        let piece = [UInt8](repeating: 0x5a, count: BulkServer.pieceBytes)
        let count = max(1, (bytes + piece.count - 1) / piece.count)
        let (cpu, begin) = (clock(), ContinuousClock.now)
        for _ in 0..<count { try await link.send(.data, stream: 1, piece) }
        while sink.bytes < count * piece.count, !sink.hasEnded { try await Task.sleep(for: .milliseconds(1)) }
        guard !sink.hasEnded else { throw LinkEnded() }
        let (used, took) = (clock() - cpu, ContinuousClock.now - begin)
        return Figures(
            bytes: count * piece.count, cpuSeconds: Double(used) / Double(CLOCKS_PER_SEC),
            seconds: took.inSeconds, cipherCPUSeconds: try cipher(piece, count))
    }

    private static func cipher(_ piece: [UInt8], _ count: Int) throws -> Double {
        let key = Secret(copying: [UInt8](repeating: 9, count: ChaChaPoly.keyByteCount))
        let begin = clock()
        for number in 0..<UInt64(count) {
            let sealed = ChaChaPoly.seal(piece, header: [], key: key, number: number)
            guard ChaChaPoly.open(sealed[...], header: [], key: key, number: number)?.count == piece.count
            else {
                throw RuntimeError("libcrypto does not open what it sealed; reinstall it")
            }
        }
        return Double(clock() - begin) / Double(CLOCKS_PER_SEC)
    }

    /// Counts what a bulk link brings.
    private final class Sink: BulkReceiver {
        private let state = Mutex((bytes: 0, hasEnded: false))

        var bytes: Int { state.withLock { $0.bytes } }
        var hasEnded: Bool { state.withLock { $0.hasEnded } }

        func received(_ kind: FrameKind, stream: UInt32, _ payload: UnsafeRawBufferPointer) {
            state.withLock { $0.bytes += payload.count }
        }

        func writabilityChanged(_ isWritable: Bool) {}

        func ended(_ loss: LinkLoss) { state.withLock { $0.hasEnded = true } }
    }
}
