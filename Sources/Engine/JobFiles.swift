extension JobPlan {
    /// The files that the job writes.
    var outputNames: [String] {
        let pictures = (request.png ? [""] : []) + (request.overlay ? [".3857"] : [])
        let kinds =
            [".tif", ".qml"]
            + pictures.flatMap { kind in
                [".png", ".pgw", ".png.aux.xml"].map { kind + $0 }
            }
        let own = ["mosaic.json", "provenance.json"] + (request.provenance ? ["provenance.tif"] : [])
        return plan.indices.flatMap { index in kinds.map { index.name + $0 } } + own
    }

    /// The files that the job reads, as far as they are named: scenes' bands, and what the request itself
    /// names.
    var filesRead: [String] {
        let bands = plan.scenes.flatMap { Array($0.bands.values) + ($0.classification.map { [$0] } ?? []) }
        return bands.map(\.file.address) + request.scenes + (request.clip.map { [$0] } ?? [])
    }
}
