import Cluster
import Engine
import Foundation
import Mosaic
import Raster

/// What a job would be: told before it starts.
public struct JobEstimate: Codable, Sendable {
    /// A scene that the job would read.
    public struct Footprint: Codable, Sendable {
        public let id: String
        public let date: String?
        /// Percent.
        public let cloudCover: Double?
        /// Corners: longitude, latitude, …
        public let outline: [Double]
    }

    public let crs: String
    public let pixels: Int
    public let tasks: Int
    public let inputBytes: Int
    public let scenes: [Footprint]
    /// West, south, east, north.
    public let bbox: [Double]?
    /// From and to, on the slots of the living nodes.
    public let seconds: [Double]
    public let slots: Int
    public let warnings: [String]
}

extension ClusterNode {
    /// Plans a request without starting it: reads headers and a coarse sample of the scenes, from this node.
    ///
    /// - Throws: `RequestError`, or a sentence about a scene.
    public func estimate(_ request: MosaicRequest) async throws -> JobEstimate {
        try request.validate()
        let members = await memberViews()
        let slots = max(
            1, members.filter { $0.standing == .alive }.reduce(0) { $0 + ($1.engine?.slots ?? 0) })
        return try await blocking {
            let plan = try JobPlanner(request).plan()
            let estimates = EngineTask.all(of: EnginePlan(request: request, plan: plan, fingerprint: ""))
            let cost = estimates.reduce(0) { $0 + $1.cost }
            let area = try JobGrid(plan).area
            let back = try CoordinateTransform(from: plan.grid.crs, to: .wgs84)
            let scenes = zip(plan.scenes, plan.extents).map { scene, extent in
                var x = [extent.left, extent.right, extent.right, extent.left]
                var y = [extent.top, extent.top, extent.bottom, extent.bottom]
                back.transform(x: &x, y: &y)
                let corners = zip(x, y).flatMap { [$0, $1] }
                return JobEstimate.Footprint(
                    id: scene.id, date: scene.acquired.map(Self.date), cloudCover: scene.cloudCover,
                    outline: corners.contains(where: \.isNaN) ? [] : corners)
            }
            return JobEstimate(
                crs: plan.grid.crs.name, pixels: plan.grid.columns * plan.grid.rows * plan.indices.count,
                tasks: plan.tasks.count, inputBytes: estimates.reduce(0) { $0 + $1.inputBytes },
                scenes: scenes, bbox: area.map { [$0.west, $0.south, $0.unwrappedEast, $0.north] },
                // The prediction is within a factor of two on machines that were measured.
                seconds: [cost / Double(slots) * 0.7, cost / Double(slots) * 2 + 2], slots: slots,
                warnings: plan.scenes.flatMap { scene in scene.warnings.map { "\(scene.id): \($0)" } })
        }
    }

    private static func date(_ seconds: Double) -> String {
        Date(timeIntervalSince1970: seconds.rounded()).formatted(.iso8601)
    }

    /// The coastlines for maps, as `Coastline.bytes` has them.
    ///
    /// - Throws: `RasterError` when they are not installed.
    public func coastline() async throws -> [UInt8] {
        try await blocking { try Coastline().bytes }
    }
}
