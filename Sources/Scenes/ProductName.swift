/// What the name of a Sentinel-2 product, granule, data strip or datatake says, in ESA's naming of any age
/// ("Sentinel-2 Products Specification Document", section 3.4).
struct ProductName: Equatable {
    /// `S2A`.
    var satellite: String?
    /// `L1C` or `L2A`.
    var level: String?
    /// `33TWM`.
    var tile: String?
    /// Processing baseline, 5.09.
    var baseline: Double?
    /// All `20230815T095031` in order.
    var times: [String] = []
    /// The beginning of the data strip, from `S20230815T095630`.
    var strip: String?

    init(_ name: String) {
        for token in name.split(whereSeparator: { $0 == "_" || $0 == "/" }) { read(token) }
    }

    private mutating func read(_ token: Substring) {
        let bare = token.hasSuffix(".SAFE") ? token.dropLast(5) : token
        if let match = bare.wholeMatch(of: /G?(S2[A-Z])/) {
            satellite = satellite ?? String(match.1)
        } else if let match = bare.wholeMatch(of: /(?:MSI)?(L1C|L2A)/) {
            level = level ?? String(match.1)
        } else if let match = bare.wholeMatch(of: /T([0-9]{2}[A-Z]{3})/) {
            tile = String(match.1)
        } else if let match = bare.wholeMatch(of: /N([0-9]{2})\.?([0-9]{2})/) {
            baseline = Double("\(match.1).\(match.2)")
        } else if bare.wholeMatch(of: /[0-9]{8}T[0-9]{6}/) != nil {
            times.append(String(bare))
        } else if let match = bare.wholeMatch(of: /S([0-9]{8}T[0-9]{6})/) {
            strip = String(match.1)
        }
    }

    /// Satellite and the datatake's first second, `S2A_20230815T095031`: what all names of one acquisition
    /// share, whatever the baseline it was processed with.
    var datatake: String? {
        guard let satellite, let first = times.first else { return nil }
        return "\(satellite)_\(first)"
    }
}
