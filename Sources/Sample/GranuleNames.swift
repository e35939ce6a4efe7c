import Foundation

/// The names that ESA and Earth Search would give a granule.
struct GranuleNames: Sendable {
    /// Military grid tile without the `T`: `33TWM`.
    let tile: String
    let zone: Int
    let latitudeBand = "T"
    let gridSquare: String
    /// `S2A` or `S2B`.
    let platform: String
    let acquired: Date
    /// Absolute orbit number; 143 orbits take ten days.
    let absoluteOrbit: Int
    static let relativeOrbit = 79
    static let baseline = "05.10"

    init(_ granule: Granule) {
        zone = granule.zone
        gridSquare = Self.square(zone: granule.zone, x: granule.tileX, y: granule.originY - 10_000)
        tile = "\(granule.zone)\(latitudeBand)\(gridSquare)"
        let isA = granule.index.isMultiple(of: 2)
        platform = isA ? "S2A" : "S2B"
        acquired = granule.acquired
        absoluteOrbit = (isA ? 47_280 : 38_372) + 143 * (granule.index / 2)
    }

    /// The two letters of a 100 km square (DMA TM 8358.1, ch. 3: columns repeat every three zones, rows every
    /// 2000 km and begin with F in even zones).
    static func square(zone: Int, x: Int, y: Int) -> String {
        let columns = [Array("STUVWXYZ"), Array("ABCDEFGH"), Array("JKLMNPQR")][zone % 3]
        let rows = Array("ABCDEFGHJKLMNPQRSTUV")
        let row = y / 100_000 + (zone.isMultiple(of: 2) ? 5 : 0)
        return String([columns[min(7, max(0, x / 100_000 - 1))], rows[row % 20]])
    }

    /// `S2A_33TWM_20240710_0_L2A`, as Earth Search names items.
    var item: String { "\(platform)_\(tile)_\(stamp(acquired).prefix(8))_0_L2A" }

    /// `20240710T095031`, when the datatake began.
    var sensing: String { stamp(acquired) }

    /// When the processor made the product: the same afternoon.
    var processed: String { stamp(acquired.addingTimeInterval(16_481)) }

    /// When the tile's first line was seen.
    var tileSensing: String { stamp(acquired.addingTimeInterval(328)) }

    var product: String {
        "\(platform)_MSIL2A_\(sensing)_N0510_R0\(Self.relativeOrbit)_T\(tile)_\(processed).SAFE"
    }

    var granuleFolder: String { "L2A_T\(tile)_A0\(absoluteOrbit)_\(tileSensing)" }

    var datatake: String { "G\(platform)_\(sensing)_0\(absoluteOrbit)_N\(Self.baseline)" }

    var datastrip: String {
        "\(platform)_OPER_MSI_L2A_DS_2APS_\(processed)_S\(tileSensing)_N\(Self.baseline)"
    }

    var tileID: String {
        "\(platform)_OPER_MSI_L2A_TL_2APS_\(processed)_A0\(absoluteOrbit)_T\(tile)_N\(Self.baseline)"
    }

    /// RFC 3339 with milliseconds, UTC.
    func time(_ date: Date) -> String { date.ISO8601Format().dropLast() + ".024Z" }

    /// `20240710T095031`, UTC.
    private func stamp(_ date: Date) -> String { date.ISO8601Format().filter { !"-:Z".contains($0) } }
}
