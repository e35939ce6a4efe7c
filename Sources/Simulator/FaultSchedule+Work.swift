import Cluster

// The draws of the schedules that meet jobs, clocks and messages.

extension Draw {
    private mutating func job() -> Int { chance.below(max(1, jobs.count)) }

    /// A moment at which a job is probably at work.
    private mutating func moment(of job: Int) -> Span {
        let at = jobs.indices.contains(job) ? jobs[job].at : .zero
        return at + chance.span(from: .milliseconds(10), to: .seconds(chance.chance(0.5) ? 3 : 40))
    }

    mutating func clocks() {
        for index in 0..<nodes {
            add(.zero, .clock(index, chance.span(from: .zero, to: .seconds(7200))))
            add(.zero, .drift(index, (chance.unit() - 0.5) * 0.04))
        }
        for _ in 0..<chance.below(3) {
            let long = chance.chance(0.3) ? 3600 : 90
            add(moment(), .suspend(machine(), chance.span(from: .seconds(1), to: .seconds(long))))
        }
    }

    mutating func bearers() {
        for _ in 0..<1 + chance.below(3) {
            let job = job()
            var at = moment(of: job)
            for bearer in Bearer.allCases.shuffled(using: &chance).prefix(1 + chance.below(3)) {
                let back = chance.span(from: .milliseconds(100), to: .seconds(60))
                add(at, .endBearer(job: job, bearer, crash: chance.chance(0.5), back: back))
                at = at + chance.span(from: .zero, to: .seconds(8))
            }
        }
    }

    mutating func holders() {
        for _ in 0..<1 + chance.below(3) {
            let job = job()
            let gap = chance.chance(0.5) ? Span.zero : chance.span(from: .zero, to: .seconds(6))
            let back = chance.span(from: .seconds(1), to: .seconds(90))
            add(moment(of: job), .endHolders(job: job, pick: chance.next(), gap: gap, back: back))
        }
    }

    mutating func tasks() {
        for index in 0..<nodes where chance.chance(nodes < 16 ? 0.25 : 1.0 / 16) {
            add(.zero, .slow(index, 10))
        }
        for (number, job) in jobs.enumerated() {
            for _ in 0..<1 + chance.below(4) {
                let trouble: TaskTrouble =
                    switch chance.below(7) {
                    case 0, 1: .hangs(1 + chance.below(3))
                    case 2: .isPoison
                    case 3: .failsOn(machine())
                    case 4: .crashes(chance.chance(0.3) ? 100 : 1 + chance.below(3))
                    case 5: .rots(1 + chance.below(3))
                    default: .lacksInput(until: job.at + chance.span(from: .seconds(1), to: .seconds(90)))
                    }
                add(.zero, .trouble(job: number, task: chance.below(job.tasks.count), trouble))
            }
        }
    }

    mutating func messages() {
        let kinds = MessageKind.allCases.shuffled(using: &chance)
        var at = chance.span(from: .zero, to: .seconds(5))
        for kind in kinds {
            let end = at + chance.span(from: .seconds(2), to: .seconds(12))
            add(at, .spoil(kind, chance.chance(0.6) ? .dropped : .doubled))
            add(end, .spoil(kind, nil))
            at = chance.chance(0.3) ? at : end
            if at >= span { return }
        }
    }

    mutating func engines() {
        for index in 0..<nodes where chance.chance(0.4) { add(.zero, .engine(index, 2)) }
        for _ in 0..<chance.below(4) { add(moment(), .engine(machine(), 1 + chance.below(3))) }
        guard chance.chance(0.5) else { return }
        // Half of the nodes is one version ahead; one of them then goes two ahead, and talks to that half
        // only.
        for index in 0..<nodes where chance.chance(0.5) { add(.zero, .release(index, 2)) }
        let (index, at) = (machine(), moment())
        add(at, .release(index, 3))
        add(at + chance.span(from: .seconds(1), to: .seconds(60)), .release(index, 2))
    }

    mutating func requests() {
        for _ in 0..<1 + chance.below(5) {
            let job = job()
            let kind: UserRequest = chance.chance(0.5) ? .cancel : .resume
            switch chance.below(4) {
            case 0: add(moment(of: job), .submitAgain(job: job, machine()))
            case 1:
                let after = chance.span(from: .zero, to: .milliseconds(400))
                add(moment(of: job), .ambush(job: job, machine(), .cancel, after: after))
            case 2:
                let (at, here) = (moment(of: job), machine())
                add(at, .ask(job: job, here, .cancel))
                let again = at + chance.span(from: .zero, to: .seconds(5))
                add(again, .ask(job: job, chance.chance(0.5) ? here : machine(), .resume))
            default: add(moment(of: job), .ask(job: job, machine(), kind))
            }
        }
    }
}

extension Workload {
    /// What users hand in during a run of this seed: none to three jobs, of one to a hundred tasks whose
    /// costs are equal, spread, or rarely very dear.
    static func drawn(nodes: Int, span: Span, isEarly: Bool, seed: UInt64) -> [Workload] {
        var chance = SeededGenerator(seed: seed ^ 0x6A6F_6273)
        let count = [0, 1, 1, 1, 2, 2, 3][chance.below(7)]
        return (0..<count).map { _ in
            let latest = isEarly ? Span.seconds(20) : min(span * 0.7, .seconds(120))
            let at = chance.span(from: .milliseconds(500), to: latest)
            let tasks = 1 + chance.below([4, 24, 100][chance.below(3)])
            let mean = [0.05, 0.5, 2][chance.below(3)]
            let model = chance.below(3)
            let costs = (0..<tasks).map { _ in
                switch model {
                case 0: mean
                case 1: mean * (0.2 + 1.6 * chance.unit())
                default: chance.chance(0.1) ? mean * 10 : mean * 0.5
                }
            }
            return Workload(at: at, machine: chance.below(nodes), costs: costs)
        }
    }
}
