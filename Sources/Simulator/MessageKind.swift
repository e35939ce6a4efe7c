import Cluster

// Every kind of message that nodes send, by name: each is dropped or doubled in its turn (PROTOCOL section 7,
// schedule 13). The switches are exhaustive, so a new message is a new kind or does not compile.

/// What becomes of a kind of message.
public enum Spoiling: String, CaseIterable, Sendable { case dropped, doubled }

/// A kind of message between nodes.
public enum MessageKind: String, CaseIterable, Sendable {
    // Datagrams.
    case ping, ack, pingRequest, nack, gossip, digest, notMe, echo, echoReply, dialRequest, dialReport
    case jobRumour, aliveRumour, suspectRumour, deadRumour, leftRumour
    // Frames.
    case hello, packet, buckets, entries, keys
    case bookRoot, bookBuckets, bookHeaders, bookWant
    // About one job.
    case keep, kept, notKept, beat, header, handOver, probe, coordinating, results, knows, wantResults
    case heartbeat, reply, ask, victim, grant, nothing, finished, failed, holdings, holdingsSeen, hold
    case damaged, keepOutputs, outputsKept, request, answer

    init(_ message: Datagram.Message) {
        self =
            switch message {
            case .ping: .ping
            case .ack: .ack
            case .pingRequest: .pingRequest
            case .nack: .nack
            case .gossip: .gossip
            case .digest: .digest
            case .notMe: .notMe
            case .echo: .echo
            case .echoReply: .echoReply
            case .dialRequest: .dialRequest
            case .dialReport: .dialReport
            case .job: .jobRumour
            }
    }

    init(_ rumour: Rumour) {
        self =
            switch rumour {
            case .alive: .aliveRumour
            case .suspect: .suspectRumour
            case .dead: .deadRumour
            case .left: .leftRumour
            }
    }

    init(_ frame: Frame) {
        self =
            switch frame {
            case .hello: .hello
            case .packet: .packet
            case .buckets: .buckets
            case .entries: .entries
            case .keys: .keys
            case .book(.root): .bookRoot
            case .book(.buckets): .bookBuckets
            case .book(.headers): .bookHeaders
            case .book(.want): .bookWant
            case .job(let message): MessageKind(message.body)
            }
    }

    init(_ body: JobMessage.Body) {
        self =
            switch body {
            case .keep: .keep
            case .kept: .kept
            case .notKept: .notKept
            case .beat: .beat
            case .header: .header
            case .handOver: .handOver
            case .probe: .probe
            case .coordinating: .coordinating
            case .results: .results
            case .knows: .knows
            case .wantResults: .wantResults
            case .heartbeat: .heartbeat
            case .reply: .reply
            case .ask: .ask
            case .victim: .victim
            case .grant: .grant
            case .nothing: .nothing
            case .finished: .finished
            case .failed: .failed
            case .holdings: .holdings
            case .holdingsSeen: .holdingsSeen
            case .hold: .hold
            case .damaged: .damaged
            case .keepOutputs: .keepOutputs
            case .outputsKept: .outputsKept
            case .request: .request
            case .answer: .answer
            }
    }
}

extension World {
    /// What is left of a datagram, and how many of it go out. Its rumours are kinds of their own.
    func spoil(_ datagram: Datagram) -> (Datagram, copies: Int) {
        var datagram = datagram
        datagram.rumours.removeAll { spoiled[MessageKind($0)] == .dropped }
        let isDoubled = datagram.rumours.contains { spoiled[MessageKind($0)] == .doubled }
        return (datagram, max(isDoubled ? 2 : 0, copies(of: MessageKind(datagram.message))))
    }

    /// How often a frame goes out.
    func copies(of frame: Frame) -> Int {
        let own = copies(of: MessageKind(frame))
        guard own == 1, case .packet(let message, _) = frame else { return own }
        return copies(of: MessageKind(message))
    }

    private func copies(of kind: MessageKind) -> Int {
        switch spoiled[kind] {
        case .dropped: 0
        case .doubled: 2
        case nil: 1
        }
    }
}
