import Mosaic
import Raster

/// What is known about one pixel of a mosaic.
struct Explanation: Codable {
    var longitude: Double
    var latitude: Double
    /// Of the mosaic, from 0 at its upper left.
    var column: Int
    var row: Int
    var crs: String
    /// The pixel's centre in the mosaic's CRS.
    var x: Double
    var y: Double
    var select: SelectionRule
    var indices: [String]
    var scenes: [SceneAccount]
    var decision: [PixelVerdict]
    /// Whether `--clip` leaves the pixel out.
    var isClipped: Bool

    /// What one scene says.
    struct SceneAccount: Codable {
        var id: String
        var finding: SceneFinding
        var radiometry: [String: Radiometry]
    }

    /// - Throws: `RequestError` when the point lies outside the mosaic.
    init(_ plan: MosaicPlan, longitude: Double, latitude: Double) throws {
        let transform = try CoordinateTransform(from: CRS("EPSG:4326"), to: plan.grid.crs)
        guard let point = transform.transform(x: longitude, y: latitude),
            let pixel = plan.grid.pixel(at: point)
        else {
            throw RequestError(
                "--at \(longitude) \(latitude) lies outside the mosaic; it is \(plan.grid.columns) × "
                    + "\(plan.grid.rows) pixels in \(plan.grid.crs): see arbutus plan")
        }
        let probe = try PixelProbe(plan: plan)
        let centre = plan.grid.bounds(of: pixel).centre
        self.longitude = longitude
        self.latitude = latitude
        (column, row, x, y) = (pixel.x, pixel.y, centre.x, centre.y)
        crs = plan.grid.crs.name
        select = plan.rules.select
        indices = plan.indices.map(\.name)
        scenes = try probe.findings(column: column, row: row).map { finding in
            let scene = plan.scenes[finding.scene]
            let used = Set(plan.usedBands)
            return SceneAccount(
                id: scene.id, finding: finding,
                radiometry: scene.bands.filter { used.contains($0.key) }.mapValues(\.radiometry))
        }
        decision = probe.verdicts(column: column, row: row)
        let hasValue = scenes.contains { $0.finding.verdicts.contains { $0.reason == "\(Reason.valid)" } }
        isClipped =
            plan.rules.clip != nil && hasValue && decision.allSatisfy { $0.reason == "\(Reason.outside)" }
    }

    /// The explanation as tables and sentences.
    var text: String {
        var lines = [
            "pixel \(column),\(row) of the mosaic (column, row), centre \(x),\(y) in "
                + Terminal.printable(crs)
        ]
        lines.append(scenes.isEmpty ? "no scene covers it" : sceneTable)
        lines += scenes.compactMap { account in
            account.finding.failure.map { "\(account.id) cannot be read here: \($0)" }.map(Terminal.printable)
        }
        lines += zip(indices, decision).map { "\($0): \(sentence($1))" }
        return lines.joined(separator: "\n")
    }

    private var sceneTable: String {
        let bands = Set(scenes.flatMap(\.radiometry.keys)).sorted()
        let numbers = bands.map { _ in Table.Side.right }
        let values = indices.map { _ in Table.Side.right }
        var table = Table([.left] + numbers + [.left] + values)
        table.add(["scene"] + bands.map { "\($0) DN" } + ["SCL"] + indices)
        for account in scenes {
            let finding = account.finding
            let cells = bands.map { band in
                guard let number = finding.numbers[band] else { return "–" }
                let offset = account.radiometry[band]?.offset ?? 0
                return Self.shown(number) + (offset == 0 ? "" : offset < 0 ? " − " : " + ")
                    + (offset == 0 ? "" : Self.shown(offset.magnitude))
            }
            let verdicts = finding.verdicts.map { $0.value.map { "\(Float($0))" } ?? $0.reason }
            table.add([account.id] + cells + [finding.classification.map(Self.className) ?? "–"] + verdicts)
        }
        return table.text
    }

    private func sentence(_ verdict: PixelVerdict) -> String {
        if isClipped { return "outside, because --clip leaves the pixel out" }
        guard let value = verdict.value else {
            return "no value: \(Self.words[verdict.reason] ?? verdict.reason)"
        }
        let origin = verdict.scene.flatMap { number in scenes.first { $0.finding.scene == number }?.id }
        return "\(Float(value)), " + (origin.map { "from \(Terminal.printable($0)) " } ?? "") + "by --select "
            + select.rawValue
    }

    /// What a reason means to a reader.
    private static let words = [
        "\(Reason.outside)": "no scene covers the pixel", "\(Reason.nodata)": "the scenes have no data there",
        "\(Reason.masked)": "the scene classification hides it (--mask)",
        "\(Reason.undefined)": "the formula has no value there (a denominator of 0, or not finite)",
        "\(Reason.readFailed)": "a scene that could decide it cannot be read",
    ]

    private static func className(_ value: UInt8) -> String {
        let name =
            CloudMask.classNames.indices.contains(Int(value)) ? CloudMask.classNames[Int(value)] : "unknown"
        return "\(value) \(name)"
    }

    private static func shown(_ number: Double) -> String {
        number == number.rounded() && number.magnitude < 1e15 ? "\(Int(number))" : "\(number)"
    }
}
