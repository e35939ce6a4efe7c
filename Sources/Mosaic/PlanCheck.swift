extension MosaicPlan {
    /// Checks that a planner can have made the plan: for plans that came from elsewhere. Tasks and indices
    /// are made again and compared, so that nothing after this meets a value that no planner gives.
    ///
    /// - Parameter request: the one that the plan is said to answer.
    /// - Throws: `RequestError` or `PlanError` with the first value that cannot be.
    public func check(answering request: MosaicRequest) throws {
        try request.validate()
        guard try SpectralIndex.resolve(request) == indices else {
            throw PlanError("the plan's indices are not those of its request")
        }
        try Self.check(grid, "the job grid")
        guard taskEdge.nonzeroBitCount == 1, (MosaicPlan.blockEdge...65_536).contains(taskEdge) else {
            throw PlanError("the plan's tasks have a side of \(taskEdge) pixels")
        }
        try Planner.checkTasks(columns: grid.columns, rows: grid.rows, edge: taskEdge)
        guard !scenes.isEmpty, scenes.count == extents.count else {
            throw PlanError("the plan has \(scenes.count) scenes and \(extents.count) extents")
        }
        for (scene, extent) in zip(scenes, extents) {
            let edges = [extent.left, extent.bottom, extent.right, extent.top]
            let reach = edges.map { abs($0) }.max() ?? 0
            guard edges.allSatisfy(\.isFinite), !extent.isEmpty,
                reach < 1e15 * min(grid.pixelWidth, grid.pixelHeight)
            else { throw PlanError("scene \(scene.id) has an extent that cannot be") }
            for band in scene.bands.values.sorted(by: { $0.number < $1.number }) {
                try Self.check(band, of: scene)
            }
            if let band = scene.classification { try Self.check(band, of: scene) }
        }
        guard rules.maskBuffer.isFinite, (0...512).contains(rules.maskBuffer) else {
            throw PlanError("the plan's masks grow by \(rules.maskBuffer) pixels")
        }
        let remade = MosaicPlan(
            grid: grid, scenes: scenes, extents: extents, indices: indices, rules: rules, taskEdge: taskEdge)
        guard remade.tasks == tasks else {
            throw PlanError("the plan's tasks do not follow from its grid and scenes")
        }
    }

    private static func check(_ band: Band, of scene: Scene) throws {
        try check(band.grid, "a band of scene \(scene.id)")
        guard band.number >= 1, band.radiometry.scale.isFinite, band.radiometry.offset.isFinite,
            !band.file.address.isEmpty, !band.file.address.utf8.contains(0)
        else { throw PlanError("scene \(scene.id) has a band that cannot be") }
    }

    private static func check(_ grid: Grid, _ what: String) throws {
        let sizes = [grid.pixelWidth, grid.pixelHeight]
        guard sizes.allSatisfy({ $0.isFinite && $0 > 0 }), grid.originX.isFinite, grid.originY.isFinite,
            (1...Planner.largestSide).contains(grid.columns), (1...Planner.largestSide).contains(grid.rows),
            abs(grid.originX) < 1e15 * grid.pixelWidth, abs(grid.originY) < 1e15 * grid.pixelHeight
        else { throw PlanError("\(what) has a size or place that cannot be") }
    }
}
