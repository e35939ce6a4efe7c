import Foundation
import Testing

/// The repository's own style, enforced (STYLE.md, Habits 10), and proof that the rules can fail.
@Suite struct StyleTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every Swift file that people write, as paths relative to the repository.
    private static func files() throws -> [String] {
        var found: [String] = []
        for top in ["Sources", "Tests"] {
            let folder = root.appending(path: top)
            let walk = try #require(FileManager.default.enumerator(atPath: folder.path))
            for case let path as String in walk
            where path.hasSuffix(".swift") && !path.hasSuffix(".pb.swift") {
                found.append("\(top)/\(path)")
            }
        }
        return found.sorted()
    }

    @Test func theSourcesKeepTheStyle() throws {
        let files = try Self.files()
        #expect(files.count > 10, "the sources are not where this test looks: \(Self.root.path)")
        let violations = try files.flatMap { path in
            let text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
            return StyleRule.violations(in: text, path: path)
        }
        let list = violations.map(\.description).joined(separator: "\n")
        if !violations.isEmpty { Issue.record("\(violations.count) places break STYLE.md:\n\(list)") }
    }

    private func lines(_ text: String, path: String = "Sources/Bad/Bad.swift") -> [String] {
        StyleRule.violations(in: text, path: path).map { "\($0.line): \($0.message)" }
    }

    @Test func aCleanFilePasses() {
        let text = """
            /// A number.
            public struct Number: Equatable {
                public let value: Int
                public init(value: Int) { self.value = value }
                public static func + (a: Number, b: Number) -> Number { Number(value: a.value + b.value) }

                /// Says "try\u{3f} nothing {".
                @inlinable
                public func words() -> String { "try\u{3f} { \\(value > 0 ? "}" : "{") fatalErr" }
            }

            """
        #expect(lines(text) == [])
    }

    @Test func longLinesFilesAndFunctionsAreFound() {
        let long = "// " + String(repeating: "x", count: 108)
        #expect(lines(long) == ["1: the line has 111 columns, more than 110"])

        let body = String(repeating: "    work()\n", count: 69)
        #expect(lines("func f() {\n\(body)}\n") == ["1: f has 71 lines, more than 70; it fits no screen"])
        #expect(lines("func f(\n    a: () -> Void = {},\n    b: Int\n) {\n\(body)}\n").count == 1)
        #expect(lines("var v: Int {\n\(body)}\n").count == 1)
        #expect(lines("func f() {\n\(body.dropLast(11))}\n") == [])

        let file = String(repeating: "// x\n", count: 501)
        #expect(lines(file) == ["501: the file has 501 lines, more than 500; split it by idea"])
        #expect(lines(file, path: "Tests/T/T.swift") == [])
    }

    @Test func swallowedErrorsAndUnfinishedWorkAreFound() {
        #expect(lines("let a: Entry\u{3f} = nil") == [])
        #expect(lines("let a = try\u{3f} f()").map { $0.prefix(16) } == ["1: try\u{3f} is banne"])
        #expect(lines("    fatal\u{45}rror(\"x\")").count == 1)
        #expect(lines("// TO\u{44}O later").count == 1)
        #expect(lines("// FIX\u{4d}E").count == 1)
        let swallowed = "do {\n    try f()\n} catch {\n    // nothing to be done\n}\n"
        #expect(lines(swallowed) == ["3: an empty catch swallows the error: say what happens"])
        #expect(lines("do { try f() } catch { throw g(error) }") == [])
    }

    @Test func namesThatSayNothingAreFound() {
        #expect(lines("struct Tile\u{4d}anager {}").count == 1)
        #expect(lines("private final class PathHelper {}").count == 1)
        #expect(lines("enum StringUtils {}").count == 1)
        #expect(lines("let manager = FileManager.default") == [])
    }

    @Test func publicDeclarationsWantADocComment() {
        #expect(lines("public enum E {}") == ["1: public enum E has no /// comment"])
        #expect(lines("@frozen public struct S {}") == ["1: public struct S has no /// comment"])
        #expect(lines("public static func f<T>(_ x: T) {}") == ["1: public func f has no /// comment"])
        #expect(lines("public var area: Int { 1 }") == ["1: public var area has no /// comment"])
        #expect(lines("public var x: Int") == [])
        #expect(lines("public var description: String { \"\" }") == [])
        #expect(lines("func f() {}") == [])
        #expect(lines("public func f() {}", path: "Tests/T/T.swift") == [])
    }
}
