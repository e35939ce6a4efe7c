import Foundation
import Testing

/// Disks that fail under a node: full, or with a journal that was torn (issue 4, items 2 and 7).
@Suite(.enabled(if: Program.isBuilt, Program.reason), .serialized)
struct DiskTests {
    enum Damage: CaseIterable { case cutInHalf, zeroedPages, noise, empty }

    @Test(.timeLimit(.minutes(5)), arguments: Damage.allCases)
    func aTornJournalIsSetAsideAndTheNodeComesBack(damage: Damage) async throws {
        let cluster = try LocalCluster(2)
        try await cluster.startAll()
        let job = try await cluster.submit(3, to: cluster.nodes[0])
        try await cluster.expectSuccess(3, job, within: 120)
        let node = cluster.nodes[0]
        // An end in order puts all of the journal into the one file that is torn then.
        #expect(try await node.terminate() == 0)
        let journal = node.folder + "/journal.sqlite"
        try tear(journal, damage)
        try cluster.start(node)
        try await cluster.eventually("the node knows the job again", within: 60) {
            await cluster.job(job, at: node)?.status == "successful"
        }
        #expect(node.log.contains(damage == .empty ? "listens" : "was set aside"), "\(node.log.suffix(2000))")
    }

    private func tear(_ path: String, _ damage: Damage) throws {
        var bytes = try Data(contentsOf: URL(filePath: path))
        switch damage {
        case .cutInHalf: bytes = bytes.prefix(max(1000, bytes.count / 2 - 77))
        case .zeroedPages: bytes.replaceSubrange(0..<min(4096, bytes.count), with: Data(count: 4096))
        case .noise:
            for index in stride(from: 60, to: bytes.count, by: 13) {
                bytes[index] = UInt8.random(in: 0...255)
            }
        case .empty: bytes = Data()
        }
        try bytes.write(to: URL(filePath: path))
    }

    /// A node on a disk of 24 MB, with jobs that need more: the others do the work, and it stays a member.
    @Test(.enabled(if: geteuid() == 0, "mounting a small disk needs root"), .timeLimit(.minutes(5)))
    func aFullDiskCostsNoJob() async throws {
        let small = NSTemporaryDirectory() + "arbutus-small-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: true)
        try Program.run(["-t", "tmpfs", "-o", "size=24m", "tmpfs", small], executable: "/usr/bin/mount")
        var cluster: LocalCluster? = try LocalCluster(3, folders: [2: small])
        do {
            try await work(try #require(cluster))
        } catch {
            Issue.record(error)
        }
        cluster = nil
        try Program.run([small], executable: "/usr/bin/umount")
        try FileManager.default.removeItem(atPath: small)
    }

    private func work(_ cluster: LocalCluster) async throws {
        try await cluster.startAll()
        for (number, taker) in [(4, 2), (5, 0)] {
            let job = try await cluster.submit(number, to: cluster.nodes[taker])
            try await cluster.expectSuccess(number, job, within: 180, from: cluster.nodes[0])
        }
        #expect(cluster.nodes[2].isRunning, "\(cluster.nodes[2].log.suffix(3000))")
        try await cluster.eventually("the node with the full disk is still a member", within: 30) {
            await cluster.standings(at: cluster.nodes[0]).values.filter { $0 == "alive" }.count == 2
        }
    }
}
