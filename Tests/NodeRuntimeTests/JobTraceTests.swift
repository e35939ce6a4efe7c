import Cluster
import Testing

@testable import NodeRuntime

/// Sights of a coordinator become news; times and counts are worked out by hand.
@Suite struct JobTraceTests {
    private let a = NodeID(short: 0xa)
    private let b = NodeID(short: 0xb)
    private let plan = Digest(1, 2, 3, 4)

    private func sight(
        done: TaskSet = TaskSet(), fresh: [TaskID: NodeID] = [:], waiting: TaskSet = TaskSet(),
        givenUp: TaskSet = TaskSet(), reasons: [TaskID: String] = [:], _ shares: JobSight.Share...
    ) -> JobSight {
        var header = JobHeader(
            id: JobID(high: 1, low: 2), title: "test", request: Digest(9, 9, 9, 9),
            term: Term(counter: 1, node: a, start: 1))
        var reign = header.reign
        (reign.plan, reign.phase) = (plan, .running)
        header = JobHeader(
            id: header.id, title: header.title, request: header.request, reign: reign, state: header.state)
        return JobSight(
            header: header, count: 4, done: done, fresh: fresh, waiting: waiting, givenUp: givenUp,
            reasons: reasons, shares: shares)
    }

    private func trace(_ first: JobSight) -> JobTrace {
        JobTrace(
            first, plan: plan,
            worth: (0..<4).map { _ in JobTrace.Worth(pixels: 100, bytes: 40, cost: 2) })
    }

    private func running(_ task: Int, isCopy: Bool = false) -> RunningTask {
        RunningTask(task: TaskID(task), progress: 1, isCopy: isCopy)
    }

    /// The news without progress.
    private func short(_ news: [Happening]) -> [Happening] {
        news.filter { if case .state = $0 { false } else { true } }
    }

    @Test func aTaskBeginsAndEnds() {
        let begin = sight(.init(node: a, owned: TaskSet(0, 2), running: [running(0)]))
        var trace = trace(begin)
        #expect(
            short(trace.see(begin, at: 10)) == [
                .task(TaskNews(task: 0, state: "running", node: "\(a)", attempts: 1))
            ])
        let end = sight(
            done: TaskSet(0, 1), fresh: [TaskID(0): a],
            .init(node: a, owned: TaskSet(1, 2), running: [running(1)]))
        #expect(
            short(trace.see(end, at: 12)) == [
                .task(TaskNews(task: 1, state: "running", node: "\(a)", attempts: 1)),
                .task(TaskNews(task: 0, state: "done", node: "\(a)", attempts: 1, seconds: 2)),
            ])
        let progress = trace.progress()
        #expect((progress.done, progress.running, progress.queued) == (1, 1, 0))
        #expect(progress.slowest == [.init(task: 0, node: "\(a)", seconds: 2)])
    }

    @Test func tasksThatMoveBetweenLivingNodesAreASteal() {
        let before = sight(
            .init(node: a, owned: TaskSet(0, 4), running: [running(0)]),
            .init(node: b, owned: TaskSet(), running: []))
        var trace = trace(before)
        _ = trace.see(before, at: 0)
        // While both list them, nothing has moved.
        let between = sight(
            .init(node: a, owned: TaskSet(0, 4), running: [running(0)]),
            .init(node: b, owned: TaskSet(2, 4), running: []))
        #expect(short(trace.see(between, at: 1)) == [])
        let after = sight(
            .init(node: a, owned: TaskSet(0, 2), running: [running(0)]),
            .init(node: b, owned: TaskSet(2, 4), running: []))
        let moved = short(trace.see(after, at: 2))
        // What both listed for a moment is not counted twice, and not at all when it was not settled before.
        #expect(moved == [.steal(StealNews(victim: "\(a)", thief: "\(b)", tasks: [[2, 4]], count: 2))])
        #expect(trace.steals == [a: [b: 2]])
    }

    @Test func tasksOfADeadNodeAreNoSteal() {
        let before = sight(.init(node: b, owned: TaskSet(0, 4), running: []))
        var trace = trace(before)
        _ = trace.see(before, at: 0)
        #expect(short(trace.see(sight(), at: 4)) == [])
        let after = sight(.init(node: a, owned: TaskSet(0, 4), running: []))
        #expect(short(trace.see(after, at: 5)) == [])
        #expect(trace.steals.isEmpty)
    }

    @Test func aCopyIsNoSteal() {
        let before = sight(
            .init(node: a, owned: TaskSet(0, 1), running: [running(0)]),
            .init(node: b, owned: TaskSet(), running: []))
        var trace = trace(before)
        _ = trace.see(before, at: 0)
        let after = sight(
            .init(node: a, owned: TaskSet(0, 1), running: [running(0)]),
            .init(node: b, owned: TaskSet(0, 1), running: [running(0, isCopy: true)]))
        #expect(
            short(trace.see(after, at: 1)) == [
                .task(TaskNews(task: 0, state: "running", node: "\(b)", attempts: 2))
            ])
        #expect(trace.steals.isEmpty)
    }

    @Test func troublesComeWithTheirReasons() {
        var trace = trace(sight())
        _ = trace.see(sight(), at: 0)
        let news = trace.see(
            sight(
                waiting: TaskSet(1, 2), givenUp: TaskSet(3, 4),
                reasons: [TaskID(1): "no such file", TaskID(3): "three attempts failed"]), at: 1)
        #expect(
            short(news) == [
                .task(TaskNews(task: 1, state: "waiting", attempts: 0, reason: "no such file")),
                .task(TaskNews(task: 3, state: "failed", attempts: 0, reason: "three attempts failed")),
            ])
    }

    @Test func progressIsToldOnceASecondAndSaysHowLong() throws {
        let begin = sight(.init(node: a, owned: TaskSet(0, 4), running: [running(0)]))
        var trace = trace(begin)
        _ = trace.see(begin, at: 0)
        _ = trace.see(sight(done: TaskSet(0, 1), .init(node: a, owned: TaskSet(1, 4), running: [])), at: 0.5)
        let late = trace.see(
            sight(done: TaskSet(0, 2), .init(node: a, owned: TaskSet(2, 4), running: [])), at: 2)
        guard case .state(let progress)? = late.last else {
            Issue.record("no progress after two seconds")
            return
        }
        // Two tasks of 100 pixels since the first one was begun to be counted, 2 s ago.
        #expect(progress.pixelsPerSecond == 100)
        #expect(progress.bytesPerSecond == 40)
        // Four units of cost are left at two a second: 1.6 s at best, 2.67 s and a usual task (0.5 s) at
        // worst.
        let left = try #require(progress.secondsLeft)
        #expect(abs(left[0] - 1.6) < 1e-9 && abs(left[1] - (4 / 1.5 + 0.5)) < 1e-9)
    }

    @Test func idsOfEventsCompareByTermThenNumber() {
        #expect(LiveEventID("3.17") == LiveEventID(term: 3, number: 17))
        #expect(LiveEventID(term: 2, number: 900) < LiveEventID(term: 3, number: 1))
        for text in ["", "3", "3.", ".4", "a.1", "-1.2", "1.2.3"] { #expect(LiveEventID(text) == nil) }
    }
}
