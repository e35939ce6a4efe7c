import Foundation
import Mosaic
import Testing

@testable import Client
@testable import arbutus

/// The client commands' words: what they understand, and what they show.
@Suite struct CommandTests {
    private let job = JobReport(
        jobID: "3450dfce8a6c00edaa92d95e64919697", status: "running", title: "ndvi", message: "no room",
        state: "running", phase: "waitingForRoom", run: 2, coordinator: "d3772cb97fb2f8cd", keepers: [],
        holders: [])

    @Test func exitCodesWithoutANode() {
        // Nobody listens at port 1.
        #expect(Arbutus.execute(["jobs", "--node", "http://127.0.0.1:1"]) == ExitStatus.failed)
        #expect(Arbutus.execute(["jobs", "--node", "ftp://vm1"]) == ExitStatus.usage)
        #expect(Arbutus.execute(["fetch", "3450"]) == ExitStatus.usage)
        #expect(Arbutus.execute(["submit", "--node", "http://127.0.0.1:1"]) == ExitStatus.usage)
        #expect(Arbutus.execute(["verify", "3450", "--share", "2"]) == ExitStatus.usage)
        #expect(Arbutus.execute(["job", "3450", "--token-file", "/nowhere"]) == ExitStatus.usage)
    }

    @Test func nodesComeFromFlagsThenFromTheEnvironment() throws {
        func nodes(_ words: [String], _ environment: [String: String]) throws -> [String] {
            let command = try #require(try Arbutus.parseAsRoot(["jobs"] + words) as? JobsCommand)
            return try command.cluster.addresses(environment).map(\.text)
        }
        let environment = ["ARBUTUS_NODES": "vm1:9000, http://vm2:8480 vm3"]
        #expect(try nodes([], [:]) == ["http://127.0.0.1:8480"])
        #expect(try nodes([], environment) == ["http://vm1:9000", "http://vm2:8480", "http://vm3:8480"])
        #expect(try nodes(["--node", "a:1", "--node", "b:2"], environment) == ["http://a:1", "http://b:2"])
    }

    @Test func pathsBecomeAbsolute() {
        var request = MosaicRequest()
        request.scenes = ["A.SAFE", "../B", "/C", "https://x/D.tif", "./E.zip"]
        request.clip = "area.geojson"
        request.makePathsAbsolute(from: "/data/here")
        #expect(
            request.scenes
                == ["/data/here/A.SAFE", "/data/B", "/C", "https://x/D.tif", "/data/here/E.zip"])
        #expect(request.clip == "/data/here/area.geojson")
    }

    @Test func whatIsShown() {
        #expect(
            WatchPrinter.line(.stands(job))
                == "waiting for room, run 2, no room, coordinated by d3772cb97fb2f8cd")
        var counted = job
        (counted.phase, counted.message, counted.run) = ("running", nil, 1)
        (counted.tasksTotal, counted.tasksDone, counted.secondsLeft) = (48, 12, [50, 62])
        #expect(
            WatchPrinter.line(.stands(counted))
                == "running, 12 of 48 tasks, 25 %, 1 min 2 s left, coordinated by d3772cb97fb2f8cd")
        #expect(
            WatchPrinter.bar(.stands(counted), columns: 110, colour: false)?.hasPrefix("███████░░░") == true)
        #expect(WatchPrinter.line(.silence("vm1 fell silent")) == "arbutus: vm1 fell silent; trying again")
        #expect(
            JobTable.text([job]).split(separator: "\n").last?.hasPrefix(job.jobID + "  running  ") == true)
        let progress = JobFetch.Progress(
            file: "ndvi.tif", bytesDone: 12_300_000, bytesTotal: 45_600_000, filesDone: 2, filesTotal: 8)
        #expect(FetchPrinter.line(progress) == "fetching ndvi.tif: 12.3 MB of 45.6 MB, 2 of 8 files")
    }

    @Test func aVerificationIsSummed() {
        var report = VerificationReport()
        report.total = 48
        report.drawn = 3
        func task(_ isEqual: Bool?) -> VerificationReport.Task {
            VerificationReport.Task(task: 1, maker: "a", checker: "b", isEqual: isEqual, reason: nil)
        }
        report.tasks = [task(true), task(true), task(true)]
        #expect(VerifyCommand.summary(report) == "3 of 48 tasks made again: all equal")
        report.tasks = [task(true), task(false), task(nil)]
        #expect(
            VerifyCommand.summary(report)
                == "2 of 48 tasks made again: 1 differ; 1 could not be made again")
        #expect(VerifyCommand.line(task(true)) == "task 1: equal (made by a, again by b)")
    }
}
