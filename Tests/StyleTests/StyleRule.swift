import Foundation

/// One place where a file breaks the style, ready to print: `Sources/X.swift:12: what is wrong`.
struct Violation: Hashable, CustomStringConvertible {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// The limits and habits of STYLE.md that a program can see in a file's text.
///
/// The reading is by lines and braces, not by a parser: comments and the contents of string literals are
/// blanked first (`SourceText`), and the sources are formatted, so that a declaration begins its line.
enum StyleRule {
    static let lineLimit = 110
    static let functionLimit = 70
    static let fileLimit = 500
    static let testFileLimit = 700

    /// All that breaks the rules in one file, in order of line.
    static func violations(in text: String, path: String) -> [Violation] {
        let source = SourceText(text)
        let isSource = path.hasPrefix("Sources/")
        let found =
            lengths(source, path: path)
            + longFunctions(source, path: path)
            + bannedText(source, path: path)
            + bannedNames(source, path: path)
            + (isSource ? undocumented(source, path: path) : [])
        return found.sorted { ($0.line, $0.message) < ($1.line, $1.message) }
    }

    private static func lengths(_ source: SourceText, path: String) -> [Violation] {
        let limit = path.hasPrefix("Tests/") ? testFileLimit : fileLimit
        var found: [Violation] = []
        if source.lines.count > limit {
            found.append(
                Violation(
                    path: path, line: limit + 1,
                    message: "the file has \(source.lines.count) lines, more than \(limit); split it by idea")
            )
        }
        for (index, line) in source.lines.enumerated() where line.count > lineLimit {
            found.append(
                Violation(
                    path: path, line: index + 1,
                    message: "the line has \(line.count) columns, more than \(lineLimit)"))
        }
        return found
    }

    private static func longFunctions(_ source: SourceText, path: String) -> [Violation] {
        source.functions().filter { $0.length > functionLimit }.map {
            Violation(
                path: path, line: $0.line,
                message: "\($0.name) has \($0.length) lines, more than \(functionLimit); it fits no screen")
        }
    }

    /// What STYLE.md forbids anywhere in code; comments are searched for unfinished work too.
    private static func bannedText(_ source: SourceText, path: String) -> [Violation] {
        let inCode = [
            ("try" + "?", "an error vanishes here: handle it, or let it be thrown"),
            ("fatal" + "Error(", "end with a thrown sentence, or with a precondition that prints the state"),
        ]
        let anywhere = [("TO" + "DO", "unfinished work"), ("FIX" + "ME", "unfinished work")]
        var found: [Violation] = []
        for index in source.lines.indices {
            for (word, why) in inCode where holds(source.code[index], word) {
                found.append(Violation(path: path, line: index + 1, message: "\(word) is banned: \(why)"))
            }
            for (word, why) in anywhere where source.lines[index].contains(word) {
                found.append(Violation(path: path, line: index + 1, message: "\(word) is banned: \(why)"))
            }
        }
        for line in source.emptyCatches() {
            found.append(
                Violation(
                    path: path, line: line, message: "an empty catch swallows the error: say what happens"))
        }
        return found
    }

    /// Whether `code` holds `word` and not just as the end of a longer one, as in `Entry?`.
    private static func holds(_ code: String, _ word: String) -> Bool {
        code.ranges(of: word).contains { range in
            range.lowerBound == code.startIndex || !code[code.index(before: range.lowerBound)].isLetter
        }
    }

    private static func bannedNames(_ source: SourceText, path: String) -> [Violation] {
        source.types().compactMap { type in
            guard let word = ["Manager", "Helper", "Util"].first(where: type.name.contains) else {
                return nil
            }
            return Violation(
                path: path, line: type.line,
                message: "\(type.name): \"\(word)\" says nothing; name the type after what it is or decides")
        }
    }

    private static func undocumented(_ source: SourceText, path: String) -> [Violation] {
        source.undocumentedPublicDeclarations().map {
            Violation(path: path, line: $0.line, message: "public \($0.name) has no /// comment")
        }
    }
}
