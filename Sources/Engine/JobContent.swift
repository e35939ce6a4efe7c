import Foundation
import Mosaic

/// A job plan as the bytes that one node sends another: request, plan and engine fingerprint. Whoever holds
/// them makes the same task keys and the same outputs.
public struct JobContent: Codable, Sendable {
    public let request: MosaicRequest
    public let plan: MosaicPlan
    /// The engine's, as text: part of every task's key.
    public let fingerprint: String
    /// The nodes on whose disks the plan's files lie, by path; a path that is missing here means the same
    /// everywhere. No part of any key.
    public let owners: [String: UInt64]

    /// The most bytes of a plan that are read; a plan of 50,000 tasks takes about a tenth.
    public static let byteLimit = 64 << 20

    public init(request: MosaicRequest, plan: MosaicPlan, fingerprint: String, owners: [String: UInt64] = [:])
    {
        self.request = request
        self.plan = plan
        self.fingerprint = fingerprint
        self.owners = owners
    }

    /// Canonical bytes: equal contents have equal bytes.
    ///
    /// - Throws: when a number is not finite; no valid plan has one.
    public func bytes() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }

    /// Reads what another node sent.
    ///
    /// - Throws: `EngineError` when the bytes are no plan, or one that no planner makes.
    public init(reading bytes: [UInt8]) throws {
        guard bytes.count <= Self.byteLimit else {
            throw EngineError("a plan of \(bytes.count >> 20) MB is refused; at most \(Self.byteLimit >> 20)")
        }
        do {
            self = try JSONDecoder().decode(JobContent.self, from: Data(bytes))
        } catch {
            throw EngineError("cannot read a plan: \(error); the node that made it may be of another version")
        }
        do {
            try plan.check(answering: request)
        } catch {
            throw EngineError("cannot use a plan: \(error); the node that made it may be of another version")
        }
    }

    /// The plan with its task keys.
    public var job: JobPlan { JobPlan(request: request, plan: plan, fingerprint: fingerprint) }
}
