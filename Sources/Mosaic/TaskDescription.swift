extension MosaicPlan {
    /// All that decides a task's bytes, except the engine itself (whose fingerprint the shell adds): grid
    /// cell, scenes, bands, radiometry, indices, rules, encoding (PROTOCOL.md, section 3, "The task key").
    ///
    /// The number of tasks, their order and scenes elsewhere leave it alone, so adding a scene changes the
    /// keys of the tasks that it touches and of no others.
    public func description(of task: MosaicTask) -> CanonicalBytes {
        var bytes = CanonicalBytes("arbutus task 1")
        var lattice = grid
        (lattice.columns, lattice.rows) = (0, 0)
        bytes.append(lattice)
        for value in [task.window.x, task.window.y, task.window.width, task.window.height] {
            bytes.append(value)
        }
        bytes.append(taskEdge)
        describeRules(&bytes)
        bytes.append(indices.count)
        for index in indices { describe(index, &bytes) }
        bytes.append(task.scenes.count)
        for number in task.scenes { describe(scenes[number], &bytes) }
        return bytes
    }

    private func describeRules(_ bytes: inout CanonicalBytes) {
        bytes.append(rules.select.composite.rawValue)
        switch rules.mask {
        case .automatic: bytes.append("automatic")
        case .none: bytes.append("none")
        case .classes(let classes):
            bytes.append("classes")
            bytes.append(classes.count)
            for number in classes.sorted() { bytes.append(number) }
        }
        bytes.append(rules.maskBuffer)
        bytes.append(rules.clamp.rawValue)
        bytes.append(rules.resampling.rawValue)
        bytes.append(rules.clip)
        bytes.append(rules.provenance)
    }

    private func describe(_ index: SpectralIndex, _ bytes: inout CanonicalBytes) {
        bytes.append(index.formulaText)
        bytes.append(index.range.low)
        bytes.append(index.range.high)
        bytes.append(index.canMaskSnow)
    }

    private func describe(_ scene: Scene, _ bytes: inout CanonicalBytes) {
        for name in usedBands {
            bytes.append(name)
            bytes.append(scene.bands[name] != nil)
            if let band = scene.bands[name] { describe(band, &bytes) }
        }
        let masks = rules.mask != .none
        bytes.append(masks && scene.classification != nil)
        if masks, let classification = scene.classification { describe(classification, &bytes) }
    }

    private func describe(_ band: Band, _ bytes: inout CanonicalBytes) {
        bytes.append(band.file.address)
        bytes.append(band.file.size)
        bytes.append(band.file.version)
        bytes.append(band.number)
        bytes.append(band.grid)
        bytes.append(band.sample.rawValue)
        bytes.append(band.nodata)
        bytes.append(band.radiometry.scale)
        bytes.append(band.radiometry.offset)
    }

    /// The bands that the indices use, sorted by name.
    public var usedBands: [String] { Set(indices.flatMap(\.bands)).sorted() }
}
