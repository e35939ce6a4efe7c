import Cluster
import Engine
import Foundation
import Mosaic
import Raster
import Synchronization
import TileStore
import Wire

/// Map tiles and pixel values of the mosaics on this node: of finished ones from their COG, of those that
/// this node coordinates from the blobs of their tasks.
final class MosaicPictures: Sendable {
    /// Where the pixels of a job are on this node.
    private enum Pixels {
        case cog(path: String)
        case blobs
    }

    private let own: NodeID
    private let contents: JobContents
    private let store: TileStore
    private let outputs: OutputStore
    private let header: @Sendable (JobID) -> JobHeader?
    private let pool: PixelPool
    /// Tiles of finished mosaics, and the tile without values.
    let cache = TileCache(limit: 64 << 20)

    /// - Parameter header: looks a job up; may block.
    init(
        own: NodeID, contents: JobContents, store: TileStore, outputs: OutputStore,
        header: @escaping @Sendable (JobID) -> JobHeader?
    ) {
        (self.own, self.contents, self.store, self.outputs) = (own, contents, store, outputs)
        self.header = header
        pool = PixelPool(threads: min(4, ProcessInfo.processInfo.activeProcessorCount))
    }

    func shutDown() { pool.shutDown() }

    /// A tile as PNG; nil when the pixels are not on this node.
    ///
    /// - Throws: a sentence when they are and cannot be read.
    func tile(_ tile: MapTileName, index: Int, of job: JobID) throws -> [UInt8]? {
        guard let header = header(job), let known = try known(header) else { return nil }
        let plan = known.engine.plan
        guard plan.indices.indices.contains(index), let pixels = pixels(of: header, plan.indices[index].name)
        else { return nil }
        let name = header.state.manifest.outputs.map { TileCache.Name(outputs: $0, index: index, tile: tile) }
        if let name, let found = cache[name] { return found }
        let bytes = try pool.run { [store] desk in
            let source: any MosaicPixels =
                switch pixels {
                case .cog(let path): try desk.cog(path, plan.grid)
                case .blobs: BlobPixels(plan: plan, index: index) { Self.place($0, known, store) }
                }
            return try desk.painter.tile(
                zoom: tile.zoom, column: tile.column, row: tile.row, of: source, index: plan.indices[index])
                ?? desk.painter.emptyTile()
        }
        if let name { cache[name] = bytes }
        return bytes
    }

    /// What the mosaic shows at a place; nil when its pixels are not on this node.
    ///
    /// - Throws: a sentence when the place lies outside the mosaic, or the pixels cannot be read.
    func point(longitude: Double, latitude: Double, of job: JobID) throws -> PointAnswer? {
        guard let header = header(job), let known = try known(header) else { return nil }
        let plan = known.engine.plan
        let sources = plan.indices.map { pixels(of: header, $0.name) }
        guard sources.allSatisfy({ $0 != nil }) else { return nil }
        return try pool.run { [store] desk in
            let transform = try CoordinateTransform(from: .wgs84, to: plan.grid.crs)
            guard let place = transform.transform(x: longitude, y: latitude),
                let pixel = plan.grid.pixel(at: place)
            else { throw PlaceOutside(longitude: longitude, latitude: latitude) }
            let digest = header.reign.plan.map { "\($0.hash)" } ?? ""
            let verdicts = Self.verdicts(desk, digest, plan, pixel)
            let values = try plan.indices.indices.map { index in
                var value = Float.nan
                switch sources[index] {
                case .cog(let path): try desk.cog(path, plan.grid).read(pixel, level: 0, into: &value)
                case .blobs:
                    let blobs = BlobPixels(plan: plan, index: index) { Self.place($0, known, store) }
                    try blobs.read(pixel, level: 0, into: &value)
                case nil: break
                }
                return Self.value(value, verdicts.success?[index], plan, index)
            }
            return PointAnswer(
                longitude: longitude, latitude: latitude, column: pixel.x, row: pixel.y,
                crs: "\(plan.grid.crs)",
                x: place.x, y: place.y, task: plan.tasks.first { $0.window.contains(pixel) }?.number,
                isFinished: header.state.manifest.outputs != nil, values: values, doubt: verdicts.failure)
        }
    }

    /// What the scenes say of a pixel; why not, when they cannot be read from here.
    private static func verdicts(
        _ desk: PixelPool.Desk, _ name: String, _ plan: MosaicPlan, _ pixel: PixelWindow
    ) -> (success: [PixelVerdict]?, failure: String?) {
        do {
            let found = try desk.probe(name, plan).verdicts(column: pixel.x, row: pixel.y)
            guard found.allSatisfy({ $0.reason != "\(Reason.readFailed)" }) else {
                return (nil, "the scenes cannot be read from this node, so it does not know which one it was")
            }
            return (found, nil)
        } catch {
            return (nil, "\(error)")
        }
    }

    private static func value(
        _ value: Float, _ verdict: PixelVerdict?, _ plan: MosaicPlan, _ index: Int
    ) -> PointAnswer.Value {
        let scene = verdict?.scene.map { plan.scenes[$0] }
        let reason = value.isNaN ? verdict?.reason ?? "unknown" : "\(Reason.valid)"
        return PointAnswer.Value(
            index: plan.indices[index].name, title: plan.indices[index].title,
            value: value.isNaN ? nil : Double(value),
            // Scenes say that there is a value, and the mosaic has none yet.
            reason: value.isNaN && reason == "\(Reason.valid)" ? "notYetMade" : reason, scene: scene?.id,
            date: scene?.acquired.map { Date(timeIntervalSince1970: $0.rounded()).formatted(.iso8601) })
    }

    // MARK: Where pixels are

    private func known(_ header: JobHeader) throws -> JobContents.Known? {
        guard let digest = header.reign.plan else { return nil }
        if let known = contents.plan(inMemory: digest) { return known }
        guard try contents.bytes(digest) != nil else { return nil }
        return try contents.plan(digest, of: header.id)
    }

    private func pixels(of header: JobHeader, _ index: String) -> Pixels? {
        guard let digest = header.state.manifest.outputs else {
            return header.term.node == own ? .blobs : nil
        }
        guard let file = outputs.manifest(digest.hash)?.files.first(where: { $0.name == "\(index).tif" }),
            let hash = ContentHash(hexadecimal: file.digest)
        else { return nil }
        return .cog(path: outputs.path(of: hash))
    }

    private static func place(
        _ task: Int, _ known: JobContents.Known, _ store: TileStore
    ) -> BlobPixels.Place? {
        store.find(known.engine.keys[task], verify: false).map {
            BlobPixels.Place(path: $0.path, offset: TileStore.Entry.headBytes, length: $0.length)
        }
    }
}

/// A place that a mosaic does not cover.
public struct PlaceOutside: Error, CustomStringConvertible {
    let longitude: Double
    let latitude: Double

    public var description: String { "the mosaic does not cover \(longitude), \(latitude)" }
}

/// A mosaic at a place.
public struct PointAnswer: Codable, Sendable {
    /// One index there.
    public struct Value: Codable, Sendable {
        public let index: String
        public let title: String
        public let value: Double?
        /// `valid`, or why there is no value.
        public let reason: String
        public let scene: String?
        /// When the scene was acquired.
        public let date: String?
    }

    public let longitude: Double
    public let latitude: Double
    public let column: Int
    public let row: Int
    public let crs: String
    public let x: Double
    public let y: Double
    /// The task that makes the pixel.
    public let task: Int?
    public let isFinished: Bool
    public let values: [Value]
    /// Why scene and reason are not known; nil when they are.
    public let doubt: String?
    /// The node that made the task, when it is known.
    public var node: String?
}

/// Tiles in memory, the latest used ones up to a limit of bytes.
final class TileCache: Sendable {
    struct Name: Hashable, Sendable {
        let outputs: Digest
        let index: Int
        let tile: MapTileName
    }

    private struct State {
        var tiles: [Name: (bytes: [UInt8], used: UInt64)] = [:]
        var held = 0
        var clock: UInt64 = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    subscript(name: Name) -> [UInt8]? {
        get {
            state.withLock { state in
                state.clock += 1
                state.tiles[name]?.used = state.clock
                return state.tiles[name]?.bytes
            }
        }
        set {
            state.withLock { state in
                state.clock += 1
                if let old = state.tiles.removeValue(forKey: name) { state.held -= old.bytes.count }
                guard let newValue else { return }
                state.tiles[name] = (newValue, state.clock)
                state.held += newValue.count
                guard state.held > limit else { return }
                // A quarter goes at a time, so that sorting is rare.
                for (name, tile) in state.tiles.sorted(by: { $0.value.used < $1.value.used })
                where state.held > limit * 3 / 4 {
                    state.tiles[name] = nil
                    state.held -= tile.bytes.count
                }
            }
        }
    }
}
