import Foundation

/// A Swift file as the style rules see it: its lines, and the same lines with comments and the contents of
/// string literals blanked, so that braces and words in them count for nothing.
struct SourceText {
    let lines: [String]
    let code: [String]

    init(_ text: String) {
        var all = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if all.last == "" { all.removeLast() }
        lines = all
        var blanking = Blanking()
        code = all.map { blanking.line($0) }
    }

    struct Declaration: Hashable {
        let name: String
        let line: Int
    }

    struct Function: Hashable {
        let name: String
        let line: Int
        let length: Int
    }

    /// Every function, initialiser, subscript and computed property; the length runs from the signature to
    /// the closing brace.
    func functions() -> [Function] {
        code.indices.compactMap { first in
            guard let name = callable(code[first]), let last = endOfBody(from: first) else { return nil }
            return Function(name: name, line: first + 1, length: last - first + 1)
        }
    }

    /// Every type that the file declares.
    func types() -> [Declaration] {
        code.indices.compactMap { index in
            let words = Self.words(code[index])
            guard let (keyword, name) = Self.keywordAndName(words), Self.typeKeywords.contains(keyword) else {
                return nil
            }
            return Declaration(name: name, line: index + 1)
        }
    }

    /// Lines of `catch { }` with nothing but blanks (or a comment) between the braces.
    func emptyCatches() -> [Int] {
        let whole = code.joined(separator: "\n")
        return whole.matches(of: /\bcatch\b[^{}]*\{\s*\}/).map { match in
            whole[..<match.range.lowerBound].count { $0 == "\n" } + 1
        }
    }

    /// Public types, functions, subscripts and computed properties without a `///` comment.
    ///
    /// Stored properties, plain initialisers and operators are covered by their type's comment; what a
    /// protocol of the standard library prescribes needs none.
    func undocumentedPublicDeclarations() -> [Declaration] {
        code.indices.compactMap { index in
            let words = Self.words(code[index])
            guard words.first == "public" || words.dropFirst().first == "public",
                let (keyword, name) = Self.keywordAndName(words), !isDocumented(index)
            else { return nil }
            switch keyword {
            case "func" where Self.prescribed.contains(name) || name.first?.isLetter != true: return nil
            case "var", "let":
                if Self.prescribed.contains(name) || !opensBody(index) { return nil }
            case "init": return nil
            default: break
            }
            return Declaration(name: "\(keyword) \(name)", line: index + 1)
        }
    }

    private static let typeKeywords: Set = ["struct", "class", "enum", "actor", "protocol", "typealias"]
    private static let prescribed: Set = [
        "description", "debugDescription", "errorDescription", "encode", "hash", "next", "makeIterator",
        "startIndex", "endIndex", "index", "rawValue", "allCases", "id",
    ]
    private static let modifiers: Set = [
        "public", "package", "internal", "private", "fileprivate", "open", "final", "static", "override",
        "mutating",
        "nonmutating", "nonisolated", "indirect", "lazy", "consuming", "borrowing", "required", "convenience",
        "isolated", "distributed", "weak", "unowned",
    ]
    private static let keywords: Set = typeKeywords.union(["func", "var", "let", "init", "subscript"])

    /// The words that begin a line, without attributes and without arguments such as `private(set)`.
    private static func words(_ line: String) -> [String] {
        line.split(whereSeparator: { $0 == " " }).prefix(8).map(String.init).filter { !$0.hasPrefix("@") }
    }

    /// `public static func f<T>(` → (`func`, `f`); nil when the line declares nothing.
    private static func keywordAndName(_ words: [String]) -> (keyword: String, name: String)? {
        for (position, word) in words.enumerated() {
            let bare = String(word.prefix(while: { $0.isLetter }))
            if modifiers.contains(bare) { continue }
            guard keywords.contains(bare) || (bare == "class" && position > 0) else { return nil }
            if bare == "class", position + 1 < words.count, keywords.contains(words[position + 1]) {
                continue
            }
            if bare == "init" || bare == "subscript" { return (bare, bare) }
            guard position + 1 < words.count else { return nil }
            return (bare, String(words[position + 1].prefix(while: { !"(<:={".contains($0) })))
        }
        return nil
    }

    private func callable(_ line: String) -> String? {
        guard let (keyword, name) = Self.keywordAndName(Self.words(line)) else { return nil }
        switch keyword {
        case "func", "init", "subscript": return name
        case "var": return line.hasSuffix("{") && !line.contains("=") ? name : nil
        default: return nil
        }
    }

    /// The line of the brace that closes the body which opens at or soon after `first`; nil without a body.
    private func endOfBody(from first: Int) -> Int? {
        var depth = 0
        var parentheses = 0
        for index in first..<code.count {
            for character in code[index] {
                switch character {
                case "(": parentheses += 1
                case ")": parentheses -= 1
                case "{": depth += 1
                case "}":
                    depth -= 1
                    if depth == 0, parentheses <= 0 { return index }
                    if depth < 0 { return nil }
                default: break
                }
            }
            let isSignature = depth == 0 && index > first && parentheses <= 0
            if isSignature && (code[index].allSatisfy { $0 == " " } || index > first + 14) { return nil }
        }
        return nil
    }

    private func opensBody(_ index: Int) -> Bool {
        code[index].contains("{") && !(code[index].prefix(while: { $0 != "{" }).contains("="))
    }

    /// Whether the lines above, attributes aside, end in a `///` comment.
    private func isDocumented(_ index: Int) -> Bool {
        var above = index - 1
        while above >= 0 {
            let line = lines[above].drop(while: { $0 == " " })
            if line.hasPrefix("///") { return true }
            guard line.hasPrefix("@") else { return false }
            above -= 1
        }
        return false
    }
}

/// Replaces comments and the contents of string literals by blanks, line by line, keeping columns.
private struct Blanking {
    private enum State {
        case code
        case blockComment(depth: Int)
        case longString
    }
    private var state = State.code

    mutating func line(_ line: String) -> String {
        var result: [Character] = []
        let text = Array(line)
        var at = 0
        while at < text.count {
            let (kept, width) = step(text, at)
            result.append(contentsOf: kept ?? Array(repeating: " ", count: width))
            at += width
        }
        return String(result)
    }

    /// What to keep of the characters from `at` on (nil: blanks), and how many are dealt with.
    private mutating func step(_ text: [Character], _ at: Int) -> (kept: [Character]?, width: Int) {
        func begins(_ word: String) -> Bool { text[at...].starts(with: word) }
        switch state {
        case .blockComment(let depth):
            if begins("*/") {
                state = depth == 1 ? .code : .blockComment(depth: depth - 1)
                return (nil, 2)
            }
            if begins("/*") {
                state = .blockComment(depth: depth + 1)
                return (nil, 2)
            }
            return (nil, 1)
        case .longString:
            if begins("\"\"\"") {
                state = .code
                return (nil, 3)
            }
            return (nil, begins("\\") ? min(2, text.count - at) : 1)
        case .code:
            if begins("//") { return (nil, text.count - at) }
            if begins("/*") {
                state = .blockComment(depth: 1)
                return (nil, 2)
            }
            if begins("\"\"\"") {
                state = .longString
                return (nil, 3)
            }
            if text[at] == "\"" { return (nil, Self.stringLength(text, at)) }
            return ([text[at]], 1)
        }
    }

    /// Characters of the one-line literal that opens at `start`, interpolations with inner literals included.
    private static func stringLength(_ text: [Character], _ start: Int) -> Int {
        var at = start + 1
        var parentheses = 0
        while at < text.count {
            switch text[at] {
            case "\\" where at + 1 < text.count && text[at + 1] == "(":
                parentheses += 1
                at += 1
            case "\\": at += 1
            case "(" where parentheses > 0: parentheses += 1
            case ")" where parentheses > 0: parentheses -= 1
            case "\"" where parentheses > 0: at += stringLength(text, at) - 1
            case "\"": return at - start + 1
            default: break
            }
            at += 1
        }
        return text.count - start
    }
}
