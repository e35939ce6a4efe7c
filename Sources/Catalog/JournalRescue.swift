import GRDB

/// Copies what can be read of a damaged journal, row by row; a table ends where reading it fails.
struct JournalRescue {
    private let path: String

    init(from path: String) { self.path = path }

    /// - Returns: rows that were saved.
    func copy(into target: DatabaseQueue) -> Int {
        var configuration = Configuration()
        configuration.readonly = true
        guard
            case .success(let source) = Result(catching: {
                try DatabaseQueue(path: path, configuration: configuration)
            })
        else { return 0 }
        return JournalSchema.tables.sorted { $0.key < $1.key }.reduce(0) { saved, table in
            saved + copy(table.key, columns: table.value, from: source, into: target)
        }
    }

    private func copy(_ table: String, columns: Int, from source: DatabaseQueue, into target: DatabaseQueue)
        -> Int
    {
        var rows: [Row] = []
        let reading = Result {
            try source.read { database in
                let cursor = try Row.fetchCursor(database, sql: "SELECT * FROM \(table)")
                while let row = try cursor.next() { rows.append(row.copy()) }
            }
        }
        // Where reading breaks off, the rows before are good: each page has its own structure.
        _ = reading
        let places = [String](repeating: "?", count: columns).joined(separator: ", ")
        var saved = 0
        for row in rows where row.count == columns {
            let insertion = Result {
                try target.write {
                    try $0.execute(
                        sql: "INSERT OR IGNORE INTO \(table) VALUES (\(places))",
                        arguments: StatementArguments(row.databaseValues))
                }
            }
            if case .success = insertion { saved += 1 }
        }
        return saved
    }
}
