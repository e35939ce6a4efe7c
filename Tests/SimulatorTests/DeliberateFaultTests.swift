import Cluster
import Foundation
import Simulator
import Testing

/// Each fault that can be switched on in the protocol must be noticed, by the invariant that its
/// documentation names.
@Suite struct DeliberateFaultTests {
    /// Which invariant notices which fault, as the documentation of `DeliberateFault` has it in its tables.
    private static func documented() throws -> [String: String] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let file = root.appending(path: "Sources/Cluster/DeliberateFault.swift")
        var named: [String: String] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 4, cells[1].hasPrefix("`") else { continue }
            named[cells[1].filter { $0 != "`" }] = cells[3].split(separator: " ").first.map(String.init)
        }
        return named
    }

    @Test func theListIsComplete() throws {
        #expect(try Self.documented().keys.sorted() == DeliberateFault.allCases.map(\.rawValue).sorted())
    }

    @Test(arguments: DeliberateFault.allCases)
    func isNoticed(_ fault: DeliberateFault) throws {
        let wanted = try #require(try Self.documented()[fault.rawValue])
        var found: [String] = []
        for (tried, options) in FaultScenarios.runs(for: fault).enumerated() {
            guard let violation = Simulation.run(options).violation else { continue }
            found.append(violation.invariant)
            if violation.invariant == wanted {
                print("\(fault): \(violation.invariant) after \(tried + 1) runs")
                return
            }
        }
        Issue.record("\(fault) should break \(wanted) and broke \(found)")
    }
}
