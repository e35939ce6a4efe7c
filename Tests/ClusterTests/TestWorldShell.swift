// What the shells of a `TestWorld` do with actions, and what is checked after every event.

@testable import Cluster

extension TestWorld {
    mutating func perform(_ action: JobAction, _ id: NodeID) {
        switch action {
        case .send(let message, let to): deliver(.message(message, from: id, to: to, start: starts[to] ?? 0))
        case .exchange(let message, let to): deliver(.exchange(message, from: id, to: to))
        case .rumour(let rumour):
            for other in alive.sorted() where other != id { deliver(.rumour(rumour, from: id, to: other)) }
        case .persist(let header, let source): persist(header, source, id)
        case .persistResults(let job, let plan, let results): record(results, job, plan, id)
        case .plan(let job, let run, _):
            let plan = planned
            disks[id]?.plans.insert(plan.digest)
            shell(id, 0.05) { $0.planned(job, run: run, plan, now: $1) }
        case .fetchPlan(let job, let digest, _): fetch(digest, job, id)
        case .start(let job, let task, let plan, _): start(task, job, plan, id)
        case .pull(let job, let plan, let result, let from): pull(result, job, plan, from, id)
        case .discard(let job, _, let task): disks[id]?.blobs[job]?[task] = nil
        case .assemble(let job, let run, let plan, let missing): assemble(job, run, plan, missing, id)
        case .copyOutputs(let job, let outputs, let from):
            guard disks[from]?.outputs.contains(outputs) == true, alive.contains(from) else { return }
            shell(id, 0.1) { $0.outputsStored(job, outputs: outputs, now: $1) }
            disks[id]?.outputs.insert(outputs)
        case .acknowledged(let job, let copies): acknowledged[job] = max(acknowledged[job] ?? 0, copies)
        case .answered(_, let number, let answer): answers[number] = answer
        case .changed(let header): changed(header, id)
        case .conflict(let job, let task, let a, let b):
            trouble.append("conflict at \(id) in \(job): \(task) \(a) \(b)")
        case .drop(let peer, let reason): trouble.append("\(id) drops \(peer): \(reason)")
        case .pin, .forget, .stop: break
        }
    }

    private mutating func deliver(_ event: Event) {
        if generator.happens(loss) { return }
        let times = generator.happens(doubling) ? 2 : 1
        for _ in 0..<times {
            let delay = Double(generator.next() % 1000) / 1000 * longestDelay + 0.0005
            push(event, after: .seconds(delay))
        }
    }

    private mutating func shell(
        _ id: NodeID, _ delay: Double, _ event: @escaping (inout NodeJobs, Instant) -> [JobAction]
    ) {
        push(.shell(id, start: starts[id] ?? 0, event), after: .seconds(delay))
    }

    private mutating func persist(_ header: JobHeader, _ source: NodeID?, _ id: NodeID) {
        if let source, let plan = header.reign.plan, disks[id]?.plans.contains(plan) != true {
            guard alive.contains(source), disks[source]?.plans.contains(plan) == true, !cut(source, id) else {
                return shell(id, 0.2) { $0.persistFailed(header, reason: "no plan", now: $1) }
            }
            disks[id]?.plans.insert(plan)
        }
        let hasPlan = header.reign.plan.map { disks[id]?.plans.contains($0) == true } ?? false
        let plan = hasPlan ? header.reign.plan.flatMap { plans[$0] } : nil
        // The disk has it when the answer comes, not before.
        let start = starts[id]
        later(0.002) { world in
            guard world.starts[id] == start, world.alive.contains(id) else { return }
            let old = world.disks[id]?.headers[header.id]
            world.disks[id]?.headers[header.id] = old?.merged(with: header) ?? header
            world.at(id) { $0.persisted(header, plan: plan, now: $1) }
        }
    }

    private mutating func record(_ results: [TaskResult], _ job: JobID, _ plan: Digest, _ id: NodeID) {
        disks[id]?.done[job, default: []] += results
        for result in results {
            if let fact = facts[result.task], fact != result.digest {
                trouble.append("S6: two digests of \(result.task)")
            }
            facts[result.task] = result.digest
        }
    }

    private mutating func fetch(_ digest: Digest, _ job: JobID, _ id: NodeID) {
        guard let plan = plans[digest] else { return }
        let start = starts[id]
        later(0.05) { world in
            guard world.starts[id] == start, world.alive.contains(id) else { return }
            let sources = world.alive.filter {
                world.disks[$0]?.plans.contains(digest) == true && !world.cut($0, id)
            }
            guard !sources.isEmpty else { return world.fetch(digest, job, id) }
            world.disks[id]?.plans.insert(digest)
            world.at(id) { $0.planKnown(job, plan, now: $1) }
        }
    }

    private mutating func start(_ task: TaskID, _ job: JobID, _ plan: Digest, _ id: NodeID) {
        runs[task, default: 0] += 1
        let delay = secondsPerTask * (plans[plan]?.cost(task) ?? 1)
        if let kind = failing[task] {
            return shell(id, 0.1) { $0.failed(job, plan: plan, task, kind, now: $1) }
        }
        let answer = result(task.index)
        let start = starts[id]
        later(delay) { world in
            guard world.starts[id] == start, world.alive.contains(id) else { return }
            world.disks[id]?.blobs[job, default: [:]][task] = answer.digest
            world.at(id) { $0.finished(job, plan: plan, answer, now: $1) }
        }
    }

    private mutating func pull(
        _ result: TaskResult, _ job: JobID, _ plan: Digest, _ from: [NodeID], _ id: NodeID
    ) {
        let start = starts[id]
        later(0.03) { world in
            guard world.starts[id] == start, world.alive.contains(id) else { return }
            let holder = from.first {
                world.alive.contains($0) && !world.cut($0, id)
                    && world.disks[$0]?.blobs[job]?[result.task] != nil
            }
            guard let holder else {
                return world.at(id) {
                    $0.pulled(job, plan: plan, result, from: from[0], .unreachable, now: $1)
                }
            }
            guard world.damaged.remove(result.task) == nil else {
                return world.at(id) { $0.pulled(job, plan: plan, result, from: holder, .mismatch, now: $1) }
            }
            world.disks[id]?.blobs[job, default: [:]][result.task] = result.digest
            world.at(id) { $0.pulled(job, plan: plan, result, from: holder, .held, now: $1) }
        }
    }

    private mutating func assemble(
        _ job: JobID, _ run: RunID, _ plan: Digest, _ missing: TaskSet, _ id: NodeID
    ) {
        let wanted = (plans[plan]?.all ?? TaskSet()).subtracting(missing)
        let blobs = disks[id]?.blobs[job] ?? [:]
        guard wanted.tasks.allSatisfy({ blobs[$0] != nil }) else {
            trouble.append("\(id) assembles without \(wanted.tasks.filter { blobs[$0] == nil })")
            return
        }
        let outputs = Self.outputs(wanted.tasks.compactMap { blobs[$0] })
        let start = starts[id]
        later(0.2) { world in
            guard world.starts[id] == start, world.alive.contains(id) else { return }
            world.disks[id]?.outputs.insert(outputs)
            world.at(id) { $0.assembled(job, run: run, outputs: outputs, now: $1) }
        }
    }

    /// The digest of outputs made of these blobs.
    static func outputs(_ blobs: [Digest]) -> Digest {
        digest(blobs.reduce(1) { scrambled($0 ^ $1.words.0) })
    }

    private mutating func changed(_ header: JobHeader, _ id: NodeID) {
        if let old = states[id], header.state < old {
            trouble.append("S7: \(id) falls from \(old) to \(header.state)")
        }
        states[id] = header.state
    }

    /// What a failed expectation prints.
    var summary: String {
        var lines = ["loss \(loss), doubling \(doubling), at \(now.nanoseconds / 1_000_000) ms"]
        for id in (known.keys.sorted()) {
            guard let machine = nodes[id], let header = machine.book[job(1)] else {
                lines.append("\(id) \(alive.contains(id) ? "knows nothing" : "is down")")
                continue
            }
            lines.append(
                "\(id) \(header.state.run) \(header.state.manifest) \(header.reign.phase) \(header.term)")
            if let c = machine.coordinators[job(1)] {
                lines.append(
                    "  coordinates: \(c.state), keepers \(c.keepers.ids) copies \(c.keepers.copies)"
                        + " open \(c.claims?.open ?? TaskSet()) free \(c.free)"
                        + " done \(c.done?.done ?? TaskSet())"
                        + " mine \(c.holders?.held(by: id) ?? TaskSet()) pulling \(c.pulling.keys.sorted())"
                        + " publication \(c.publication.state) \(c.header.term) plan \(c.plan?.count ?? 0)"
                        + " poison \(c.failures.poison) waiting \(c.failures.waiting)")
            }
            if let watch = machine.watches[job(1)] { lines.append("  watches: \(watch.state)") }
            lines.append(
                "  owns \(machine.worker.owned(of: job(1))) thief \(machine.thief.state)"
                    + " deadline \(machine.nextDeadline.map { "\($0.nanoseconds / 1_000_000)" } ?? "none")")
        }
        return lines.joined(separator: "\n")
    }

    /// S4 at the node that just acted: each undone task is free, or claimed by a claim that lasts.
    mutating func check(_ id: NodeID) {
        guard let machine = nodes[id] else { return }
        for (job, coordinator) in machine.coordinators {
            guard coordinator.state == .running, let claims = coordinator.claims, let plan = coordinator.plan,
                let done = coordinator.done, let holders = coordinator.holders
            else { continue }
            let settled = done.done.intersection(holders.held).union(coordinator.failures.poison)
                .union(coordinator.failures.waiting)
            let lost = plan.all.subtracting(settled).subtracting(claims.open)
            if !lost.isEmpty { trouble.append("S4: \(id) lost \(lost) of \(job)") }
            for task in claims.open.subtracting(claims.free).tasks where claims.claimants(of: task).isEmpty {
                trouble.append("S4: \(task) is neither free nor claimed")
            }
            for task in claims.free.tasks where !claims.claimants(of: task).isEmpty {
                trouble.append("S4: \(task) is free and claimed by \(claims.claimants(of: task))")
            }
            if let due = claims.nextDeadline, now - due > .seconds(1) {
                trouble.append("S4: a claim outlived its time by \((now - due).seconds) s")
            }
        }
    }
}
