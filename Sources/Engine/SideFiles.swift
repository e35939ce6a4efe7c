import Foundation
import Mosaic
import Raster

/// The small files beside COG and PNG: world file and CRS of each PNG, QGIS style of each COG, STAC item,
/// provenance.
struct SideFiles {
    let job: JobPlan
    let products: [AssemblyPhase.Product]
    let results: [TaskResult]
    let overlay: Overlay?

    /// Writes them into `folder`, unpublished.
    func write(_ blobs: TaskBlobs, into folder: OutputFolder) throws -> [WrittenFile] {
        let grid = job.plan.grid
        var files: [WrittenFile] = []
        for product in products {
            let index = product.index
            let style = QgisStyle.xml(palette: index.colormap.palette, range: index.range)
            files.append(try folder.write("\(index.name).qml", Array(style.utf8)))
            guard product.png != nil else { continue }
            files.append(try folder.write("\(index.name).pgw", Array(WorldFile.lines(for: grid).utf8)))
            let projection = try WorldFile.auxiliaryXML(for: grid.crs)
            files.append(try folder.write("\(index.name).png.aux.xml", Array(projection.utf8)))
        }
        var pictures: [WrittenFile] = []
        if let overlay {
            for product in products {
                pictures += try overlay.write(
                    product.index, mosaic: grid, cogPath: folder.temporaryPath(of: product.cog.name),
                    into: folder)
            }
        }
        if job.plan.rules.provenance {
            pictures.append(try ProvenanceRaster(job: job).write(blobs, into: folder))
        }
        files += pictures
        let extra = pictures.filter { $0.name.hasSuffix(".png") || $0.name.hasSuffix(".tif") }
        files.append(
            try folder.write("mosaic.json", StacItemWriter(job: job, products: products, extra: extra).json())
        )
        files.append(try folder.write("provenance.json", provenance()))
        return files
    }

    /// One task of `provenance.json`.
    private struct TaskRecord: Encodable {
        var task: Int
        var window: PixelWindow
        var key: String
        var digest: String
        var node: String
        var seconds: Double
        var bytesRead: Int
        var reused: Bool
        var scenes: [String]
        var failures: [String]
    }

    private struct Provenance: Encodable {
        var version: String
        var request: MosaicRequest
        var taskEdge: Int
        var tasks: [TaskRecord]
    }

    private func provenance() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let host = ProcessInfo.processInfo.hostName
        let tasks = zip(job.plan.tasks, results).map { task, result in
            TaskRecord(
                task: task.number, window: task.window, key: job.keys[task.number].description,
                digest: result.entry.digest.description, node: host, seconds: result.seconds,
                bytesRead: result.bytesRead, reused: result.wasReused,
                scenes: task.scenes.map { job.plan.scenes[$0].id }, failures: result.failures)
        }
        let record = Provenance(
            version: ArbutusVersion.string, request: job.request, taskEdge: job.plan.taskEdge, tasks: tasks)
        return Array(try encoder.encode(record)) + [0x0A]
    }
}
