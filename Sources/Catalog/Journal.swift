import Foundation
import GRDB

/// What a node must not forget: its epoch and keys, its peers, the jobs that it keeps with their contents and
/// results (PROTOCOL.md, sections 1 to 3). One SQLite file; a write that has returned is on the disk.
///
/// Values are bytes: what they mean, the node's runtime knows. All methods may be called from any thread and
/// block for the disk.
public final class Journal: Sendable {
    /// A job as it stands in the journal.
    public struct Job: Equatable, Sendable {
        public let id: [UInt8]
        public let header: [UInt8]
        /// When it ended, in seconds since 1970; nil while it lives.
        public let finished: Double?

        public init(id: [UInt8], header: [UInt8], finished: Double?) {
            (self.id, self.header, self.finished) = (id, header, finished)
        }
    }

    /// A task's number in its plan and its blob's digest.
    public struct Result: Equatable, Sendable {
        public let task: Int
        public let digest: [UInt8]

        public init(task: Int, digest: [UInt8]) { (self.task, self.digest) = (task, digest) }
    }

    /// What opening found damaged and saved, as a sentence for the log; nil: the file was whole.
    public let recovery: String?
    private let database: DatabaseQueue

    /// Opens the journal, and makes it when there is none. A damaged one is set aside under another name, and
    /// what can still be read of it is taken over.
    ///
    /// - Throws: `JournalError` when the file can be neither opened nor made.
    public init(path: String) throws {
        do {
            (database, recovery) = (try Self.open(path), nil)
        } catch let error as DatabaseError where Self.isDamage(error) {
            (database, recovery) = try Self.rescue(path, error)
        } catch {
            throw JournalError("cannot open the journal \(path)", error)
        }
    }

    static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            // In WAL mode FULL syncs the log at every commit: what has returned survives a power cut.
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try database.read { database in
            let verdict = try String.fetchAll(database, sql: "PRAGMA quick_check(1)")
            guard verdict == ["ok"] else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: verdict.first)
            }
        }
        try JournalSchema.migrator.migrate(database)
        return database
    }

    private static func isDamage(_ error: DatabaseError) -> Bool {
        [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
    }

    /// Sets a damaged journal aside and copies what can be read.
    private static func rescue(_ path: String, _ damage: DatabaseError) throws -> (DatabaseQueue, String) {
        let aside = "\(path).damaged-\(Int(Date().timeIntervalSince1970))"
        do {
            for ending in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + ending) {
                try FileManager.default.moveItem(atPath: path + ending, toPath: aside + ending)
            }
            let fresh = try open(path)
            let saved = JournalRescue(from: aside).copy(into: fresh)
            return (
                fresh,
                "the journal \(path) is damaged (\(damage.message ?? "\(damage)")); it was set aside as "
                    + "\(aside) and \(saved) rows of it were saved. The other nodes know what is missing"
            )
        } catch {
            throw JournalError("cannot replace the damaged journal \(path)", error)
        }
    }

    // MARK: Values by name

    /// What was stored under a name, such as `epoch`.
    public func value(_ name: String) throws -> [UInt8]? {
        try read { try Data.fetchOne($0, sql: "SELECT bytes FROM value WHERE name = ?", arguments: [name]) }
            .map(Array.init)
    }

    /// Stores bytes under a name, in place of those before.
    public func setValue(_ name: String, _ bytes: [UInt8]) throws {
        try write { try $0.execute(sql: "REPLACE INTO value VALUES (?, ?)", arguments: [name, Data(bytes)]) }
    }

    /// Forgets what was stored under a name.
    public func removeValue(_ name: String) throws {
        try write { try $0.execute(sql: "DELETE FROM value WHERE name = ?", arguments: [name]) }
    }

    // MARK: Peers

    /// Records of the peers to dial after a start, in the order of their ids.
    public func peers() throws -> [[UInt8]] {
        try read { try Data.fetchAll($0, sql: "SELECT record FROM peer ORDER BY id") }.map(Array.init)
    }

    /// Remembers a peer's record, and forgets those not seen for 30 days (PROTOCOL.md, section 2).
    public func setPeer(_ id: [UInt8], _ record: [UInt8], now: Double) throws {
        try write {
            try $0.execute(
                sql: "REPLACE INTO peer VALUES (?, ?, ?)", arguments: [Data(id), Data(record), now])
            try $0.execute(sql: "DELETE FROM peer WHERE seen < ?", arguments: [now - 30 * 86_400])
        }
    }

    /// A peer that is not to be dialled any more.
    public func removePeer(_ id: [UInt8]) throws {
        try write { try $0.execute(sql: "DELETE FROM peer WHERE id = ?", arguments: [Data(id)]) }
    }

    // MARK: Jobs

    /// All jobs, in the order of their ids.
    public func jobs() throws -> [Job] {
        try read { try Row.fetchAll($0, sql: "SELECT id, header, finished FROM job ORDER BY id") }
            .map { row in
                Job(
                    id: Array(row["id"] as Data), header: Array(row["header"] as Data),
                    finished: row["finished"])
            }
    }

    /// Stores a job's header, and contents that belong to it (request, plan), together or not at all.
    public func setJob(_ job: Job, contents: [(digest: [UInt8], bytes: [UInt8])] = []) throws {
        try write { database in
            try database.execute(
                sql: "REPLACE INTO job VALUES (?, ?, ?)",
                arguments: [Data(job.id), Data(job.header), job.finished])
            for content in contents {
                try database.execute(
                    sql: "INSERT OR IGNORE INTO content VALUES (?, ?, ?)",
                    arguments: [Data(content.digest), Data(job.id), Data(content.bytes)])
            }
        }
    }

    /// The bytes with this digest.
    public func content(_ digest: [UInt8]) throws -> [UInt8]? {
        try read {
            try Data.fetchOne(
                $0, sql: "SELECT bytes FROM content WHERE digest = ? LIMIT 1", arguments: [Data(digest)])
        }.map(Array.init)
    }

    /// Stores a job's content before there is a header for it.
    public func setContent(_ digest: [UInt8], _ bytes: [UInt8], of job: [UInt8]) throws {
        try write {
            try $0.execute(
                sql: "INSERT OR IGNORE INTO content VALUES (?, ?, ?)",
                arguments: [Data(digest), Data(job), Data(bytes)])
        }
    }

    /// Appends to a plan's done log; facts that are there already stay.
    public func addResults(_ results: [Result], plan: [UInt8], of job: [UInt8]) throws {
        try write { database in
            let statement = try database.makeStatement(
                sql: "INSERT OR IGNORE INTO result VALUES (?, ?, ?, ?)")
            for result in results {
                try statement.execute(arguments: [Data(plan), result.task, Data(result.digest), Data(job)])
            }
        }
    }

    /// A plan's done log in task order.
    public func results(plan: [UInt8]) throws -> [Result] {
        try read {
            try Row.fetchAll(
                $0, sql: "SELECT task, digest FROM result WHERE plan = ? ORDER BY task",
                arguments: [Data(plan)])
        }.map { Result(task: $0["task"], digest: Array($0["digest"] as Data)) }
    }

    /// Removes a job and all that belongs to it.
    public func forgetJob(_ id: [UInt8]) throws {
        try write { database in
            for table in ["result", "content"] {
                try database.execute(sql: "DELETE FROM \(table) WHERE job = ?", arguments: [Data(id)])
            }
            try database.execute(sql: "DELETE FROM job WHERE id = ?", arguments: [Data(id)])
        }
    }

    /// Closes the file; later calls fail.
    public func close() throws {
        do { try database.close() } catch { throw JournalError("cannot close the journal", error) }
    }

    private func read<T>(_ body: (Database) throws -> T) throws -> T {
        do { return try database.read(body) } catch {
            throw JournalError("cannot read the journal \(database.path)", error)
        }
    }

    private func write(_ body: (Database) throws -> Void) throws {
        do { try database.write(body) } catch {
            throw JournalError("cannot write the journal \(database.path)", error)
        }
    }
}
