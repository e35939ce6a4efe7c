/// How the values of several scenes at one pixel become one (RASTER.md, Selection). The order of scenes is
/// settled by the plan, so `last`, `newest` and `least-cloud` are `first` over another order.
public enum Composite: String, Codable, Sendable {
    case first, mean, median, min, max, count
}

extension SelectionRule {
    /// What the rule does once the scenes are in its order.
    public var composite: Composite {
        switch self {
        case .first, .last, .newest, .leastCloud: .first
        case .mean: .mean
        case .median: .median
        case .min: .min
        case .max: .max
        case .count: .count
        }
    }

    /// The indices of `scenes` in the order in which the rule looks at them; ties keep the request's order.
    ///
    /// - Throws: `PlanError` when the rule needs a date or a cloud figure that a scene lacks.
    public func order(_ scenes: [Scene]) throws -> [Int] {
        let indices = Array(scenes.indices)
        switch self {
        case .first, .mean, .median, .min, .max, .count: return indices
        case .last: return indices.reversed()
        case .newest:
            let dates = try scenes.map { scene in
                try require(scene.acquired, of: scene, "acquisition date")
            }
            return indices.sorted { (dates[$1], $0) < (dates[$0], $1) }
        case .leastCloud:
            let clouds = try scenes.map { scene in
                try require(scene.cloudCover, of: scene, "cloud figure")
            }
            return indices.sorted { (clouds[$0], $0) < (clouds[$1], $1) }
        }
    }

    private func require(_ value: Double?, of scene: Scene, _ what: String) throws -> Double {
        guard let value else {
            throw PlanError(
                "cannot select \(rawValue): scene \(scene.id) has no \(what); "
                    + "give the scenes in order and use --select first")
        }
        return value
    }
}

/// A request that no plan can satisfy, as a sentence.
public struct PlanError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
