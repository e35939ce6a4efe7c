import Cluster
import Foundation
import Mosaic

/// What a node says of itself to people: load, memory, work. Nothing is decided by it.
public struct NodeFacts: Codable, Equatable, Sendable {
    /// Tasks that went from a victim to a thief.
    public struct Steals: Codable, Equatable, Sendable {
        public let victim: String
        public let thief: String
        public let count: Int
    }

    public let node: String
    /// What its operator calls it; nil from a node of an older version.
    public let name: String?
    public let version: String
    /// Processes that wanted to run, averaged over a minute.
    public let load: Double
    public let cores: Int
    /// Bytes that this process holds.
    public let memory: Int
    /// Bytes that it may use.
    public let memoryLimit: Int
    public let slots: Int
    /// Tasks that run here.
    public let running: Int
    /// Tasks that wait here.
    public let queued: Int
    /// Jobs that it coordinates.
    public let coordinates: Int
    /// Seconds since it started.
    public let uptime: Double
    /// Where its web API is: `host:port`; nil while it has none.
    public let web: String?
    /// In the jobs that it coordinated.
    public let steals: [Steals]
}

extension NodeFacts {
    /// Averages over one minute; 0 where the system does not tell.
    static var machineLoad: Double {
        var loads = [0.0]
        return getloadavg(&loads, 1) == 1 ? (loads[0] * 100).rounded() / 100 : 0
    }

    /// Resident bytes of this process (proc(5), statm); 0 where the system does not tell.
    static var residentBytes: Int {
        guard let bytes = FileManager.default.contents(atPath: "/proc/self/statm") else { return 0 }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }
}
