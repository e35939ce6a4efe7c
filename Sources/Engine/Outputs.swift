import TileStore

/// The second half of a job, the same for one machine and for a cluster's coordinator: results become files
/// in a folder, which appear there together.
struct Outputs {
    let job: JobPlan
    let store: TileStore
    let overlay: Overlay?

    /// What was written.
    struct Made {
        let products: [AssemblyPhase.Product]
        /// The files beside COG and PNG.
        let sideFiles: [WrittenFile]

        /// All files in the order of their making.
        var files: [WrittenFile] {
            products.flatMap { [$0.cog] + ($0.png.map { [$0] } ?? []) } + sideFiles
        }
    }

    /// - Throws: `EngineError` when the overlay cannot be placed.
    init(_ job: JobPlan, store: TileStore) throws {
        self.job = job
        self.store = store
        overlay = try job.request.overlay ? Overlay(of: job.plan.grid) : nil
    }

    /// Makes all files and publishes them in `folder`.
    ///
    /// - Parameter results: in task order.
    /// - Throws: a sentence; nothing is published then. `JobCancelled` when the assembly was stopped.
    func make(
        _ results: [TaskResult], by assembly: AssemblyPhase, into folder: OutputFolder, threads: Int
    ) throws -> Made {
        let blobs = try TaskBlobs(plan: job.plan, results: results, store: store)
        let products = try assembly.run(blobs, into: folder, threads: threads)
        let files = try SideFiles(job: job, products: products, results: results, overlay: overlay).write(
            blobs, into: folder)
        try folder.publish()
        return Made(products: products, sideFiles: files)
    }
}
