import Cluster
import Testing
import Wire

/// Each bound is named when it is broken; what a newer version says is skipped.
@Suite struct RefusalTests {
    private let digest = Digest(1, 2, 3, 4)

    private func frame(_ body: JobMessage.Body) -> Frame {
        .job(
            JobMessage(
                job: JobID(high: 1, low: 2), run: .first,
                term: Term(counter: 1, node: NodeID(short: 1), start: 1), body: body))
    }

    private func refusal(of frame: Frame) -> WireError? {
        do {
            _ = try WireFrame.decode(WireFrame.encode(frame))
            return nil
        } catch { return error }
    }

    @Test func impossibleSpeedsAreRefused() {
        for speed in [-1, .nan, .infinity, 1e10] {
            let ask = AskForWork(request: 1, start: 1, idleSlots: 1, secondsPerCost: speed)
            let refused = refusal(of: frame(.ask(ask, asVictim: false)))
            #expect(refused == .refused("ask.secondsPerCost", "\(Double(speed)) seconds a unit of cost"))
        }
    }

    @Test func tasksBeyondAnyPlanAreRefused() {
        let beyond = TaskSet(0, WireLimit.tasks + 1)
        #expect(
            refusal(of: frame(.wantResults(plan: digest, beyond)))
                == .refused("wantResults.tasks", "no set of tasks"))
        #expect(
            refusal(of: frame(.damaged(plan: digest, TaskID(WireLimit.tasks))))
                == .refused("damaged.task", "no plan has a task 4194304"))
    }

    @Test func tooManyAreRefused() {
        let results = (0...JobMessage.resultLimit).map { TaskResult(task: TaskID($0), digest: digest) }
        #expect(
            refusal(of: frame(.hold(plan: digest, results)))
                == .refused("hold.results", "501 of them, more than 500"))
        let jobs = [JobID](repeating: JobID(high: 0, low: 0), count: 201)
        #expect(refusal(of: .book(.want(jobs))) == .refused("book.want", "201 of them, more than 200"))
    }

    @Test func aTermThatCannotBeIsRefused() {
        let term = Term(counter: 1 << 49, node: NodeID(short: 1), start: 1)
        let message = JobMessage(
            job: JobID(high: 1, low: 2), run: .first, term: term, body: .beat(revision: 1))
        #expect(refusal(of: .job(message)) == .refused("job.term", "\(term) cannot be"))
    }

    @Test func aHeartbeatThatRunsWhatItDoesNotOwnIsRefused() {
        let beat = Heartbeat(
            start: 1, sequence: 1, owned: TaskSet(0, 2),
            running: [RunningTask(task: TaskID(2), progress: 0, isCopy: false)])
        #expect(
            refusal(of: frame(.heartbeat(plan: digest, beat)))
                == .refused("heartbeat", "runs a task that it does not own"))
    }

    @Test func longSentencesLoseTheirEnd() throws {
        let long = String(repeating: "é", count: 600)
        let frame = try WireFrame.decode(WireFrame.encode(frame(.notKept(reason: long))))
        guard case .job(let message) = frame, case .notKept(let reason) = message.body else {
            Issue.record("\(frame)")
            return
        }
        #expect(reason == String(repeating: "é", count: 510) + "…")
    }

    @Test func missingFieldsAreNamed() {
        // A job message without a job; a dead rumour without a subject.
        #expect(throws: WireError.missing("job.job")) { _ = try WireFrame.decode([0x32, 0x02, 0x10, 0x01]) }
        #expect(throws: WireError.missing("dead.subject")) {
            _ = try WireDatagram.decode([0x28, 0x01, 0x7a, 0x04, 0x1a, 0x02, 0x10, 0x01])
        }
    }

    @Test func whatANewerVersionSaysIsSkippedOrUnknown() throws {
        // Field 100 of a datagram, a varint, is skipped; a kind of message that is not known is told.
        let known = WireDatagram.encode(.ping(5))
        #expect(try WireDatagram.decode(known + [0xa0, 0x06, 0x01]).message == .ping(5))
        #expect(throws: WireError.unknown("frame")) { _ = try WireFrame.decode([0xa2, 0x06, 0x01, 0x00]) }
        // A rumour of an unknown kind (field 9) leaves the others and the message as they are.
        let rumours = try WireDatagram.decode(known + [0x7a, 0x02, 0x48, 0x01]).rumours
        #expect(rumours == [])
    }

    @Test func aClaimThatSaysMoreIsRelayedWhole() throws {
        var samples = Samples(seed: 5, areExtreme: false)
        let record = samples.record()
        let newer = record.sealed + [1, 2, 3]
        let read = try WireRecord.decode(newer)
        #expect(read.claim == record.claim)
        #expect(WireRecord.encode(read) == newer)
    }

    @Test func pathsThatLeadUpwardsAreRefused() {
        for path in ["..", "a/../b", "/..", "a/.."] {
            #expect(throws: WireError.refused("path", "it leads upwards")) {
                _ = try WireBulk.request(WireBulk.encode(.sceneFolder(path: path)))
            }
        }
        #expect(throws: WireError.refused("path", "it has a zero byte")) {
            _ = try WireBulk.request(WireBulk.encode(.sceneStatus(path: "a\u{0}b")))
        }
        #expect(throws: WireError.refused("sceneRange", "0 bytes at 5")) {
            _ = try WireBulk.request(WireBulk.encode(.sceneRange(path: "a", version: 1, offset: 5, count: 0)))
        }
    }

    @Test func placesThatAreNoneAreRefused() {
        let job = JobID(high: 1, low: 2)
        for (zoom, column, row) in [(-1, 0, 0), (25, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0)] {
            #expect(MapTileName(zoom: zoom, column: column, row: row) == nil, "\(zoom)/\(column)/\(row)")
        }
        for (longitude, latitude) in [(361.0, 0.0), (0, 90.5), (.nan, 0), (0, .infinity)] {
            #expect(throws: WireError.refused("point", "it is not on the globe")) {
                _ = try WireBulk.request(
                    WireBulk.encode(.question(.point(job, longitude: longitude, latitude: latitude))))
            }
        }
    }
}
