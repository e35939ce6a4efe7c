import Cluster
import Wire

extension Samples {
    mutating func run() -> RunID { RunID(UInt32(1 + number(areExtreme ? Int(UInt32.max) - 2 : 5))) }

    mutating func term() -> Term {
        Term(counter: UInt64(number(areExtreme ? (1 << 48) + 1 : 100)), node: node(), start: word())
    }

    mutating func header() -> JobHeader {
        let phases: [JobPhase] = [
            .accepted, .planning, .running, .waitingForRoom, .waitingForInput, .waitingForEngine, .assembling,
            .ended, .waitingForPlan,
        ]
        var reign = Reign(term: term())
        reign.revision = UInt32(truncatingIfNeeded: counter(500))
        reign.keepers = some(2) { $0.node() }
        reign.phase = phases[number(phases.count)]
        reign.plan = maybe { $0.digest() }
        reign.fingerprint = maybe { $0.digest() }
        let manifests: [Manifest] = [
            .running, .cancelled, .partial(done: task().index, outputs: maybe { $0.digest() }),
            .complete(outputs: digest()),
        ]
        return JobHeader(
            id: job(), title: text(areExtreme ? 256 : 40), request: digest(), reign: reign,
            state: RunState(run: run(), manifest: manifests[number(4)], author: term()),
            note: text(areExtreme ? 1024 : 80), outputHolders: some(JobHeader.holderLimit) { $0.node() })
    }

    /// Every kind of message about the book, once.
    mutating func bookMessages() -> [BookMessage] {
        [
            .root(word(), word()),
            .buckets((0..<256).map { _ in word() }, answer: flag()),
            .headers(
                some(areExtreme ? 30 : 5) {
                    AgedHeader(header: $0.header(), finishedFor: $0.span(86_400))
                }),
            .want(some(JobBook.chunk) { $0.job() }),
        ]
    }

    mutating func heartbeat() -> Heartbeat {
        let owned = tasks().union(TaskSet(some(4) { $0.task() }))
        let starts = owned.ranges.prefix(areExtreme ? Heartbeat.runningLimit : 16).map(\.lower)
        return Heartbeat(
            start: word(), sequence: counter(100_000), owned: owned,
            running: starts.map {
                RunningTask(
                    task: TaskID($0), progress: UInt32(truncatingIfNeeded: counter(2048)), isCopy: flag())
            },
            gave: some(areExtreme ? Heartbeat.transferLimit : 2) {
                Transfer(request: $0.counter(10_000), thief: $0.node(), tasks: $0.tasks())
            },
            unconfirmed: results(Heartbeat.resultLimit), holdSequence: counter(10_000),
            secondsPerCost: speed(), isSaturated: flag())
    }

    mutating func answer() -> UserAnswer {
        [.accepted, .superseded(by: run()), .refused(reason: sentence())][number(3)]
    }

    /// Every kind of message about a job, once.
    mutating func bodies() -> [JobMessage.Body] { recordBodies() + workBodies() + otherBodies() }

    private mutating func recordBodies() -> [JobMessage.Body] {
        [
            .keep(header()),
            .kept(
                term(), revision: UInt32(truncatingIfNeeded: counter(500)), plan: maybe { $0.digest() },
                done: tasks(), checksum: word()),
            .notKept(reason: sentence()),
            .beat(revision: UInt32(truncatingIfNeeded: counter(500))),
            .header(header()),
            .handOver(header()),
            .probe(origin: node()),
            .coordinating(origin: node()),
            .results(plan: digest(), results(JobMessage.resultLimit)),
            .knows(plan: digest(), tasks(), checksum: word()),
            .wantResults(plan: digest(), tasks()),
        ]
    }

    private mutating func workBodies() -> [JobMessage.Body] {
        [
            .heartbeat(plan: digest(), heartbeat()),
            .reply(
                HeartbeatReply(
                    sequence: counter(100_000), over: tasks(), elsewhere: tasks(), wantsHoldings: flag())),
            .ask(
                AskForWork(
                    request: counter(10_000), start: word(), idleSlots: number(64),
                    memory: flag() ? .max : number(1 << 40), secondsPerCost: speed(), holdsInputs: flag()),
                asVictim: flag()),
            .victim(node(), request: counter(10_000)),
            .grant(
                Grant(
                    plan: digest(), request: maybe { $0.counter(10_000) }, tasks: tasks(), areCopies: flag(),
                    isolated: tasks(), secondsPerCost: speed())),
            .nothing(request: counter(10_000), byVictim: flag()),
            .finished(
                plan: digest(), TaskResult(task: task(), digest: digest()), took: maybe { $0.span(600) },
                start: word(), holdSequence: counter(10_000)),
            .failed(plan: digest(), task(), .input(reason: sentence())),
            .failed(plan: digest(), task(), .error(reason: sentence())),
        ]
    }

    private mutating func otherBodies() -> [JobMessage.Body] {
        [
            .holdings(plan: digest(), tasks(), start: word(), sequence: counter(10_000)),
            .holdingsSeen(sequence: counter(10_000)),
            .hold(plan: digest(), results(JobMessage.resultLimit)),
            .damaged(plan: digest(), task()),
            .keepOutputs(digest()),
            .outputsKept(digest()),
            .request(.cancel, number: counter(1000)),
            .request(.resume, number: counter(1000)),
            .answer(answer(), number: counter(1000)),
        ]
    }

    /// Every kind of bulk request, once.
    mutating func bulkRequests() -> [BulkRequest] {
        let path = "a" + text(areExtreme ? 4000 : 80)
        return [
            .content(digest()), .blob(key: digest()), .manifest(digest()), .output(digest()),
            .sceneStatus(path: path),
            .sceneRange(
                path: path, version: word(),
                offset: number(areExtreme ? Int.max - BulkRequest.rangeLimit : 1 << 40),
                count: 1 + number(BulkRequest.rangeLimit)),
            .sceneFolder(path: path),
            .instruction(.drain(forced: flag())), .instruction(.made(job())),
            .instruction(.render(job(), plan: digest(), TaskID(number(WireLimit.tasks - 1)))),
            .question(.events(job(), term: word(), number: word())), .question(.tasks(job())),
            .question(.tile(job(), index: number(7), MapTileName(zoom: 5, column: 31, row: 0)!)),
            .question(.point(job(), longitude: -12.5, latitude: 61.25)), .question(.node),
        ]
    }

    /// Every kind of bulk reply, once.
    mutating func bulkReplies() -> [BulkReply] {
        [
            .follows(length: number(.max)), .absent, .refused(reason: sentence()),
            .status(
                SceneStatus(
                    isFolder: flag(), size: number(.max), modified: Int64(bitPattern: word()),
                    version: word())),
            .folder(some(50) { SceneEntry(name: "b" + $0.text(200), isFolder: $0.flag()) }, isWhole: flag()),
        ]
    }
}
