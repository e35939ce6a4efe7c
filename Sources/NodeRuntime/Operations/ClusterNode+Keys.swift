import Cluster
import Foundation
import Transport

// The cluster's keys as operators see and change them (PROTOCOL.md, section 6).

extension ClusterNode {
    /// One key of the cluster.
    public struct KeyStatus: Codable, Equatable, Sendable {
        /// Its name: the first four bytes of the secret's hash, in hexadecimal.
        public let id: String
        /// `installed`, `narrowed` or `retired`.
        public let stage: String
        public let isInUse: Bool
        /// Members that have not left and do not hold it.
        public let lacking: [String]
    }

    /// All keys that this node knows.
    public func keys() async -> [KeyStatus] {
        await look { node in
            let table = node.membership.keys.table
            let members = node.membership.table.rows.filter { $0.standing != .left }
            return table.keys.map { key in
                KeyStatus(
                    id: "\(key.id)", stage: "\(key.stage)", isInUse: table.keyInUse == key.id,
                    lacking: members.filter { !$0.record.keys.contains(key.id) }.map { "\($0.id)" })
            }
        }
    }

    /// The name of a secret.
    ///
    /// - Throws: `RuntimeError` when a secret cannot have that size.
    public static func keyName(of secret: [UInt8]) throws -> KeyID {
        guard SealingKeys.secretSizes.contains(secret.count) else {
            throw RuntimeError(
                "a cluster key of \(secret.count) bytes is none; make one with arbutus key new")
        }
        return SealingKeys.name(of: secret)
    }

    /// Carries out a request about the keys.
    ///
    /// - Parameter seconds: how long to go on asking while members have yet to tell that they hold the key.
    /// - Throws: `RuntimeError` that says why not.
    public func decide(_ request: KeyRequest, within seconds: Double = 15) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while let refusal = await ask(request) {
            guard case .notHeldBy = refusal, ContinuousClock.now < end else {
                throw RuntimeError("\(refusal)")
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        logger.notice("keys: \(request.summary)")
    }

    /// The protocol's word on a request; nil: it is done.
    private func ask(_ request: KeyRequest) async -> KeyRefusal? {
        await keyRequests.run { [self] in
            _ = waiters.takeKeyRefusal()
            post(.keys(request))
            // A look comes after the inputs before it.
            await look { _ in }
            return waiters.takeKeyRefusal()
        }
    }

    func keysRefused(_ refusal: KeyRefusal) {
        logger.debug("keys: \(refusal)")
        waiters.keysRefused(refusal)
    }
}

extension KeyRequest {
    /// For the log, without the secret.
    var summary: String {
        switch self {
        case .install(let key, _): "\(key) is installed"
        case .use(let key): "\(key) is in use from now on"
        case .retire(let key, let forced): "\(key) is retired" + (forced ? " (forced)" : "")
        case .deny(let node, let key, _): "node \(node) is denied; \(key) is in use from now on"
        }
    }
}

/// Lets asynchronous work through one at a time.
actor Turnstile {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Runs `body` when those before it have ended.
    func run<T: Sendable>(_ body: @Sendable () async -> T) async -> T {
        if isTaken { await withCheckedContinuation { waiting.append($0) } }
        isTaken = true
        defer {
            isTaken = false
            if !waiting.isEmpty {
                isTaken = true
                waiting.removeFirst().resume()
            }
        }
        return await body()
    }
}

extension KeyID {
    /// Reads a name as it is printed: one to eight hexadecimal digits; nil for anything else.
    public init?(_ text: String) {
        guard (1...8).contains(text.utf8.count), text.allSatisfy({ $0.isASCII && $0.isHexDigit }),
            let bits = UInt32(text, radix: 16)
        else { return nil }
        self.init(bits: bits)
    }
}

extension NodeID {
    /// Reads sixteen hexadecimal digits, as ids are printed; nil for anything else.
    public init?(hexadecimal text: String) {
        guard text.utf8.count == 16, text.allSatisfy({ $0.isASCII && $0.isHexDigit }),
            let short = UInt64(text, radix: 16)
        else { return nil }
        self.init(short: short)
    }
}
