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
