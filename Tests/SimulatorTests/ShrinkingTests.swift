import Cluster
import Testing

@testable import Simulator

@Suite struct ShrinkingTests {
    /// What a printed command says, read as the command line reads it.
    private func choices(_ command: String) -> (seed: UInt64, choices: Choices) {
        var (seed, choices) = (UInt64(0), Choices())
        let words = command.split(separator: " ").map(String.init)
        for (name, value) in zip(words, words.dropFirst()) {
            switch name {
            case "--seed": seed = UInt64(value) ?? 0
            case "--nodes": choices.nodes = Int(value)
            case "--minutes": choices.minutes = Double(value)
            case "--schedule": choices.schedule = value
            case "--join": choices.join = Double(value)
            case "--without": choices.without = value
            case "--extra": choices.extra = value.filter { $0 != "'" }
            case "--network": choices.network = value
            default: break
            }
        }
        return (seed, choices)
    }

    /// A failed run is made small, and the command that it prints fails in the same way.
    @Test func theSmallestCommandRepeatsTheViolation() throws {
        var options = Simulation.Options.mixed(seed: 2)
        options.nodes = 5
        options.kinds = [.network, .crashes, .stalls, .restarts]
        options.fault = .restartSaysLeft
        var failed = Simulation.run(options)
        var seed: UInt64 = 2
        while failed.violation == nil, seed < 40 {
            seed += 1
            options.seed = seed
            options.jobs = Simulation.Options.mixed(seed: seed).jobs
            failed = Simulation.run(options)
        }
        #expect(failed.violation?.invariant == "S2")
        let small = Simulation.shrunk(failed, events: 1_000_000)
        #expect(small.violation?.invariant == "S2")
        #expect(small.options.kinds == [.restarts])
        #expect(small.options.nodes <= 3)
        #expect(!small.recent.isEmpty)
        let (again, choices) = choices(try #require(small.command))
        var repeated = try choices.options(seed: again)
        repeated.fault = .restartSaysLeft
        #expect(Simulation.run(repeated).violation == small.violation)
    }

    /// The command of a run gives back its faults, extra ones included, and its network.
    @Test func aCommandSaysEverything() throws {
        var options = Simulation.Options.mixed(seed: 7)
        options.extra = [
            ScheduledFault(at: .milliseconds(1500), .crash(0)),
            ScheduledFault(at: .seconds(2), .partition([0, 1, -1])),
            ScheduledFault(at: .seconds(3), .spoil(.heartbeat, .dropped)),
            ScheduledFault(at: .seconds(4), .trouble(job: 0, task: 3, .crashes(2))),
            ScheduledFault(
                at: .seconds(5), .endHolders(job: 1, pick: 9, gap: .seconds(1), back: .seconds(2))),
        ]
        options.network.loss = 0.25
        options.without = [Omission("job", 0), Omission("crashes", 1), Omission("crashes", 2)]
        let (seed, choices) = choices(options.command)
        let again = try choices.options(seed: seed)
        #expect(again.extra == options.extra)
        #expect(again.network == options.network)
        #expect(again.without == options.without)
        #expect(again.kinds == options.kinds)
        #expect(again.jobs == options.jobs)
        #expect(again.nodes == options.nodes && again.faultSpan == options.faultSpan)
        #expect(again.command == options.command)
    }

    /// Every fault that the schedules draw has words, and the words give it back, spans to the millisecond.
    @Test(arguments: ScheduleKind.allCases)
    func everyFaultHasWords(_ kind: ScheduleKind) {
        let jobs = [Workload(at: .seconds(5), machine: 0, costs: [1, 2, 3])]
        for seed in 0..<20 {
            for fault in kind.faults(nodes: 6, span: .seconds(100), jobs: jobs, seed: UInt64(seed)) {
                let again = ScheduledFault(text: fault.text)
                #expect(again?.text == fault.text)
            }
        }
    }

    @Test func nonsenseIsRefusedInASentence() {
        for (name, text) in [("without", "crashes"), ("extra", "5/melt/1"), ("extra", "5/crash/99")] {
            var choices = Choices()
            choices.nodes = 3
            if name == "without" { choices.without = text } else { choices.extra = text }
            #expect(throws: ChoiceError.self) { try choices.options(seed: 1) }
        }
        var network = Choices()
        network.network = "1,1,2,0,0,0"
        #expect(throws: ChoiceError.self) { try network.options(seed: 1) }
    }
}
