import Foundation
import GRDB

/// Copies what can be read of a damaged file of tables, row by row, from both ends: what lies behind a
/// damaged page is read backwards.
struct JournalRescue {
    private let path: String

    init(from path: String) { self.path = path }

    /// - Returns: rows that were saved.
    func copy(into target: DatabaseQueue) -> Int {
        let whole = path + ".rescue"
        defer { remove(whole) }
        guard case .success = Result(catching: { try lengthened(to: whole) }) else {
            return copy(from: path, into: target)
        }
        return copy(from: whole, into: target)
    }

    private func copy(from file: String, into target: DatabaseQueue) -> Int {
        var configuration = Configuration()
        configuration.readonly = true
        guard
            case .success(let source) = Result(catching: {
                try DatabaseQueue(path: file, configuration: configuration)
            })
        else { return 0 }
        return JournalSchema.tables.reduce(0) { saved, table in
            saved + copy(table, from: source, into: target)
        }
    }

    /// A copy of the file, filled up with zeros to the length that its head gives it: SQLite does not open
    /// one whose end was torn off (www.sqlite.org/fileformat2.html, section 1.3).
    private func lengthened(to copy: String) throws {
        remove(copy)
        for ending in ["", "-wal"] where FileManager.default.fileExists(atPath: path + ending) {
            try FileManager.default.copyItem(atPath: path + ending, toPath: copy + ending)
        }
        let file = try FileHandle(forUpdating: URL(filePath: copy))
        defer { file.closeFile() }
        let head = Array(try file.read(upToCount: 100) ?? Data())
        guard head.count == 100 else { return }
        let pageBytes = Int(head[16]) << 8 | Int(head[17])
        let pages = head[28..<32].reduce(0) { $0 << 8 | Int($1) }
        let length = pages * (pageBytes == 1 ? 65_536 : pageBytes)
        let present = try file.seekToEnd()
        if length > present, length <= 1 << 40 { try file.truncate(atOffset: UInt64(length)) }
    }

    private func remove(_ file: String) {
        for ending in ["", "-wal", "-shm"] { unlink(file + ending) }
    }

    private func copy(_ table: JournalSchema.Table, from source: DatabaseQueue, into target: DatabaseQueue)
        -> Int
    {
        let forwards = rows(of: table, from: source, "ASC")
        var all = forwards.rows
        if !forwards.isWhole { all += rows(of: table, from: source, "DESC").rows }
        let places = [String](repeating: "?", count: table.columns).joined(separator: ", ")
        var saved = 0
        for row in all where row.count == table.columns {
            let insertion = Result {
                try target.write { database in
                    try database.execute(
                        sql: "INSERT OR IGNORE INTO \(table.name) VALUES (\(places))",
                        arguments: StatementArguments(row.databaseValues))
                    return database.changesCount
                }
            }
            if case .success(let count) = insertion { saved += count }
        }
        return saved
    }

    /// Rows up to where reading breaks off: those before it are good, for each page has its own structure.
    private func rows(of table: JournalSchema.Table, from source: DatabaseQueue, _ direction: String)
        -> (rows: [Row], isWhole: Bool)
    {
        let order = table.order.map { "\($0) \(direction)" }.joined(separator: ", ")
        var rows: [Row] = []
        let reading = Result {
            try source.read { database in
                let cursor = try Row.fetchCursor(
                    database, sql: "SELECT * FROM \(table.name) ORDER BY \(order)")
                while let row = try cursor.next() { rows.append(row.copy()) }
            }
        }
        if case .success = reading { return (rows, true) }
        return (rows, false)
    }
}
