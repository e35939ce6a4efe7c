import Foundation
import Testing

@testable import Client

/// The client against real nodes with their HTTP API.
@Suite(.serialized) struct ClusterClientTests {
    private let nowhere = String(repeating: "0", count: 32)

    @Test(.timeLimit(.minutes(1))) func refusalsAreSentences() async throws {
        let stations = try await Stations(token: "secret word")
        let url = try stations.all[0].url
        let stranger = client([url])
        await #expect(
            throws: ClientError.refused(
                status: 404, detail: "there is no job \(nowhere) that this node knows of")
        ) { try await stranger.job(nowhere) }
        await #expect {
            try await stranger.submit(Data("{}".utf8), id: nowhere)
        } throws: { error in
            "\(error)".hasPrefix("writing needs the node's token") && "\(error)".contains("--token-file")
        }
        let friend = client([url], token: "secret word")
        await #expect {
            try await friend.submit(Data("{}".utf8), id: nowhere)
        } throws: { error in
            guard case ClientError.refused(400, let detail) = error else { return false }
            return detail.contains("scene")
        }
        await #expect(throws: ClientError.self) { try await friend.jobID(from: "xyz") }
        await #expect {
            try await friend.jobID(from: "abcd")
        } throws: { "\($0)".contains("no job that begins with abcd") }
        try await stranger.shutDown()
        try await friend.shutDown()
        try await stations.stop()
    }

    @Test(.timeLimit(.minutes(1))) func theNextNodeIsAskedWhenOneIsDead() async throws {
        let stations = try await Stations()
        let dead = try NodeURL("http://127.0.0.1:1")
        let living = try stations.all[0].url
        let asking = client([dead, living])
        #expect(try await asking.members().members.node == "\(stations.all[0].node.id)")
        #expect(asking.node == living)
        await stations.all[0].deafen()
        await #expect {
            try await asking.jobs()
        } throws: { error in
            guard case ClientError.noNode(let reasons) = error else { return false }
            return reasons.count == 2 && reasons[1] == "http://127.0.0.1:1: nobody listens there"
        }
        try await asking.shutDown()
        try await stations.stop()
    }

    @Test(.timeLimit(.minutes(3))) func aJobFromSubmissionToFiles() async throws {
        let stations = try await Stations(2)
        let asking = client([try stations.all[1].url, try stations.all[0].url])
        let scenes = try stations.scenes()
        let request = try JSONSerialization.data(withJSONObject: ["scenes": scenes, "indices": ["ndvi"]])
        let id = ClusterClient.newJobID()
        #expect(try await asking.submit(request, id: id) >= 2)
        // A repetition is the same job.
        #expect(try await asking.submit(request, id: id) >= 1)
        #expect(try await asking.jobs().jobs.map(\.jobID) == [id])
        #expect(try await asking.jobID(from: String(id.prefix(6)).uppercased()) == id)
        // The node that was asked dies while the job is watched.
        let watch = JobWatch(asking, job: id)
        async let last = watch.run { _ in }
        await stations.all[1].deafen()
        #expect(try await last.ending == .done)

        let out = stations.folder + "/out"
        let files = try await JobFetch(asking, job: id, into: out).run { _ in }
        #expect(Set(files.map(\.name)).isSuperset(of: ["ndvi.tif", "ndvi.png", "mosaic.json"]))
        #expect(files.allSatisfy { !$0.wasHere })
        let whole = try Data(contentsOf: URL(filePath: out + "/ndvi.tif"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: out).count == files.count)

        // Nothing is fetched twice, and damage is noticed.
        try Data("other".utf8).write(to: URL(filePath: out + "/ndvi.tif"))
        let again = try await JobFetch(asking, job: id, into: out).run { _ in }
        #expect(again.filter { !$0.wasHere }.map(\.name) == ["ndvi.tif"])
        #expect(try Data(contentsOf: URL(filePath: out + "/ndvi.tif")) == whole)
        try await checkResumption(asking, id, out, whole)
        try await asking.shutDown()
        try await stations.stop()
    }

    /// What is left of an interrupted fetch is continued, and thrown away when it is damaged.
    private func checkResumption(_ asking: ClusterClient, _ id: String, _ out: String, _ whole: Data)
        async throws
    {
        let checksum = try Multihash.blake2b(ofFile: out + "/ndvi.tif")
        let part = out + "/.ndvi.tif.\(checksum.suffix(12)).part"
        for (left, from) in [
            (whole.prefix(1000), 1000), (Data(repeating: 7, count: whole.count), whole.count),
        ] {
            try FileManager.default.removeItem(atPath: out + "/ndvi.tif")
            try left.write(to: URL(filePath: part))
            let least = Least()
            _ = try await JobFetch(asking, job: id, into: out).run { progress in
                if progress.file == "ndvi.tif" { least.take(progress.bytesDone) }
            }
            #expect(try Data(contentsOf: URL(filePath: out + "/ndvi.tif")) == whole, "left \(from) bytes")
            #expect(!FileManager.default.fileExists(atPath: part))
        }
    }

    /// The smallest number seen.
    private final class Least: @unchecked Sendable {
        private let lock = NSLock()
        private(set) var value = Int.max
        func take(_ number: Int) { lock.withLock { value = min(value, number) } }
    }

    @Test(.timeLimit(.minutes(1))) func aDamagedCopyIsNeverPutInPlace() async throws {
        let folder = NSTemporaryDirectory() + "arbutus-transfer-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let stations = try await Stations()
        let asking = client([try stations.all[0].url])
        // The bytes of this address never have that checksum.
        let output = OutputReport(
            href: "/healthz", type: "text/plain", size: 3,
            checksum: "a0e40220" + String(repeating: "0", count: 64))
        await #expect {
            _ = try await FileTransfer(asking, output, to: folder + "/x").run { _ in }
        } throws: { "\($0)".contains("does not match its checksum") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        try await asking.shutDown()
        try await stations.stop()
        try FileManager.default.removeItem(atPath: folder)
    }
}
