import Cluster

// Messages about one job, from the wire. Its counterpart is WireJobMessage.swift.

extension JobMessage {
    init(_ proto: ProtoJobMessage) throws(WireError) {
        self.init(
            job: try Field.job(proto.job, "job.job"), run: RunID(proto.run),
            term: try Term(proto.hasTerm, proto.term, "job.term"),
            body: try Body(Field.known(proto.body, "message about a job")))
    }
}

extension JobMessage.Body {
    init(_ body: ProtoJobMessage.OneOf_Body) throws(WireError) {
        switch body {
        // The record.
        case .keep(let header): self = .keep(try JobHeader(header))
        case .kept(let kept): self = try Self.kept(kept)
        case .notKept(let reason):
            self = .notKept(reason: try Field.text(reason, most: WireLimit.sentence, "notKept"))
        case .beat(let revision): self = .beat(revision: revision)
        case .header(let header): self = .header(try JobHeader(header))
        case .handOver(let header): self = .handOver(try JobHeader(header))
        case .probe(let origin): self = .probe(origin: NodeID(short: origin))
        case .coordinating(let origin): self = .coordinating(origin: NodeID(short: origin))
        case .results(let results):
            let (plan, list) = try results.core("results")
            self = .results(plan: plan, list)
        case .knows(let knows):
            self = .knows(
                plan: try Field.digest(knows.plan, "knows.plan"),
                try Field.tasks(knows.tasks, "knows.tasks"), checksum: knows.checksum)
        case .wantResults(let want):
            self = .wantResults(
                plan: try Field.digest(want.plan, "wantResults.plan"),
                try Field.tasks(want.tasks, "wantResults.tasks"))
        // Work.
        case .heartbeat(let beat): self = try Self.heartbeat(beat)
        case .reply(let reply): self = .reply(try HeartbeatReply(reply))
        case .ask(let ask): self = .ask(try AskForWork(ask), asVictim: ask.asVictim)
        case .victim(let referral):
            self = .victim(
                try Field.node(referral.hasVictim, referral.victim, "victim.victim"),
                request: referral.request)
        case .grant(let grant): self = .grant(try Grant(grant))
        case .nothing(let nothing): self = .nothing(request: nothing.request, byVictim: nothing.byVictim)
        case .finished(let finished): self = try Self.finished(finished)
        case .failed(let failed): self = try Self.failed(failed)
        // Blobs, outputs, users.
        case .holdings(let holdings): self = try Self.holdings(holdings)
        case .holdingsSeen(let sequence): self = .holdingsSeen(sequence: sequence)
        case .hold(let results):
            let (plan, list) = try results.core("hold")
            self = .hold(plan: plan, list)
        case .damaged(let damaged):
            self = .damaged(
                plan: try Field.digest(damaged.plan, "damaged.plan"),
                try Field.task(damaged.task, "damaged.task"))
        case .keepOutputs(let outputs): self = .keepOutputs(try Field.digest(outputs, "keepOutputs"))
        case .outputsKept(let outputs): self = .outputsKept(try Field.digest(outputs, "outputsKept"))
        case .request(let request): self = .request(try request.kind.core(), number: request.number)
        case .answer(let answer):
            self = .answer(
                try UserAnswer(Field.known(answer.says, "answer to a user")), number: answer.number)
        }
    }

    private static func kept(_ proto: ProtoKept) throws(WireError) -> Self {
        .kept(
            try Term(proto.hasTerm, proto.term, "kept.term"), revision: proto.revision,
            plan: try Field.digest(proto.hasPlan, proto.plan, "kept.plan"),
            done: try Field.tasks(proto.done, "kept.done"), checksum: proto.checksum)
    }

    private static func heartbeat(_ proto: ProtoHeartbeat) throws(WireError) -> Self {
        .heartbeat(plan: try Field.digest(proto.plan, "heartbeat.plan"), try Heartbeat(proto))
    }

    private static func finished(_ proto: ProtoFinished) throws(WireError) -> Self {
        let result = TaskResult(
            task: try Field.task(proto.task, "finished.task"),
            digest: try Field.digest(proto.digest, "finished.digest"))
        return .finished(
            plan: try Field.digest(proto.plan, "finished.plan"), result,
            took: proto.hasTookMicroseconds ? try Field.span(proto.tookMicroseconds, "finished.took") : nil,
            start: try Field.given(proto.hasStart, proto.start, "finished.start"),
            holdSequence: proto.holdSequence)
    }

    private static func failed(_ proto: ProtoFailed) throws(WireError) -> Self {
        let reason = try Field.text(proto.reason, most: WireLimit.sentence, "failed.reason")
        let kind: FailureKind =
            switch proto.kind {
            case .unspecified: throw .missing("failed.kind")
            case .input: .input(reason: reason)
            case .error: .error(reason: reason)
            case .UNRECOGNIZED(let number): throw .unknown("kind \(number) of a failure")
            }
        return .failed(
            plan: try Field.digest(proto.plan, "failed.plan"), try Field.task(proto.task, "failed.task"), kind
        )
    }

    private static func holdings(_ proto: ProtoHoldings) throws(WireError) -> Self {
        .holdings(
            plan: try Field.digest(proto.plan, "holdings.plan"),
            try Field.tasks(proto.tasks, "holdings.tasks"),
            start: try Field.given(proto.hasStart, proto.start, "holdings.start"), sequence: proto.sequence)
    }
}

extension ProtoPlanResults {
    func core(_ name: String) throws(WireError) -> (Digest, [TaskResult]) {
        let digest = try Field.digest(plan, name + ".plan")
        return (digest, try Field.results(results, most: JobMessage.resultLimit, name + ".results"))
    }
}

extension ProtoUserRequestKind {
    func core() throws(WireError) -> UserRequest {
        switch self {
        case .unspecified: throw .missing("request.kind")
        case .cancel: .cancel
        case .resume: .resume
        case .UNRECOGNIZED(let number): throw .unknown("kind \(number) of a user's request")
        }
    }
}

extension UserAnswer {
    init(_ says: ProtoUserAnswer.OneOf_Says) throws(WireError) {
        switch says {
        case .accepted: self = .accepted
        case .supersededBy(let run): self = .superseded(by: RunID(run))
        case .refused(let reason):
            self = .refused(reason: try Field.text(reason, most: WireLimit.sentence, "answer.refused"))
        }
    }
}
