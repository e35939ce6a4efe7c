/// What the sensor sees at one pixel: reflectance, and the class that Sen2Cor would write in SCL.
struct Seen {
    var spectrum: Spectrum
    /// Scene classification, 2 to 11 (RASTER.md, Clouds).
    var scl: UInt8
}

/// Paints the pixels: land cover by relief, light on the slopes, water, then the weather above.
struct Surface: Sendable {
    private let parcels: Parcels
    private let seed: UInt32
    /// Half the width of the main river, pixels.
    private let riverWidth: Float

    init(_ land: Landscape) {
        seed = land.seed &+ 1000
        parcels = Parcels(seed: land.seed &+ 2000)
        riverWidth = min(26, max(2.2, Float(land.size) * 0.0036))
    }

    /// The pixel at position (`x`, `y`), units of 10 m, where the lattice says `node`.
    func seen(x: Double, y: Double, node: Node) -> Seen {
        let coarse = Noise.gradient(x * (1 / 6.3), y * (1 / 6.3), seed)
        let fine = Noise.gradient(x * (1 / 2.3), y * (1 / 2.3), seed &+ 1)
        let texture = coarse * 0.6 + fine * 0.5
        let height = node.elevation + 0.025 * texture

        var ground = vegetation(Float(x), Float(y), node, height: height, texture: texture)
        let bare = Noise.step(0.48, 0.58, height + 0.06 * coarse)
        ground = ground.mixed(Cover.rock * (1 + 0.35 * texture), bare)
        let snow = Noise.step(0.63, 0.68, height + 0.05 * coarse - 0.12 * (min(2, node.light) - 1))
        ground = ground.mixed(Cover.snow * (1 + 0.05 * texture), snow)

        let lit = Noise.step(0, 1, node.light * 0.5) * 2
        ground *=
            lit < 1 ? Cover.skyLight.mixed(Spectrum(repeating: 1), lit) : Spectrum(repeating: min(1.4, lit))

        let wet = water(node, coarse: coarse, into: &ground)
        return weather(node, ground: ground, coarse: coarse) { ground in
            if wet > 0.5 { return 6 }
            if snow > 0.5 { return 11 }
            if lit < 0.3 { return 2 }
            return ground.ndvi > 0.38 ? 4 : 5
        }
    }

    /// Fields and woods of the plain, forest on the slopes, grass above the trees.
    private func vegetation(
        _ x: Float, _ y: Float, _ node: Node, height: Float, texture: Float
    ) -> Spectrum {
        let moisture = node.moisture + 0.12 * texture
        let hillside = Noise.step(0.155, 0.185, height)
        let alpine = Noise.step(0.40, 0.47, height + 0.05 * texture)
        var ground = Cover.meadow.mixed(Cover.fallow, Noise.step(0.05, -0.55, moisture))
        ground *= 1 + 0.2 * texture
        if hillside < 1 { ground = ground.mixed(plain(x, y, node, texture: texture), 1 - hillside) }
        let conifers = Noise.step(0.2, 0.34, height + 0.1 * texture)
        let trees = Cover.broadleaf.mixed(Cover.conifer, conifers) * (1 + 0.45 * texture)
        let wooded = Noise.step(0.30 - 0.52 * hillside, 0.36 - 0.46 * hillside, moisture)
        ground = ground.mixed(trees, wooded)
        return ground.mixed(Cover.alpineGrass * (1 + 0.3 * texture), alpine)
    }

    private func plain(_ x: Float, _ y: Float, _ node: Node, texture: Float) -> Spectrum {
        let parcel = parcels.parcel(x, y)
        if parcel.isRoad { return Cover.road }
        var field = Cover.crops[parcel.crop] * (0.82 + 0.36 * parcel.vigour)
        field = field.mixed(Cover.meadow, 0.25 * parcel.vigour)
        field *= 1 + 0.13 * texture
        if parcel.isHedge { field = field.mixed(Cover.broadleaf, 0.7) }
        let built = Noise.step(0, 0.10, node.town)
        guard built > 0 else { return field }
        // Blocks of 20 m: roofs, yards and gardens.
        let block = Noise.hash(Int32(x * 0.5), Int32(y * 0.5), seed &+ 2)
        let share = Float(block & 0xFFFF) * (1 / 65_535)
        guard share < built * 0.85 else { return field.mixed(Cover.meadow, built) }
        return Cover.town * (0.65 + 0.8 * Float(block >> 16) * (1 / 65_535))
    }

    /// Covers `ground` where there is water; says how much of the pixel is.
    private func water(_ node: Node, coarse: Float, into ground: inout Spectrum) -> Float {
        let half = riverWidth * (1 + 0.5 * coarse)
        let fromBed = abs(node.riverDistance)
        let river = 1 - Noise.step(half - 0.6, half + 0.6, fromBed)
        let lake = Noise.step(0, 0.008, node.lake)
        let brook =
            (1 - Noise.step(0.5, 1.3, abs(node.brookDistance))) * Noise.step(0.30, 0.2, node.elevation)
        let wet = max(river, max(lake, brook * 0.9))
        let bars = (1 - Noise.step(half + 1, half + 2.6, fromBed)) * Noise.step(0.05, 0.2, coarse)
        ground = ground.mixed(Cover.gravel, bars)
        guard wet > 0 else { return 0 }
        let depth = max(Noise.step(0.01, 0.10, node.lake), 0.55 * Noise.step(half, half * 0.3, fromBed))
        ground = ground.mixed(Cover.shallowWater.mixed(Cover.deepWater, depth), wet)
        return wet
    }

    /// Shadow, cirrus and cloud over the ground; `classify` names the ground where none of them hides it.
    private func weather(
        _ node: Node, ground: Spectrum, coarse: Float, classify: (Spectrum) -> UInt8
    ) -> Seen {
        let thickness = Noise.step(-0.01, 0.15, node.cloud + 0.035 * coarse)
        let shadow = Noise.step(0, 0.09, node.shading) * (1 - thickness)
        let veil = 0.5 * Noise.step(0, 0.55, node.cirrus)
        let top = 0.80 + 0.5 * min(0.5, max(0, node.cloud)) + min(0.16, max(-0.2, node.cloudLight - 1))
        let shaded = ground * Spectrum(repeating: 1).mixed(Cover.shade, shadow)
        let hazy = shaded.mixed(Cover.cirrus, veil)
        let spectrum = hazy.mixed(Cover.cloud * top, thickness)
        let scl: UInt8 =
            switch true {
            case thickness > 0.7: 9
            case thickness > 0.25: 8
            case veil > 0.1: 10
            case shadow > 0.35: 3
            case thickness > 0.1: 7
            default: classify(ground)
            }
        return Seen(spectrum: spectrum, scl: scl)
    }
}
