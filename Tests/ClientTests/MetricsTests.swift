import Foundation
import Logging
import Testing

@testable import Client
@testable import Web
@testable import arbutus

/// What watches over nodes read: metrics and log lines.
@Suite(.serialized) struct MetricsTests {
    @Test func theTextIsPrometheus() {
        var page = PrometheusText()
        page.add("a_total", .counter, "Help.", 3)
        page.add("b", .gauge, "More.", by: "state", ["up": 1, "down": 0])
        page.add("c", .gauge, "Labels.", [([("x", "a\"b\\c\nd")], 0.5)])
        page.add(histogram: "d_seconds", "Waits.", bounds: [0.5, 1], counts: [2, 0, 1], sum: 3.5)
        #expect(
            page.text == """
                # HELP a_total Help.
                # TYPE a_total counter
                a_total 3
                # HELP b More.
                # TYPE b gauge
                b{state="down"} 0
                b{state="up"} 1
                # HELP c Labels.
                # TYPE c gauge
                c{x="a\\"b\\\\c\\nd"} 0.5
                # HELP d_seconds Waits.
                # TYPE d_seconds histogram
                d_seconds_bucket{le="0.5"} 2
                d_seconds_bucket{le="1"} 2
                d_seconds_bucket{le="+Inf"} 3
                d_seconds_sum 3.5
                d_seconds_count 3

                """)
    }

    @Test func aLogLineIsKeysAndValues() {
        let time = Date(timeIntervalSince1970: 1_782_900_000.25)
        let line = LogLines.line(
            time: time, .warning, node: "vm1", "a node is \"dead\"",
            ["member": "1f0e", "reason": "it did\nnot refute", "empty": ""])
        #expect(
            line == "2026-07-01T10:00:00.250Z warning node=vm1 msg=\"a node is \\\"dead\\\"\" empty=\"\" "
                + "member=1f0e reason=\"it did\\nnot refute\"")
    }

    @Test(.timeLimit(.minutes(2))) func aNodeCountsWhatItDoes() async throws {
        let stations = try await Stations(2)
        let asking = client([try stations.all[0].url])
        func figures() async throws -> [String: Double] {
            let (bytes, _) = try await asking.data(ClusterClient.Call("/metrics"))
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            let pairs = lines.filter { !$0.hasPrefix("#") }.compactMap { line -> (String, Double)? in
                guard let blank = line.lastIndex(of: " "),
                    let value = Double(line[line.index(after: blank)...])
                else { return nil }
                return (String(line[..<blank]), value)
            }
            #expect(pairs.count == lines.count { !$0.hasPrefix("#") })
            return Dictionary(pairs) { first, _ in first }
        }
        let before = try await figures()
        #expect(before["arbutus_members{state=\"alive\"}"] == 2)
        #expect(before["arbutus_jobs{state=\"complete\"}"] == 0)
        #expect(before["arbutus_slots"] == 1)
        #expect((before["process_resident_memory_bytes"] ?? 0) > 1e6)
        #expect((before["process_start_time_seconds"] ?? 0) > 1.5e9)
        try await eventually("the node is ready") {
            try await asking.data(ClusterClient.Call("/readyz")).0 == Data("ready\n".utf8)
        }
        let request = try JSONSerialization.data(withJSONObject: ["scenes": try stations.scenes(size: 130)])
        let id = ClusterClient.newJobID()
        _ = try await asking.submit(request, id: id)
        _ = try await JobWatch(asking, job: id).run { _ in }
        let after = try await figures()
        #expect(after["arbutus_jobs{state=\"complete\"}"] == 1)
        #expect((after["arbutus_sent_bytes_total{kind=\"job\"}"] ?? 0) > 100)
        #expect((after["arbutus_sent_bytes_total{kind=\"gossip\"}"] ?? 0) > 100)
        #expect((after["arbutus_store_bytes"] ?? 0) >= 0)
        let ended =
            (after["arbutus_tasks_total{outcome=\"finished\"}"] ?? 0)
            + (after["arbutus_tasks_total{outcome=\"copied\"}"] ?? 0)
        #expect(ended > 0)
        #expect(after["arbutus_assemblies_total"] == 1)
        try await asking.drain("\(stations.all[0].node.id)", forced: false)
        await #expect {
            try await asking.data(ClusterClient.Call("/readyz"))
        } throws: { "\($0)".contains("hands its work on and leaves") }
        try await asking.shutDown()
        try await stations.stop()
    }
}
