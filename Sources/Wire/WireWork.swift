import Cluster

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

// The larger parts of messages about work, both ways.

extension ProtoHeartbeat {
    init(_ plan: Digest, _ beat: Heartbeat) {
        self.init()
        self.plan = Data(plan)
        start = beat.start
        sequence = beat.sequence
        owned = Data(beat.owned)
        running = beat.running.map { task in
            .with {
                $0.task = task.task.wire
                $0.progress = task.progress
                $0.copy = task.isCopy
            }
        }
        gave = beat.gave.map { transfer in
            .with {
                $0.request = transfer.request
                $0.thief = transfer.thief.short
                $0.tasks = Data(transfer.tasks)
            }
        }
        if !beat.unconfirmed.isEmpty { unconfirmed = ProtoResults(beat.unconfirmed) }
        holdSequence = beat.holdSequence
        secondsPerCost = beat.secondsPerCost
        saturated = beat.isSaturated
    }
}

extension Heartbeat {
    init(_ proto: ProtoHeartbeat) throws(WireError) {
        try Field.count(proto.running.count, most: Heartbeat.runningLimit, "heartbeat.running")
        try Field.count(proto.gave.count, most: Heartbeat.transferLimit, "heartbeat.gave")
        var running: [RunningTask] = []
        for task in proto.running {
            running.append(
                RunningTask(
                    task: try Field.task(task.task, "heartbeat.running.task"), progress: task.progress,
                    isCopy: task.copy))
        }
        var gave: [Transfer] = []
        for transfer in proto.gave {
            gave.append(
                Transfer(
                    request: transfer.request,
                    thief: try Field.node(transfer.hasThief, transfer.thief, "heartbeat.gave.thief"),
                    tasks: try Field.tasks(transfer.tasks, "heartbeat.gave.tasks")))
        }
        self.init(
            start: try Field.given(proto.hasStart, proto.start, "heartbeat.start"), sequence: proto.sequence,
            owned: try Field.tasks(proto.owned, "heartbeat.owned"), running: running, gave: gave,
            unconfirmed: try Field.results(
                proto.unconfirmed, most: Heartbeat.resultLimit, "heartbeat.unconfirmed"),
            holdSequence: proto.holdSequence,
            secondsPerCost: try Field.speed(proto.secondsPerCost, "heartbeat.secondsPerCost"),
            isSaturated: proto.saturated)
        if let flaw = flaw(count: WireLimit.tasks) { throw .refused("heartbeat", flaw) }
    }
}

extension ProtoHeartbeatReply {
    init(_ reply: HeartbeatReply) {
        self.init()
        sequence = reply.sequence
        over = Data(reply.over)
        elsewhere = Data(reply.elsewhere)
        wantsHoldings = reply.wantsHoldings
    }
}

extension HeartbeatReply {
    init(_ proto: ProtoHeartbeatReply) throws(WireError) {
        self.init(
            sequence: proto.sequence, over: try Field.tasks(proto.over, "reply.over"),
            elsewhere: try Field.tasks(proto.elsewhere, "reply.elsewhere"), wantsHoldings: proto.wantsHoldings
        )
    }
}

extension ProtoAskForWork {
    init(_ ask: AskForWork, asVictim: Bool) {
        self.init()
        request = ask.request
        start = ask.start
        idleSlots = UInt32(clamping: ask.idleSlots)
        memory = UInt64(clamping: ask.memory)
        secondsPerCost = ask.secondsPerCost
        holdsInputs = ask.holdsInputs
        self.asVictim = asVictim
        bytesPerSecond = ask.bytesPerSecond
    }
}

extension AskForWork {
    init(_ proto: ProtoAskForWork) throws(WireError) {
        self.init(
            request: proto.request, start: try Field.given(proto.hasStart, proto.start, "ask.start"),
            idleSlots: Int(proto.idleSlots), memory: try Field.int(proto.memory, "ask.memory"),
            secondsPerCost: try Field.speed(proto.secondsPerCost, "ask.secondsPerCost"),
            holdsInputs: proto.holdsInputs,
            bytesPerSecond: try Field.rate(proto.bytesPerSecond, "ask.bytesPerSecond"))
    }
}

extension ProtoGrant {
    init(_ grant: Grant) {
        self.init()
        plan = Data(grant.plan)
        if let number = grant.request { request = number }
        tasks = Data(grant.tasks)
        copies = grant.areCopies
        isolated = Data(grant.isolated)
        secondsPerCost = grant.secondsPerCost
    }
}

extension Grant {
    init(_ proto: ProtoGrant) throws(WireError) {
        self.init(
            plan: try Field.digest(proto.plan, "grant.plan"), request: proto.hasRequest ? proto.request : nil,
            tasks: try Field.tasks(proto.tasks, "grant.tasks"), areCopies: proto.copies,
            isolated: try Field.tasks(proto.isolated, "grant.isolated"),
            secondsPerCost: try Field.speed(proto.secondsPerCost, "grant.secondsPerCost"))
    }
}
