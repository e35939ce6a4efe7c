import Foundation
import Testing

@testable import Catalog

/// A journal in a folder of its own, which vanishes with the value.
private final class Place {
    let folder = NSTemporaryDirectory() + "arbutus-journal-" + UUID().uuidString
    var path: String { folder + "/journal.sqlite" }

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch { print("left behind: \(folder)") }
    }
}

@Suite struct JournalTests {
    @Test func remembersAcrossStarts() throws {
        let place = try Place()
        let journal = try Journal(path: place.path)
        #expect(try journal.value("epoch") == nil)
        try journal.setValue("epoch", [0, 0, 0, 7])
        try journal.setValue("epoch", [0, 0, 0, 8])
        try journal.setPeer([2], [20], now: 1000)
        try journal.setPeer([1], [10], now: 1000)
        try journal.setPeer([3], [30], now: 1000)
        try journal.removePeer([3])
        try journal.setJob(
            Journal.Job(id: [9], header: [1, 2], finished: nil), contents: [([5], [50, 51]), ([6], [])])
        try journal.setJob(Journal.Job(id: [9], header: [1, 3], finished: 12.5))
        try journal.addResults(
            [.init(task: 4, digest: [44]), .init(task: 2, digest: [22])], plan: [6], of: [9])
        try journal.close()
        let again = try Journal(path: place.path)
        #expect(again.recovery == nil)
        #expect(try again.value("epoch") == [0, 0, 0, 8])
        #expect(try again.peers() == [[10], [20]])
        #expect(try again.jobs() == [Journal.Job(id: [9], header: [1, 3], finished: 12.5)])
        #expect(try again.content([5]) == [50, 51])
        #expect(try again.content([6]) == [])
        #expect(try again.content([7]) == nil)
        #expect(try again.results(plan: [6]) == [.init(task: 2, digest: [22]), .init(task: 4, digest: [44])])
    }

    @Test func aFactIsNeverReplacedByAnother() throws {
        let place = try Place()
        let journal = try Journal(path: place.path)
        try journal.addResults([.init(task: 1, digest: [1])], plan: [6], of: [9])
        try journal.addResults([.init(task: 1, digest: [2])], plan: [6], of: [9])
        #expect(try journal.results(plan: [6]) == [.init(task: 1, digest: [1])])
    }

    @Test func forgetsPeersAfterThirtyDays() throws {
        let place = try Place()
        let journal = try Journal(path: place.path)
        try journal.setPeer([1], [10], now: 0)
        try journal.setPeer([2], [20], now: 30 * 86_400)
        #expect(try journal.peers() == [[10], [20]])
        try journal.setPeer([3], [30], now: 30 * 86_400 + 1)
        #expect(try journal.peers() == [[20], [30]])
    }

    @Test func forgetsAJobWholly() throws {
        let place = try Place()
        let journal = try Journal(path: place.path)
        for id in [UInt8(1), 2] {
            try journal.setJob(
                Journal.Job(id: [id], header: [id], finished: nil), contents: [([5], [50]), ([id], [id])])
            try journal.addResults([.init(task: 0, digest: [id])], plan: [id], of: [id])
        }
        try journal.forgetJob([1])
        #expect(try journal.jobs().map(\.id) == [[2]])
        #expect(try journal.content([1]) == nil)
        // The other job has the same content, and keeps it.
        #expect(try journal.content([5]) == [50])
        #expect(try journal.results(plan: [1]) == [])
        #expect(try journal.results(plan: [2]).count == 1)
    }

    @Test func aJournalThatIsNoDatabaseIsSetAside() throws {
        let place = try Place()
        try Data("not a database at all, but long enough to be looked at".utf8).write(
            to: URL(fileURLWithPath: place.path))
        let journal = try Journal(path: place.path)
        let sentence = try #require(journal.recovery)
        #expect(sentence.contains("set aside"))
        try journal.setValue("epoch", [1])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: place.folder).contains {
                $0.contains("damaged")
            })
    }

    @Test func savesWhatCanBeReadOfADamagedJournal() throws {
        let place = try Place()
        let journal = try Journal(path: place.path)
        try journal.setValue("epoch", [7])
        for task in 0..<200 {
            try journal.setJob(
                Journal.Job(id: [UInt8(task)], header: [UInt8](repeating: 1, count: 500), finished: nil))
        }
        try journal.close()
        // A page in the middle of the file is overwritten.
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: place.path))
        let size = try file.seekToEnd()
        try file.seek(toOffset: size / 2 / 4096 * 4096)
        try file.write(contentsOf: Data(repeating: 0xA5, count: 4096))
        try file.close()
        let again = try Journal(path: place.path)
        #expect(again.recovery != nil)
        #expect(try again.value("epoch") == [7])
        let saved = try again.jobs().count
        #expect(saved > 0 && saved < 200)
    }

    @Test(arguments: [0.9, 0.7, 0.5]) func savesWhatIsLeftOfATornJournal(_ share: Double) throws {
        let place = try Place()
        let journal = try Journal(path: place.path)
        try journal.setValue("epoch", [7])
        for task in 0..<200 {
            try journal.setJob(
                Journal.Job(id: [UInt8(task)], header: [UInt8](repeating: 1, count: 500), finished: nil))
        }
        try journal.close()
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: place.path))
        try file.truncate(atOffset: UInt64(Double(try file.seekToEnd()) * share))
        try file.close()
        let again = try Journal(path: place.path)
        #expect(again.recovery?.contains("set aside") == true)
        #expect(try again.value("epoch") == [7])
        let saved = try again.jobs()
        #expect(saved.count > 0 && saved.count < 200)
        #expect(saved.allSatisfy { $0.header == [UInt8](repeating: 1, count: 500) })
        // The damaged file stays as it was, and no copy of it.
        let names = try FileManager.default.contentsOfDirectory(atPath: place.folder)
        #expect(!names.contains { $0.contains("rescue") })
    }

    @Test func aFolderThatIsMissingIsSaidSo() {
        #expect {
            try Journal(path: "/nonexistent/journal.sqlite")
        } throws: { error in
            "\(error)".contains("/nonexistent/journal.sqlite") && "\(error)".contains("make the folder")
        }
    }
}
