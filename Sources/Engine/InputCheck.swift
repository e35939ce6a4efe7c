import Mosaic
import Scenes
import Synchronization

/// Compares the files that a job reads with the manifests of their products, before the job starts.
public struct InputCheck: Sendable {
    /// Files whose size and checksum are those of their manifest.
    public private(set) var sound: [String] = []
    /// Files that nothing vouches for, with the reason.
    public private(set) var unknown: [(file: String, reason: String)] = []

    /// Reads every band file that the plan uses, once, whole.
    ///
    /// - Throws: `SceneError` or `RasterError` about the first damaged or unreadable file in plan order.
    public static func run(_ plan: MosaicPlan, threads: Int) throws -> InputCheck {
        let files = self.files(of: plan)
        let next = Atomic<Int>(0)
        let outcomes = Mutex(
            [Result<ProductManifest.Verdict, any Error>?](repeating: nil, count: files.count))
        try Workers.run(max(1, min(threads, files.count))) { _ in
            while true {
                let number = next.add(1, ordering: .relaxed).oldValue
                guard number < files.count else { return }
                let outcome = Result { try verdict(on: files[number]) }
                outcomes.withLock { $0[number] = outcome }
            }
        }
        var check = InputCheck()
        for (file, outcome) in zip(files, outcomes.withLock { $0 }) {
            switch try outcome?.get() {
            case .sound: check.sound.append(file)
            case .unknown(let reason): check.unknown.append((file, reason))
            case nil: preconditionFailure("\(file) was not looked at")
            }
        }
        return check
    }

    /// Addresses of the bands and classifications that the plan reads, each once, in plan order.
    private static func files(of plan: MosaicPlan) -> [String] {
        var files: [String] = []
        for scene in plan.scenes {
            let bands =
                plan.usedBands.compactMap { scene.bands[$0] } + (scene.classification.map { [$0] } ?? [])
            for band in bands where !files.contains(band.file.address) { files.append(band.file.address) }
        }
        return files
    }

    private static func verdict(on file: String) throws -> ProductManifest.Verdict {
        guard let manifest = try ProductManifest(around: file) else {
            return .unknown("there is no manifest.safe in the folders above it")
        }
        return try manifest.verify(file)
    }

    /// What the check came to, for people.
    public var lines: [String] {
        let total = sound.count + unknown.count
        return [
            "\(sound.count) of \(total) input files have the size and the checksum that their manifests say"
        ]
            + unknown.map { "warning: cannot check \($0.file): \($0.reason)" }
    }
}
