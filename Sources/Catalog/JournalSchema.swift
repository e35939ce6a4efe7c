import GRDB

/// The journal's tables, and how an older file becomes a present one.
enum JournalSchema {
    /// A table that holds what a node knows, and the columns in whose order it lies in the file.
    struct Table {
        let name: String
        let columns: Int
        let order: [String]
    }

    /// A rescue copies these.
    static let tables = [
        Table(name: "content", columns: 3, order: ["rowid"]),
        Table(name: "job", columns: 3, order: ["rowid"]),
        Table(name: "peer", columns: 3, order: ["rowid"]),
        Table(name: "result", columns: 4, order: ["plan", "task"]),
        Table(name: "value", columns: 2, order: ["name"]),
    ]

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: values, peers, jobs") { database in
            try database.execute(
                sql: """
                    CREATE TABLE value (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
                    CREATE TABLE peer (id BLOB PRIMARY KEY, record BLOB NOT NULL, seen REAL NOT NULL);
                    CREATE TABLE job (id BLOB PRIMARY KEY, header BLOB NOT NULL, finished REAL);
                    CREATE TABLE content (
                        digest BLOB NOT NULL, job BLOB NOT NULL, bytes BLOB NOT NULL,
                        PRIMARY KEY (digest, job));
                    CREATE TABLE result (
                        plan BLOB NOT NULL, task INTEGER NOT NULL, digest BLOB NOT NULL, job BLOB NOT NULL,
                        PRIMARY KEY (plan, task)) WITHOUT ROWID;
                    CREATE INDEX content_job ON content (job);
                    CREATE INDEX result_job ON result (job);
                    """)
        }
        return migrator
    }
}
