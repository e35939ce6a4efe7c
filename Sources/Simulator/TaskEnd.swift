import Cluster

// How a task at work ends: with a blob, or as its trouble has it.

/// The end of one run of a task.
enum TaskEnd: Equatable {
    case blob
    /// It does not match its digest.
    case rottenBlob
    case failure(FailureKind)
    /// The process dies.
    case death
    case never

    var givesBlob: Bool { self == .blob || self == .rottenBlob }
}

extension World {
    /// What becomes of a task that begins now; a trouble that strikes so many times is used up by one.
    func taskEnd(_ key: Workbench.Key, isolated: Bool, on machine: Machine) -> TaskEnd {
        let name = TaskName(job: Workload.number(of: key.plan), task: key.task.index)
        switch troubles[name] {
        case .hangs(let times) where times > 0:
            troubles[name] = .hangs(times - 1)
            return .never
        case .isPoison: return .failure(.error(reason: "no band has data"))
        case .failsOn(machine.index): return .failure(.error(reason: "cannot read a block"))
        case .lacksInput(let until) where time < until.nanoseconds:
            return .failure(.input(reason: "503 from the archive"))
        case .crashes(let times) where times > 0:
            troubles[name] = .crashes(times - 1)
            return isolated ? .failure(.error(reason: "its process died")) : .death
        case .rots(let times) where times > 0:
            troubles[name] = .rots(times - 1)
            return .rottenBlob
        default: return .blob
        }
    }
}

extension WorkDisk {
    /// A process starts: what the earlier one had begun, it died with.
    mutating func countDeaths() {
        for key in atWork { deaths[key.plan, default: [:]][key.task, default: 0] += 1 }
        atWork = []
    }
}
