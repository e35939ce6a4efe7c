import Cluster
import Foundation
import NodeRuntime
import Testing

@testable import Client
@testable import arbutus

/// Keys and leaving, asked of real nodes over HTTP.
@Suite(.serialized) struct OperationTests {
    @Test(.timeLimit(.minutes(2))) func aKeyIsRotatedWithoutAStop() async throws {
        let stations = try await Stations(2, token: "secret word")
        let asking = client([try stations.all[0].url, try stations.all[1].url], token: "secret word")
        let first = try await asking.keys().keys
        #expect(first.map(\.isInUse) == [true])
        let old = try #require(first.first?.id)
        let name = try await asking.installKey(String(repeating: "ab", count: 32))
        // The same key again is the same key.
        #expect(try await asking.installKey(String(repeating: "ab", count: 32)) == name)
        await #expect {
            try await asking.retireKey(old, forced: false)
        } throws: { "\($0)".contains("is in use") }
        // Every live node has to hold it first, which is waited for.
        #expect(try await asking.useKey(name).keys.first { $0.id == name }?.isInUse == true)
        let other = client([try stations.all[1].url], token: "secret word")
        try await eventually("the other node uses the key") {
            try await other.keys().keys.first { $0.id == name }?.isInUse == true
        }
        let left = try await other.retireKey(old, forced: false).keys
        #expect(left.first { $0.id == old }?.stage == "retired")
        await #expect {
            try await other.useKey(old)
        } throws: { "\($0)".contains("was retired and cannot come back") }
        await #expect {
            try await other.useKey("12345678")
        } throws: { "\($0)".contains("no key 12345678 is installed") }
        // The nodes still hear each other, under the new key alone.
        for station in stations.all {
            try await eventually("node \(station.node.id) sees the other") {
                await station.node.members().map(\.standing) == [.alive]
            }
        }
        let stranger = client([try stations.all[0].url])
        await #expect(throws: ClientError.self) { try await stranger.keys() }
        for client in [asking, other, stranger] { try await client.shutDown() }
        try await stations.stop()
    }

    @Test(.timeLimit(.minutes(2))) func aDeniedNodeIsShutOut() async throws {
        let stations = try await Stations(3)
        let (first, second, lost) = (stations.all[0].node, stations.all[1].node, stations.all[2].node)
        let asking = client([try stations.all[0].url])
        let secret = String(repeating: "cd", count: 32)
        await #expect {
            try await asking.deny("\(first.id)", secret: secret)
        } throws: { "\($0)".contains("cannot deny itself") }
        let keys = try await asking.deny("\(lost.id)", secret: secret).keys
        #expect(keys.map(\.isInUse).count { $0 } == 1)
        #expect(keys.first { !$0.isInUse }?.stage == "narrowed")
        for (node, other) in [(first, second), (second, first)] {
            try await eventually("node \(node.id) calls the denied one left, and hears the other") {
                let seen = Dictionary(uniqueKeysWithValues: await node.members().map { ($0.id, $0.standing) })
                return seen[lost.id] == .left && seen[other.id] == .alive
            }
        }
        try await eventually("the denied node hears nobody") {
            await lost.members().allSatisfy { $0.standing != .alive }
        }
        #expect(await first.members().first { $0.id == lost.id }?.standing == .left)
        try await asking.shutDown()
        try await stations.stop()
    }

    @Test func aKeyIsNotSentInClear() async throws {
        let far = client([try NodeURL("http://192.0.2.1:8480")])
        await #expect {
            try await far.installKey("ab")
        } throws: { "\($0)".contains("in clear") }
        try await far.shutDown()
        #expect(try NodeURL("https://c.example.org").keepsSecrets)
        #expect(try NodeURL("http://[::1]:8480").keepsSecrets)
        #expect(try !NodeURL("http://vm1:8480").keepsSecrets)
    }

    @Test(.timeLimit(.minutes(3))) func aDrainedCoordinatorHandsItsJobOn() async throws {
        let stations = try await Stations(3)
        let asking = client([try stations.all[1].url, try stations.all[2].url])
        let request = try JSONSerialization.data(
            withJSONObject: ["scenes": try stations.scenes(size: 300), "indices": ["ndvi", "ndsi"]])
        let direct = client([try stations.all[0].url])
        let id = ClusterClient.newJobID()
        _ = try await direct.submit(request, id: id)
        let leaver = stations.all[0].node
        try await asking.drain("\(leaver.id)", forced: false)
        #expect(await leaver.departure() == .drained)
        await stations.all[0].deafen()
        await leaver.shutDown(.left)
        try await asking.departure(of: "\(leaver.id)")
        let last = try await JobWatch(asking, job: id).run { _ in }
        #expect(last.ending == .done)
        #expect(
            try await asking.nodeID(from: "\(stations.all[2].node.id)".prefix(12).lowercased())
                == "\(stations.all[2].node.id)")
        await #expect {
            try await asking.drain("\(leaver.id)", forced: false)
        } throws: { "\($0)".contains("left") }
        try await direct.shutDown()
        try await asking.shutDown()
        try await stations.stop()
    }

    @Test(.timeLimit(.minutes(2))) func outputsKeepTheirLastNode() async throws {
        let stations = try await Stations()
        let asking = client([try stations.all[0].url])
        let request = try JSONSerialization.data(withJSONObject: ["scenes": try stations.scenes(size: 130)])
        let id = ClusterClient.newJobID()
        #expect(try await asking.submit(request, id: id) == 1)
        #expect(try await JobWatch(asking, job: id).run { _ in }.ending == .done)
        let node = "\(stations.all[0].node.id)"
        await #expect {
            try await asking.drain(node, forced: false)
        } throws: { "\($0)".contains("the outputs of 1 jobs, \(id) first, are on node \(node) alone") }
        try await asking.drain(node, forced: true)
        #expect(await stations.all[0].node.departure() == .drained)
        try await asking.shutDown()
        try await stations.stop()
    }

    @Test(.timeLimit(.minutes(3))) func othersMakeTheSameTasksAgain() async throws {
        let stations = try await Stations(2)
        let asking = client([try stations.all[1].url])
        let request = try JSONSerialization.data(withJSONObject: ["scenes": try stations.scenes(size: 200)])
        let id = ClusterClient.newJobID()
        _ = try await asking.submit(request, id: id)
        #expect(try await JobWatch(asking, job: id).run { _ in }.ending == .done)
        let report = try await asking.verify(id, share: 1) { _ in }
        #expect(report.drawn == report.total && report.drawn > 0)
        #expect(report.tasks.allSatisfy { $0.isEqual == true && $0.maker != nil && $0.maker != $0.checker })
        #expect(Set(report.tasks.map(\.task)).count == report.drawn)
        // The scenes change: the checker, which reads them from the other node, refuses what is no longer
        // what was planned, and that is told.
        for scene in try stations.scenes(size: 200, seed: 2) {
            #expect(FileManager.default.fileExists(atPath: scene))
        }
        let other = try await asking.verify(id, share: 1) { _ in }
        #expect(other.tasks.count == report.total)
        #expect(other.tasks.allSatisfy { $0.isEqual != true && $0.reason?.contains("cannot read") == true })
        await #expect {
            _ = try await asking.verify(id, share: 2) { _ in }
        } throws: { "\($0)".contains("a share of '2.0' is none") }
        try await asking.shutDown()
        try await stations.stop()
    }

    @Test func sharesAreUnderstood() throws {
        #expect(try VerifyCommand.share("1%") == 0.01)
        #expect(try VerifyCommand.share("12.5 %") == 0.125)
        #expect(try VerifyCommand.share("0.5") == 0.5)
        #expect(try VerifyCommand.share("all") == 1)
        for text in ["", "0", "101%", "-1%", "half", "nan"] {
            #expect(throws: (any Error).self, "\(text)") { try VerifyCommand.share(text) }
        }
    }
}
