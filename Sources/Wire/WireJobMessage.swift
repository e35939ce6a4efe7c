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
        body = OneOf_Body(message.body)
    }
}

extension ProtoJobMessage.OneOf_Body {
    init(_ body: JobMessage.Body) {
        switch body {
        // The record.
        case .keep(let header): self = .keep(ProtoJobHeader(header))
        case .kept(let term, let revision, let plan, let done, let checksum):
            self = .kept(ProtoKept(term, revision, plan, done, checksum))
        case .notKept(let reason): self = .notKept(reason.sentence)
        case .beat(let revision): self = .beat(revision)
        case .header(let header): self = .header(ProtoJobHeader(header))
        case .handOver(let header): self = .handOver(ProtoJobHeader(header))
        case .probe(let origin): self = .probe(origin.short)
        case .coordinating(let origin): self = .coordinating(origin.short)
        case .results(let plan, let results): self = .results(ProtoPlanResults(plan, results))
        case .knows(let plan, let tasks, let checksum): self = .knows(ProtoKnows(plan, tasks, checksum))
        case .wantResults(let plan, let tasks): self = .wantResults(ProtoPlanTasks(plan, tasks))
        // Work.
        case .heartbeat(let plan, let beat): self = .heartbeat(ProtoHeartbeat(plan, beat))
        case .reply(let reply): self = .reply(ProtoHeartbeatReply(reply))
        case .ask(let ask, let asVictim): self = .ask(ProtoAskForWork(ask, asVictim: asVictim))
        case .victim(let victim, let request): self = .victim(ProtoReferral(victim, request))
        case .grant(let grant): self = .grant(ProtoGrant(grant))
        case .nothing(let request, let byVictim): self = .nothing(ProtoNothing(request, byVictim))
        case .finished(let plan, let result, let took, let start, let sequence):
            self = .finished(ProtoFinished(plan, result, took, start, sequence))
        case .failed(let plan, let task, let kind): self = .failed(ProtoFailed(plan, task, kind))
        // Blobs, outputs, users.
        case .holdings(let plan, let tasks, let start, let sequence):
            self = .holdings(ProtoHoldings(plan, tasks, start, sequence))
        case .holdingsSeen(let sequence): self = .holdingsSeen(sequence)
        case .hold(let plan, let results): self = .hold(ProtoPlanResults(plan, results))
        case .damaged(let plan, let task): self = .damaged(ProtoPlanTask(plan, task))
        case .keepOutputs(let outputs): self = .keepOutputs(Data(outputs))
        case .outputsKept(let outputs): self = .outputsKept(Data(outputs))
        case .request(let kind, let number): self = .request(ProtoUserRequest(kind, number))
        case .answer(let answer, let number): self = .answer(ProtoUserAnswer(answer, number))
        }
    }
}

extension ProtoKept {
    init(_ term: Term, _ revision: UInt32, _ plan: Digest?, _ done: TaskSet, _ checksum: UInt64) {
        self.init()
        self.term = ProtoTerm(term)
        self.revision = revision
        if let plan { self.plan = Data(plan) }
        self.done = Data(done)
        self.checksum = checksum
    }
}

extension ProtoPlanResults {
    init(_ plan: Digest, _ results: [TaskResult]) {
        self.init()
        self.plan = Data(plan)
        self.results = ProtoResults(results)
    }
}

extension ProtoKnows {
    init(_ plan: Digest, _ tasks: TaskSet, _ checksum: UInt64) {
        self.init()
        self.plan = Data(plan)
        self.tasks = Data(tasks)
        self.checksum = checksum
    }
}

extension ProtoPlanTasks {
    init(_ plan: Digest, _ tasks: TaskSet) {
        self.init()
        self.plan = Data(plan)
        self.tasks = Data(tasks)
    }
}

extension ProtoPlanTask {
    init(_ plan: Digest, _ task: TaskID) {
        self.init()
        self.plan = Data(plan)
        self.task = task.wire
    }
}

extension ProtoReferral {
    init(_ victim: NodeID, _ request: UInt64) {
        self.init()
        self.victim = victim.short
        self.request = request
    }
}

extension ProtoNothing {
    init(_ request: UInt64, _ byVictim: Bool) {
        self.init()
        self.request = request
        self.byVictim = byVictim
    }
}

extension ProtoFinished {
    init(_ plan: Digest, _ result: TaskResult, _ took: Span?, _ start: UInt64, _ sequence: UInt64) {
        self.init()
        self.plan = Data(plan)
        task = result.task.wire
        digest = Data(result.digest)
        if let took { tookMicroseconds = took.microseconds }
        self.start = start
        holdSequence = sequence
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

extension ProtoHoldings {
    init(_ plan: Digest, _ tasks: TaskSet, _ start: UInt64, _ sequence: UInt64) {
        self.init()
        self.plan = Data(plan)
        self.tasks = Data(tasks)
        self.start = start
        self.sequence = sequence
    }
}

extension ProtoUserRequest {
    init(_ request: UserRequest, _ number: UInt64) {
        self.init()
        kind =
            switch request {
            case .cancel: .cancel
            case .resume: .resume
            }
        self.number = number
    }
}

extension ProtoUserAnswer {
    init(_ answer: UserAnswer, _ number: UInt64) {
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
