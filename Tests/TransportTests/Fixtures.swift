import Cluster
import Sodium

@testable import Transport

/// Cluster keys by a letter, so that a test reads as what it is about.
enum Fixture {
    static let secretA = [UInt8](repeating: 0xa1, count: 32)
    static let secretB = [UInt8](repeating: 0xb2, count: 32)
    static let keyA = KeyID(bits: 0xa)
    static let keyB = KeyID(bits: 0xb)

    /// The table of a cluster that holds A and uses it.
    static var tableA: KeyTable { KeyTable(first: keyA, secret: secretA) }

    /// Only B.
    static var tableB: KeyTable { KeyTable(first: keyB, secret: secretB) }

    /// A and B, with A in use.
    static var tableAB: KeyTable {
        var table = tableA
        _ = table.unite(tableB)
        return KeyTable.using(keyA, table)
    }

    /// B in use, A narrowed because `node` was denied.
    static func denied(_ node: NodeID) throws -> KeyTable {
        var ring = KeyRing(me: NodeID(short: 1), table: tableA)
        try ring.decide(.deny(node, newKey: keyB, secret: secretB), members: [])
        return ring.table
    }

    /// A node whose key is the same in every run.
    static func identity(_ number: UInt8) -> NodeIdentity {
        NodeIdentity(seed: Secret(copying: [UInt8](repeating: number, count: 32)))
    }

    static func own(
        _ number: UInt8, start: UInt64 = 1, _ table: KeyTable = tableA, terms: LinkTerms = .current,
        members: Set<NodeID> = []
    ) -> LinkHandshake.Own {
        LinkHandshake.Own(
            identity: identity(number), start: StartID(bits: start),
            keys: SealingKeys(table, members: members),
            terms: terms)
    }
}

extension KeyTable {
    /// The table with another key in use.
    static func using(_ key: KeyID, _ table: KeyTable) -> KeyTable {
        guard table.use.key != key else { return table }
        var ring = KeyRing(me: NodeID(short: 1), table: table)
        do {
            try ring.decide(.use(key), members: [])
        } catch {
            preconditionFailure("\(error)")
        }
        return ring.table
    }
}

/// A handshake's actions, sorted.
struct Outcome {
    var sent: [UInt8] = []
    var session: LinkSession?
    var rest: [UInt8] = []
    var failure: HandshakeFailure?

    init(_ actions: [LinkHandshake.Action]) {
        for action in actions {
            switch action {
            case .send(let bytes): sent += bytes
            case .established(let session, let rest): (self.session, self.rest) = (session, rest)
            case .failed(let failure): self.failure = failure
            }
        }
    }
}

/// Both sides of a handshake, and the bytes between them.
struct Meeting {
    var caller: LinkHandshake
    var answerer: LinkHandshake
    var callerOutcome = Outcome([])
    var answererOutcome = Outcome([])
    /// The caller's messages, then the answers.
    var flights: [[UInt8]] = []

    init(_ caller: LinkHandshake.Own, _ answerer: LinkHandshake.Own, purpose: LinkPurpose = .control) {
        let (handshake, actions) = LinkHandshake.call(as: caller, purpose: purpose)
        self.caller = handshake
        self.answerer = LinkHandshake(answeringAs: answerer)
        callerOutcome = Outcome(actions)
        if !callerOutcome.sent.isEmpty { flights.append(callerOutcome.sent) }
    }

    /// Runs until nothing is said any more; `change` may spoil a flight on its way.
    mutating func run(_ change: (Int, inout [UInt8]) -> Void = { _, _ in }) {
        var towardsAnswerer = true
        var bytes = callerOutcome.sent
        var number = 0
        while !bytes.isEmpty {
            change(number, &bytes)
            let outcome = Outcome(towardsAnswerer ? answerer.received(bytes) : caller.received(bytes))
            if towardsAnswerer { answererOutcome = outcome } else { callerOutcome = outcome }
            bytes = outcome.sent
            if !bytes.isEmpty { flights.append(bytes) }
            towardsAnswerer.toggle()
            number += 1
        }
    }
}
