/// Rows of text in columns that line up.
struct Table: Equatable {
    enum Side { case left, right }

    private var rows: [[String]] = []
    private let sides: [Side]

    /// - Parameter sides: where each column's text stands.
    init(_ sides: [Side]) { self.sides = sides }

    /// Adds a row with as many cells as there are columns.
    mutating func add(_ cells: String...) { add(cells) }

    /// Adds a row with as many cells as there are columns.
    mutating func add(_ cells: [String]) {
        precondition(cells.count == sides.count, "\(cells.count) cells for \(sides.count) columns")
        rows.append(cells.map(Terminal.printable))
    }

    /// Lines without trailing spaces, two spaces between columns.
    var text: String {
        let widths = sides.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            let cells = row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return sides[column] == .left ? row[column] + space : space + row[column]
            }
            let line = cells.joined(separator: "  ")
            return String(line.prefix(line.count - line.reversed().prefix { $0 == " " }.count))
        }
        return lines.joined(separator: "\n")
    }
}
