import Foundation
import Mosaic
import Raster

/// Makes `provenance.tif` from the blobs' reason and scene planes.
struct ProvenanceRaster {
    let job: JobPlan

    func write(_ blobs: TaskBlobs, into folder: OutputFolder) throws -> WrittenFile {
        let plan = job.plan
        let name = "provenance.tif"
        let file = try folder.create(name)
        defer { close(file.descriptor) }
        let writer = try ProvenanceWriter(
            path: folder.temporaryPath(of: name), called: file.path, grid: plan.grid,
            indices: plan.indices.map(\.name),
            scenes: plan.scenes.map(\.id))
        let coder = PlaneCoder()
        let scratch = ByteSink()
        for task in plan.tasks {
            let blob = blobs.blob(task.number)
            let edge = MosaicPlan.blockEdge
            let across = (task.window.width + edge - 1) / edge
            for index in plan.indices.indices {
                let layer = blob.layers[index]
                for block in layer.reasons.indices {
                    let x = task.window.x + block % across * edge
                    let y = task.window.y + block / across * edge
                    let window = PixelWindow(x: x, y: y, width: edge, height: edge).intersection(task.window)
                    let reasons: [UInt8] = try decode(
                        layer.reasons[block], window, task, blobs, coder, scratch)
                    let local: [UInt16] = try decode(layer.scenes[block], window, task, blobs, coder, scratch)
                    let (scenes, dates) = numbers(local, task)
                    try writer.write(scenes, band: index * 3 + 1, window: window)
                    try writer.write(dates, band: index * 3 + 2, window: window)
                    try writer.write(reasons.map(UInt16.init), band: index * 3 + 3, window: window)
                }
            }
        }
        try writer.close()
        return try folder.seal(name)
    }

    private func decode<Value: FixedWidthInteger & UnsignedInteger>(
        _ plane: Blob.Plane, _ window: PixelWindow, _ task: MosaicTask, _ blobs: TaskBlobs,
        _ coder: PlaneCoder,
        _ scratch: ByteSink
    ) throws -> [Value] {
        var values = [Value](repeating: 0, count: window.count)
        try values.withUnsafeMutableBufferPointer { target in
            guard case .compressed(let part) = plane else {
                return try coder.decode(plane, UnsafeRawBufferPointer(start: nil, count: 0), into: target)
            }
            try blobs.withBytes(part, of: task.number, scratch) { try coder.decode(plane, $0, into: target) }
        }
        return values
    }

    /// Task-local scene numbers as the plan's, and their dates; counts of scenes stay as they are.
    private func numbers(_ local: [UInt16], _ task: MosaicTask) -> (scenes: [UInt16], dates: [UInt16]) {
        guard [.first, .min, .max].contains(job.plan.rules.select.composite) else {
            return (local, [UInt16](repeating: 0, count: local.count))
        }
        let scenes = [0] + task.scenes.map { UInt16(clamping: $0 + 1) }
        let dates =
            [0]
            + task.scenes.map { number in
                job.plan.scenes[number].acquired.map { UInt16(clamping: Int(($0 / 86_400).rounded(.down))) }
                    ?? 0
            }
        return (local.map { scenes[Int($0)] }, local.map { dates[Int($0)] })
    }
}
