import Mosaic

/// All that may tell what the digital numbers of a band mean, and the order in which it counts
/// (RASTER.md, Radiometry).
struct RadiometryEvidence: Equatable {
    /// The product's own XML: quantification (10000) and offset in DN for this band.
    struct Product: Equatable {
        var quantification: Double
        var offset: Double
    }

    var product: Product?
    /// The item says that the offset is in the samples already (`earthsearch:boa_offset_applied`).
    var isOffsetApplied = false
    /// `raster:bands` of the item: reflectance = scale · DN + offset.
    var itemScale: Double?
    var itemOffset: Double?
    /// Whether the item describes floating-point samples.
    var isItemFloat = false
    /// The processing baseline, by the item or the product's name.
    var baseline: Double?

    /// Decides for a band of a sensor, with what the file itself says and the user's `--offset`.
    func decide(
        sensor: Scene.Sensor, sample: SampleType, fileScale: Double?, fileOffset: Double?, option: Double?
    ) -> Radiometry {
        let own = (scale: fileScale.nonZero ?? 1, offset: fileOffset.finite ?? 0)
        let hasOwn = own != (1, 0)
        let raw = itemScale.nonZero
        guard sample.isInteger else {
            if let option {
                return Radiometry(scale: hasOwn ? own.scale : 1, offset: option, origin: .option)
            }
            if hasOwn { return Self.linear(own.scale, own.offset, .fileScaleAndOffset) }
            if isItemFloat, let raw { return Self.linear(raw, itemOffset.finite ?? 0, .rasterBands) }
            return Radiometry(scale: 1, offset: 0, origin: .assumed)
        }
        // Sentinel-2 is always counted in ten-thousandths; an item that says 1 has left the scale out.
        let usual = Self.usualScale(sensor, sample)
        let given = sensor == .sentinel2 && raw == 1 ? usual : raw
        let scale = product.map { 1 / $0.quantification } ?? given ?? (own.scale == 1 ? usual : own.scale)
        if let option { return Radiometry(scale: scale, offset: option, origin: .option) }
        if let product { return Radiometry(scale: scale, offset: product.offset, origin: .productMetadata) }
        if isOffsetApplied { return Radiometry(scale: scale, offset: 0, origin: .offsetAlreadyApplied) }
        if let offset = itemOffset.finite {
            return Radiometry(scale: scale, offset: Self.inDN(offset, raw ?? 1), origin: .rasterBands)
        }
        if own.offset != 0 {
            return Radiometry(
                scale: scale, offset: Self.inDN(own.offset, own.scale), origin: .fileScaleAndOffset)
        }
        return Self.bySensor(sensor, scale: scale, baseline: baseline, hasScale: raw != nil, hasOwn: hasOwn)
    }

    /// The rules that are left when nothing states an offset.
    private static func bySensor(
        _ sensor: Scene.Sensor, scale: Double, baseline: Double?, hasScale: Bool, hasOwn: Bool
    ) -> Radiometry {
        switch sensor {
        case .sentinel2:
            guard let baseline else { break }
            return Radiometry(scale: scale, offset: baseline >= 4 ? -1000 : 0, origin: .processingBaseline)
        case .earthDaily:
            return Radiometry(scale: scale, offset: -1000, origin: .earthDaily)
        case .landsat where !hasScale && !hasOwn:
            return Radiometry(scale: scale, offset: inDN(-0.2, scale), origin: .assumed)
        case .landsat, .plain: break
        }
        let origin: Radiometry.Origin = hasScale ? .rasterBands : hasOwn ? .fileScaleAndOffset : .assumed
        return Radiometry(scale: scale, offset: 0, origin: origin)
    }

    /// Reflectance of one DN where nothing states it.
    private static func usualScale(_ sensor: Scene.Sensor, _ sample: SampleType) -> Double {
        if sensor == .landsat { return 2.75e-5 }
        return sample == .uint8 || sample == .int8 ? 1.0 / 255 : 1e-4
    }

    private static func linear(_ scale: Double, _ offset: Double, _ origin: Radiometry.Origin) -> Radiometry {
        Radiometry(scale: scale, offset: inDN(offset, scale), origin: origin)
    }

    /// An offset of reflectance in DN: −0.1 at 0.0001 is −1000, without the rounding of the division.
    private static func inDN(_ offset: Double, _ scale: Double) -> Double {
        let dn = offset / scale
        return abs(dn - dn.rounded()) < 1e-6 * max(1, abs(dn)) ? dn.rounded() : dn
    }
}

extension Double? {
    /// The number, when it is one.
    fileprivate var finite: Double? { flatMap { $0.isFinite ? $0 : nil } }

    /// The number, when it can be a scale.
    fileprivate var nonZero: Double? { finite.flatMap { $0 == 0 ? nil : $0 } }
}
