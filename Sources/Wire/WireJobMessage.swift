import Cluster

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

// Messages about one job, towards the wire. Its counterpart is WireJobMessage+Reading.swift.

extension ProtoJobMessage {
    init(_ message: JobMessage) {
        self.init()
        job = Data(message.job)
        run = message.run.number
        term = ProtoTerm(message.term)
        body = Self.record(message.body) ?? Self.work(message.body) ?? Self.blobs(message.body)
    }

    /// Messages about the record and its coordinator.
    private static func record(_ body: JobMessage.Body) -> OneOf_Body? {
        switch body {
        case .keep(let header): .keep(ProtoJobHeader(header))
        case .kept(let term, let revision, let plan, let done, let checksum):
            .kept(
                .with {
                    $0.term = ProtoTerm(term)
                    $0.revision = revision
                    if let plan { $0.plan = Data(plan) }
                    $0.done = Data(done)
                    $0.checksum = checksum
                })
        case .notKept(let reason): .notKept(reason.sentence)
        case .beat(let revision): .beat(revision)
        case .header(let header): .header(ProtoJobHeader(header))
        case .handOver(let header): .handOver(ProtoJobHeader(header))
        case .probe(let origin): .probe(origin.short)
        case .coordinating(let origin): .coordinating(origin.short)
        case .results(let plan, let results): .results(ProtoPlanResults(plan, results))
        case .knows(let plan, let tasks, let checksum):
            .knows(
                .with {
                    $0.plan = Data(plan)
                    $0.tasks = Data(tasks)
                    $0.checksum = checksum
                })
        case .wantResults(let plan, let tasks):
            .wantResults(
                .with {
                    $0.plan = Data(plan)
                    $0.tasks = Data(tasks)
                })
        default: nil
        }
    }

    /// Messages about work.
    private static func work(_ body: JobMessage.Body) -> OneOf_Body? {
        switch body {
        case .heartbeat(let plan, let beat): .heartbeat(ProtoHeartbeat(plan, beat))
        case .reply(let reply): .reply(ProtoHeartbeatReply(reply))
        case .ask(let ask, let asVictim): .ask(ProtoAskForWork(ask, asVictim: asVictim))
        case .victim(let victim, let request):
            .victim(
                .with {
                    $0.victim = victim.short
                    $0.request = request
                })
        case .grant(let grant): .grant(ProtoGrant(grant))
        case .nothing(let request, let byVictim):
            .nothing(
                .with {
                    $0.request = request
                    $0.byVictim = byVictim
                })
        case .finished(let plan, let result, let took, let start, let sequence):
            .finished(
                .with {
                    $0.plan = Data(plan)
                    $0.task = result.task.wire
                    $0.digest = Data(result.digest)
                    if let took { $0.tookMicroseconds = took.microseconds }
                    $0.start = start
                    $0.holdSequence = sequence
                })
        case .failed(let plan, let task, let kind): .failed(ProtoFailed(plan, task, kind))
        default: nil
        }
    }

    /// Messages about blobs, outputs and what users ask.
    private static func blobs(_ body: JobMessage.Body) -> OneOf_Body? {
        switch body {
        case .holdings(let plan, let tasks, let start, let sequence):
            .holdings(
                .with {
                    $0.plan = Data(plan)
                    $0.tasks = Data(tasks)
                    $0.start = start
                    $0.sequence = sequence
                })
        case .holdingsSeen(let sequence): .holdingsSeen(sequence)
        case .hold(let plan, let results): .hold(ProtoPlanResults(plan, results))
        case .damaged(let plan, let task):
            .damaged(
                .with {
                    $0.plan = Data(plan)
                    $0.task = task.wire
                })
        case .keepOutputs(let outputs): .keepOutputs(Data(outputs))
        case .outputsKept(let outputs): .outputsKept(Data(outputs))
        case .request(let kind, let number):
            .request(
                .with {
                    $0.kind = ProtoUserRequestKind(kind)
                    $0.number = number
                })
        case .answer(let answer, let number): .answer(ProtoUserAnswer(answer, number: number))
        default: nil
        }
    }
}

extension ProtoPlanResults {
    init(_ plan: Digest, _ results: [TaskResult]) {
        self.init()
        self.plan = Data(plan)
        self.results = ProtoResults(results)
    }
}

extension ProtoFailed {
    init(_ plan: Digest, _ task: TaskID, _ failure: FailureKind) {
        self.init()
        self.plan = Data(plan)
        self.task = task.wire
        switch failure {
        case .input(let reason): (kind, self.reason) = (.input, reason.sentence)
        case .error(let reason): (kind, self.reason) = (.error, reason.sentence)
        }
    }
}

extension ProtoUserRequestKind {
    init(_ kind: UserRequest) {
        self =
            switch kind {
            case .cancel: .cancel
            case .resume: .resume
            }
    }
}

extension ProtoUserAnswer {
    init(_ answer: UserAnswer, number: UInt64) {
        self.init()
        self.number = number
        says =
            switch answer {
            case .accepted: .accepted(true)
            case .superseded(let run): .supersededBy(run.number)
            case .refused(let reason): .refused(reason.sentence)
            }
    }
}
