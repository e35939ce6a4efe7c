import Cluster
import Foundation
import Transport
import Wire

/// Asks other nodes for bytes, over one bulk link a node that is dialled when it is needed and dialled again
/// when it broke.
final class BulkClient: PeerFiles, @unchecked Sendable {
    /// How the client gets a link: the owner dials and tells `linkStands` or `linkFailed`.
    let dial: @Sendable (NodeID) -> Void
    private let tally: NodeTally
    private let linkPatience: Double
    private let lock = NSLock()
    private var links: [NodeID: BulkConversation] = [:]
    private var dialling: [NodeID: Awaited<BulkConversation>] = [:]
    /// Nodes that answered no dial or were called dead, and when: who waits for others must not wait behind
    /// these.
    private var silent: [NodeID: ContinuousClock.Instant] = [:]

    /// A peer that says nothing for so long is given up; the transport's own limits are shorter.
    private static let patience = 60.0
    /// For so long such a node is not dialled again.
    private static let silenceLasts = Duration.seconds(5)
    private let meter: LinkMeter

    /// - Parameters:
    ///   - meter: told of each answer.
    ///   - linkPatience: how many seconds a dial may take.
    init(
        tally: NodeTally, meter: LinkMeter, linkPatience: Double = 10,
        dial: @escaping @Sendable (NodeID) -> Void
    ) {
        (self.tally, self.meter, self.linkPatience, self.dial) = (tally, meter, linkPatience, dial)
    }

    func copy(
        _ request: BulkRequest, from node: NodeID, limit: Int,
        take: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let conversation = try conversation(with: node)
        let asked = ContinuousClock.now
        let stream = try conversation.ask(request)
        defer { conversation.forget(stream) }
        var expected: Int?
        var taken = 0
        var answered = asked
        while true {
            guard let part = conversation.next(of: stream, within: Self.patience) else {
                throw BulkFailure.unreachable(node)
            }
            switch part {
            case .reply(.follows(let length)):
                guard length <= limit else { throw BulkFailure.tooLarge(node) }
                expected = length
                answered = .now
            case .reply(.absent): throw BulkFailure.absent(node)
            case .reply(.refused(let reason)): throw BulkFailure.refused(node, reason)
            case .reply: throw BulkFailure.refused(node, "an answer to another question")
            case .data(let bytes):
                guard let expected, taken + bytes.count <= expected else { throw BulkFailure.tooLarge(node) }
                try bytes.withUnsafeBytes(take)
                taken += bytes.count
            }
            if taken == expected {
                meter.answered(
                    firstAfter: (answered - asked).inSeconds, bytes: taken,
                    in: (ContinuousClock.now - asked).inSeconds)
                return tally.received(request, bytes: taken)
            }
        }
    }

    func reply(_ request: BulkRequest, from node: NodeID) throws -> BulkReply {
        let conversation = try conversation(with: node)
        let stream = try conversation.ask(request)
        defer { conversation.forget(stream) }
        guard case .reply(let reply)? = conversation.next(of: stream, within: Self.patience) else {
            throw BulkFailure.unreachable(node)
        }
        return reply
    }

    // MARK: Links

    private func conversation(with node: NodeID) throws -> BulkConversation {
        let (standing, awaited, isNew) = try lock.withLock {
            () throws -> (BulkConversation?, Awaited<BulkConversation>, Bool) in
            if let standing = links[node], !standing.isOver { return (standing, Awaited(), false) }
            if let since = silent[node], .now - since < Self.silenceLasts {
                throw BulkFailure.unreachable(node)
            }
            if let awaited = dialling[node] { return (nil, awaited, false) }
            let awaited = Awaited<BulkConversation>()
            dialling[node] = awaited
            return (nil, awaited, true)
        }
        if let standing { return standing }
        if isNew { dial(node) }
        guard let conversation = try awaited.wait(seconds: linkPatience) else {
            noteSilence(of: node)
            linkFailed(node)
            throw BulkFailure.unreachable(node)
        }
        return conversation
    }

    /// A link that we dialled stands; the result takes its frames.
    func linkStands(_ link: BulkLink) -> BulkConversation {
        let conversation = BulkConversation(link)
        let awaited = lock.withLock {
            links[link.peer.id] = conversation
            silent[link.peer.id] = nil
            return dialling.removeValue(forKey: link.peer.id)
        }
        awaited?.give(.success(conversation))
        return conversation
    }

    /// A dial led to no link.
    func linkFailed(_ node: NodeID) {
        let awaited = lock.withLock { dialling.removeValue(forKey: node) }
        awaited?.give(.failure(BulkFailure.unreachable(node)))
    }

    /// The cluster sees `node` otherwise. Whoever waits for bytes of one that is called dead goes on without
    /// them: a node that hears nobody would keep them waiting until its link counts as lost.
    func memberChanged(_ node: NodeID, to standing: Standing) {
        if standing == .alive { lock.withLock { silent[node] = nil } }
        guard !standing.isPresent else { return }
        noteSilence(of: node)
        lock.withLock { links.removeValue(forKey: node) }?.close()
        linkFailed(node)
    }

    private func noteSilence(of node: NodeID) {
        lock.withLock {
            silent = silent.filter { .now - $0.value < Self.silenceLasts }
            silent[node] = .now
        }
    }

    /// Ends all links.
    func shutDown() {
        let open = lock.withLock {
            defer { links = [:] }
            return Array(links.values)
        }
        for conversation in open { conversation.close() }
    }
}

/// The questions that go over one bulk link, and the parts of their answers as they come.
final class BulkConversation: BulkReceiver, @unchecked Sendable {
    /// A part of an answer.
    enum Part {
        case reply(BulkReply)
        case data([UInt8])
    }

    private let link: BulkLink
    private let condition = NSCondition()
    private var streams: [UInt32: [Part]] = [:]
    private var lastStream: UInt32 = 0
    private var waitingBytes = 0
    private var isPaused = false
    private(set) var hasEnded = false

    /// Bytes that wait to be taken before the peer is held back.
    private static let mostWaiting = 16 << 20

    init(_ link: BulkLink) { self.link = link }

    var isOver: Bool { condition.withLock { hasEnded } }

    /// Opens a stream with a question.
    ///
    /// - Throws: `BulkFailure` when the link has ended.
    func ask(_ request: BulkRequest) throws -> UInt32 {
        let stream: UInt32? = condition.withLock {
            guard !hasEnded else { return nil }
            lastStream &+= 1
            streams[lastStream] = []
            return lastStream
        }
        guard let stream else { throw BulkFailure.unreachable(link.peer.id) }
        let link = link
        let bytes = WireBulk.encode(request)
        // Requests are short: whether the network takes the next is no question. A link that ended says so.
        Task { [weak self] in
            do { try await link.send(.control, stream: stream, bytes) } catch { self?.end() }
        }
        return stream
    }

    /// The next part of an answer; nil when the link ended, or nothing came in time.
    func next(of stream: UInt32, within seconds: Double) -> Part? {
        let end = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while streams[stream]?.isEmpty == true, !hasEnded {
            guard condition.wait(until: end) else { return nil }
        }
        guard let part = streams[stream]?.first else { return nil }
        streams[stream]?.removeFirst()
        if case .data(let bytes) = part {
            waitingBytes -= bytes.count
            if isPaused, waitingBytes < Self.mostWaiting / 2 {
                isPaused = false
                link.setReading(true)
            }
        }
        return part
    }

    /// What still comes of a stream is dropped.
    func forget(_ stream: UInt32) {
        condition.withLock {
            for case .data(let bytes) in streams.removeValue(forKey: stream) ?? [] {
                waitingBytes -= bytes.count
            }
            guard isPaused, waitingBytes < Self.mostWaiting / 2 else { return }
            isPaused = false
            link.setReading(true)
        }
    }

    func close() { link.close() }

    // MARK: From the link

    func received(_ kind: FrameKind, stream: UInt32, _ payload: UnsafeRawBufferPointer) {
        let part: Part
        switch kind {
        case .data: part = .data([UInt8](payload))
        case .control:
            guard case .success(let reply) = Result(catching: { try WireBulk.reply([UInt8](payload)) }) else {
                return link.close()
            }
            part = .reply(reply)
        default: return
        }
        condition.withLock {
            guard streams[stream] != nil else { return }
            streams[stream]?.append(part)
            if case .data(let bytes) = part { waitingBytes += bytes.count }
            if waitingBytes > Self.mostWaiting, !isPaused {
                isPaused = true
                link.setReading(false)
            }
            condition.broadcast()
        }
    }

    func writabilityChanged(_ isWritable: Bool) {}

    func ended(_ loss: LinkLoss) { end() }

    private func end() {
        condition.withLock {
            hasEnded = true
            condition.broadcast()
        }
    }
}
