import Cluster
import Foundation
import Logging
import Synchronization
import Transport

/// What a node writes into its log about the cluster: one clear line for each change, with the reason, and no
/// line again and again.
final class NodeDiary: Sendable {
    private struct State {
        var members: [NodeID: MemberChange] = [:]
        var engines: [NodeID: Digest] = [:]
        var jobs: [JobID: JobHeader] = [:]
        /// When a complaint was written last.
        var complaints: [String: ContinuousClock.Instant] = [:]
    }

    private let logger: Logger
    private let state = Mutex(State())

    /// A complaint about the same address is written again after so long.
    private static let quiet = Duration.seconds(600)
    private static let mostComplaints = 1000

    init(_ logger: Logger) { self.logger = logger }

    // MARK: Members

    /// A member's row changed.
    func member(_ change: MemberChange, at address: Address?) {
        let old = state.withLock { $0.members.updateValue(change, forKey: change.id) }
        var facts: Logger.Metadata = ["member": "\(change.id)", "version": "\(change.version)"]
        if let address { facts["address"] = "\(address)" }
        let (level, message, reason) = Self.words(old, change)
        if let reason { facts["reason"] = "\(reason)" }
        logger.log(level: level, "\(message)", metadata: facts)
    }

    /// What a change means.
    static func words(_ old: MemberChange?, _ new: MemberChange) -> (Logger.Level, String, String?) {
        switch (old?.standing, new.standing) {
        case (nil, .alive): (.info, "a node is there", nil)
        case (.suspect?, .alive): (.info, "a suspected node is alive", "it refuted the suspicion")
        case (.dead?, .alive), (.left?, .alive): (.notice, "a node came back", nil)
        case (.alive?, .alive) where old?.start != new.start: (.notice, "a node was restarted", nil)
        case (.alive?, .alive): (.debug, "a node's record changed", nil)
        case (_, .suspect):
            (.warning, "a node is suspected", "it answered neither our probes nor those of others")
        case (.suspect?, .dead):
            (.warning, "a node is dead", "it did not refute the suspicion, or its host refuses connections")
        case (_, .dead):
            (.warning, "a node is dead", "it said goodbye to restart, or others found it dead")
        case (_, .left): (.notice, "a node has left", "it was drained, or denied")
        }
    }

    /// A member offers this engine.
    func engine(_ engine: Digest, of member: NodeID, ours: Digest) {
        let isNew = state.withLock { $0.engines.updateValue(engine, forKey: member) != engine }
        guard isNew, engine != ours else { return }
        logger.warning(
            "a node has another engine and takes no part in jobs pinned to ours",
            metadata: [
                "member": "\(member)", "theirs": "\(engine)", "ours": "\(ours)",
                "remedy": "compare arbutus version on both machines",
            ])
    }

    // MARK: Jobs

    /// A header is new or changed.
    func job(_ header: JobHeader) {
        let old = state.withLock { $0.jobs.updateValue(header, forKey: header.id) }
        var facts: Logger.Metadata = [
            "job": "\(header.id)", "state": "\(header.stateName)", "coordinator": "\(header.term.node)",
        ]
        if header.state.run.number > 1 { facts["run"] = "\(header.state.run.number)" }
        if !header.note.isEmpty { facts["reason"] = "\(header.note)" }
        guard let old else {
            facts["title"] = "\(header.title)"
            return logger.log(
                level: header.isLive ? .info : .debug, "a job is known", metadata: facts)
        }
        if header.term.node != old.term.node {
            facts["was"] = "\(old.term.node)"
            logger.notice("another node coordinates the job", metadata: facts)
        }
        if header.state.run != old.state.run {
            logger.notice("the job runs again", metadata: facts)
        } else if header.stateName != old.stateName {
            let isBad = ["failed", "partial"].contains(header.stateName)
            logger.log(level: isBad ? .warning : .notice, "the job is \(header.stateName)", metadata: facts)
        } else if header.reign.phase != old.reign.phase {
            facts["phase"] = "\(header.reign.phase)"
            logger.debug("the job goes on", metadata: facts)
        }
    }

    /// A job was folded away.
    func forgot(_ job: JobID) { state.withLock { $0.jobs[job] = nil } }

    // MARK: Keys

    /// Compares the key file with what the journal remembers of the cluster's keys.
    ///
    /// - Returns: what to ask of the keys so that the file's key counts too.
    func keyFile(_ file: KeyTable, beside journal: KeyTable) -> KeyRequest? {
        guard let key = file.keys.first, journal.keyInUse != key.id else { return nil }
        let facts: Logger.Metadata = ["file": "\(key.id)", "in_use": "\(journal.keyInUse)"]
        switch journal[key.id]?.stage {
        case .retired?:
            logger.warning(
                "the key file holds a retired key; the journal's is used: replace the file", metadata: facts)
        case .installed?, .narrowed?:
            logger.notice("the key file holds a key that is not in use any more", metadata: facts)
        case nil:
            logger.warning(
                "the key file holds a key that this node did not know; it is added", metadata: facts)
            return .install(key.id, secret: key.secret)
        }
        return nil
    }

    // MARK: Strangers

    /// Somebody who called was refused.
    func refused(_ address: Address, _ reason: String) {
        // Callers come from ever new ports.
        let host = address.text.lastIndex(of: ":").map { String(address.text[..<$0]) } ?? address.text
        complain("a caller was refused", [host, reason], ["from": "\(host)", "reason": "\(reason)"])
    }

    /// We called and no link came of it.
    func dialFailed(_ address: Address, _ failure: FailedDial) {
        let facts: Logger.Metadata = ["address": "\(address)", "reason": "\(failure)"]
        switch failure {
        case .handshake(.ourselves), .handshake(.busy), .refused, .timedOut, .cut, .crossed, .closing,
            .unwelcome, .unreachable:
            logger.debug("no link", metadata: facts)
        case .handshake, .unresolved, .otherNode:
            complain("no link to a node", [address.text, failure.description], facts)
        }
    }

    private func complain(_ message: String, _ what: [String], _ facts: Logger.Metadata) {
        let now = ContinuousClock.now
        let isDue = state.withLock { state in
            let name = what.joined(separator: " ")
            if let last = state.complaints[name], now - last < Self.quiet { return false }
            if state.complaints.count >= Self.mostComplaints { state.complaints = [:] }
            state.complaints[name] = now
            return true
        }
        logger.log(level: isDue ? .warning : .debug, "\(message)", metadata: facts)
    }
}
