import Testing

@testable import Client

@Suite struct NodeURLTests {
    @Test func addressesAreCompleted() throws {
        #expect(try NodeURL("http://vm1:8480").text == "http://vm1:8480")
        #expect(try NodeURL("vm1:9000").text == "http://vm1:9000")
        #expect(try NodeURL("vm1").text == "http://vm1:8480")
        #expect(try NodeURL("http://vm1").text == "http://vm1")
        #expect(try NodeURL("https://c.example.org/arbutus/").text == "https://c.example.org/arbutus")
        #expect(try NodeURL("[::1]:8480").text == "http://[::1]:8480")
    }

    @Test(arguments: ["", "ftp://vm1", "http://", "http://vm1:0", "http://a b", "http://vm1?x=1", "u@vm1"])
    func othersAreRefused(_ text: String) {
        #expect(throws: ClientError.badAddress(text)) { try NodeURL(text) }
    }

    @Test func namesFromTheNetworkStayInTheFolder() {
        for name in ["ndvi.tif", "ndvi.png.aux.xml", "a_b-1.json"] { #expect(JobFetch.isSound(name)) }
        for name in ["", ".hidden", "../x", "a/b", "a b", "a\u{1B}b", String(repeating: "x", count: 256)] {
            #expect(!JobFetch.isSound(name), "\(name)")
        }
    }

    @Test func eventsComeInPieces() {
        var reader = ServerSentEvents()
        let none = reader.take("retry: 1000\n\nid: 1.2\nevent: sta".utf8)
        #expect(none.isEmpty)
        #expect(reader.lastID == "1.2")
        let events = reader.take("te\r\ndata: {\"a\":1}\ndata: x\n\n: heartbeat\n\ndata:y\n\n".utf8)
        #expect(
            events == [
                ServerSentEvents.Event(name: "state", data: "{\"a\":1}\nx"),
                ServerSentEvents.Event(name: "message", data: "y"),
            ])
        #expect(reader.lastID == "1.2")
    }

    @Test func aStateEventMovesTheReport() {
        var report = JobReport(
            jobID: "", status: "running", title: "", state: "running", phase: "planning", run: 1,
            coordinator: "a", keepers: [], holders: [])
        let isRead = report.take("{}")
        #expect(!isRead)
        let json =
            "{\"state\":\"running\",\"phase\":\"running\",\"note\":\"\",\"run\":2,\"coordinator\":\"b\","
            + "\"count\":8,\"done\":2,\"secondsLeft\":[3,9]}"
        let isTaken = report.take(json)
        #expect(isTaken)
        #expect(report.progress == 25 && report.run == 2 && report.coordinator == "b")
        #expect(report.message == nil && report.ending == nil)
    }

    @Test func endings() {
        func ending(_ state: String, _ phase: String) -> JobReport.Ending? {
            JobReport(
                jobID: "", status: "", title: "", state: state, phase: phase, run: 1, coordinator: "",
                keepers: [], holders: []
            ).ending
        }
        #expect(ending("running", "planning") == nil)
        #expect(ending("complete", "ended") == .done)
        #expect(ending("partial", "ended") == .partial)
        #expect(ending("partial", "running") == nil)
        #expect(ending("cancelled", "ended") == .failed)
        #expect(ending("failed", "ended") == .failed)
    }
}
