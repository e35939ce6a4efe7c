extension MosaicRequest {
    /// Checks everything about a request that can be said without opening a file.
    ///
    /// - Throws: `RequestError` for the first value that no mosaic can be made with.
    public func validate() throws {
        if let title { try checkTitle(title) }
        try checkScenes()
        try checkBands()
        try area?.validate()
        if let clip { try checkAddress(clip, called: "clip file") }
        try checkNumbers()
        if case .classes(let classes) = mask { try MaskRule.check(classes) }
        if let crs, crs.isEmpty || crs.utf8.count > 16384 || crs.utf8.contains(0) {
            throw RequestError(
                "--crs \(RequestError.quoted(crs)) is no coordinate system; write EPSG:… or WKT")
        }
        _ = try SpectralIndex.resolve(self)
    }

    private func checkTitle(_ title: String) throws {
        guard title.count <= 200 else {
            throw RequestError("a title of \(title.count) characters is too long; write at most 200")
        }
        guard title.allSatisfy(\.isPrintable) else {
            throw RequestError("title \(RequestError.quoted(title)) has control characters; leave them out")
        }
    }

    private func checkScenes() throws {
        guard !scenes.isEmpty else {
            throw RequestError(
                "the request names no scene; give SAFE folders or files, for example --scene PATH")
        }
        guard scenes.count <= 100_000 else {
            throw RequestError("\(scenes.count) scenes are too many for a job; name at most 100000")
        }
        var seen: Set<String> = []
        for scene in scenes {
            try checkAddress(scene, called: "scene")
            guard seen.insert(scene).inserted else {
                throw RequestError("scene \(RequestError.quoted(scene)) is given twice; name it once")
            }
        }
    }

    private func checkAddress(_ address: String, called kind: String) throws {
        guard !address.isEmpty else { throw RequestError("a \(kind) has an empty name; give its path") }
        guard address.utf8.count <= 8192, !address.utf8.contains(0) else {
            throw RequestError(
                "\(kind) \(RequestError.quoted(address)) is no path: too long, or with a NUL byte")
        }
    }

    private func checkBands() throws {
        for (name, number) in bands.sorted(by: { $0.key < $1.key }) {
            guard BandName.common.contains(name) else {
                throw RequestError(
                    "--bands knows no band \(RequestError.quoted(name)); there are "
                        + BandName.common.joined(separator: ", "))
            }
            guard (1...65535).contains(number) else {
                throw RequestError("--bands \(name)=\(number): bands of a file are numbered from 1 to 65535")
            }
        }
    }

    private func checkNumbers() throws {
        guard maskBuffer >= 0, maskBuffer <= 10_000 else {
            throw RequestError(
                "--mask-buffer \(RequestError.shown(maskBuffer)) is out of range; give 0 to 10000 metres")
        }
        if let offset, !(abs(offset) <= 65535) {
            throw RequestError(
                "--offset \(RequestError.shown(offset)) is out of range; give -65535 to 65535 DN"
            )
        }
        if let resolution, !(resolution > 0 && resolution <= 1_000_000) {
            throw RequestError(
                "--resolution \(RequestError.shown(resolution)) is out of range; "
                    + "give the pixel size in CRS units, above 0")
        }
        if let range, !(range.low < range.high && range.low.isFinite && range.high.isFinite) {
            throw RequestError(
                "--range \(RequestError.shown(range.low)),\(RequestError.shown(range.high)) is empty; "
                    + "give two numbers LO,HI with LO below HI")
        }
        // Colours are computed in float32 (RASTER.md, Outputs).
        if let range, !((Float(range.high) - Float(range.low)).isNormal) {
            throw RequestError(
                "--range \(range.low),\(range.high) is too narrow or too wide to spread colours over; "
                    + "give two numbers LO,HI that float32 tells apart")
        }
    }
}

extension Area {
    /// - Throws: `RequestError` when the corners lie outside the globe or enclose nothing.
    public func validate() throws {
        let shown = [west, south, east, north].map(RequestError.shown).joined(separator: ",")
        guard (-90...90).contains(south), (-90...90).contains(north) else {
            throw RequestError(
                "area \(shown) is not on the globe: latitudes run from -90 to 90 (order: W,S,E,N in degrees)")
        }
        guard (-180...180).contains(west), (-180...180).contains(east) else {
            throw RequestError(
                "area \(shown) is not on the globe: longitudes run from -180 to 180; across the 180° "
                    + "meridian the west is greater than the east")
        }
        guard south < north else {
            throw RequestError("area \(shown) is empty: its south is not below its north (order: W,S,E,N)")
        }
        guard west <= east || unwrappedEast - west <= 270 else {
            throw RequestError(
                "area \(shown) goes the long way round the globe, for its west lies east of its east; "
                    + "order: W,S,E,N")
        }
        guard unwrappedEast > west else {
            throw RequestError("area \(shown) is empty: its west equals its east (order: W,S,E,N)")
        }
    }
}

extension MaskRule {
    /// - Throws: `RequestError` for a list that is empty, repeats a class or names one that is no SCL class.
    static func check(_ classes: [Int]) throws {
        guard !classes.isEmpty else {
            throw RequestError("the mask lists no class; write none to mask nothing")
        }
        for item in classes where !CloudMask.namableClasses.contains(item) {
            throw RequestError(
                "mask class \(item) does not exist; SCL classes are 0 to 11, and values above "
                    + "are always masked"
            )
        }
        guard Set(classes).count == classes.count else {
            throw RequestError("the mask names a class twice; name each once")
        }
    }
}
