import Cluster

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// What a user of one node wants of another; the answer are bytes, or a refusal in a sentence.
public enum PeerInstruction: Hashable, Sendable {
    /// Hand the work on and leave the cluster; forced: also when outputs are on that node alone.
    case drain(forced: Bool)
    /// Which tasks of the job were rendered there?
    case made(JobID)
    /// Render a task again, without what the store holds, and tell the digest.
    case render(JobID, plan: Digest, TaskID)
}

extension ProtoInstruction {
    init(_ instruction: PeerInstruction) {
        self.init()
        does =
            switch instruction {
            case .drain(let forced): .drain(forced)
            case .made(let job): .made(Data(job))
            case .render(let job, let plan, let task):
                .render(
                    .with {
                        $0.job = Data(job)
                        $0.plan = Data(plan)
                        $0.task = UInt32(clamping: task.index)
                    })
            }
    }

    /// The instruction as a value.
    func instruction() throws(WireError) -> PeerInstruction {
        switch try Field.known(does, "instruction") {
        case .drain(let forced): return .drain(forced: forced)
        case .made(let job): return .made(try Field.job(job, "made"))
        case .render(let rendering):
            return .render(
                try Field.job(rendering.job, "render.job"),
                plan: try Field.digest(rendering.plan, "render.plan"),
                try Field.task(rendering.task, "render.task"))
        }
    }
}
