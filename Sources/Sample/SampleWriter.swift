import Foundation
import Mosaic
import Raster

/// How far a sample is.
public struct SampleProgress: Hashable, Sendable {
    /// The granule in work.
    public let granule: String
    /// What is done to it: `drawing`, `encoding`.
    public let activity: String
    /// Share of the whole sample, 0 to 1.
    public let share: Double
}

/// Writes the granules of a sample: the same bytes for the same options on every run.
public struct SampleWriter: Sendable {
    private let options: SampleOptions

    public init(_ options: SampleOptions) { self.options = options }

    /// Draws and writes all granules, and hands back their paths.
    ///
    /// Everything is made in a folder beside the output folder and moved into place at the end; after an
    /// error nothing is left.
    ///
    /// - Throws: `SampleError` for impossible options, an output folder that holds something else, a full
    ///   disk.
    public func write(progress: (SampleProgress) -> Void = { _ in }) throws -> [String] {
        try options.check()
        let folder = OutputFolder(options.outputFolder)
        try folder.checkFree(force: options.force)
        let part = try folder.begin()
        do {
            try checkSpace(at: part)
            var granules: [String] = []
            for index in 0..<options.granules {
                let granule = try Granule(index, of: options)
                let writer = GranuleWriter(granule, options: options, folder: part)
                granules.append(
                    try writer.write { activity, share in
                        let whole = (Double(index) + share) / Double(options.granules)
                        progress(SampleProgress(granule: writer.name, activity: activity, share: whole))
                    })
            }
            try folder.finish()
            return granules.map { "\(options.outputFolder)/\($0)" }
        } catch {
            folder.discard()
            throw error
        }
    }

    /// About 7 bytes a pixel are kept, and 10 more are needed while a granule is in work.
    private func checkSpace(at path: String) throws {
        let pixels = options.size * options.size
        let needed = pixels * (7 * options.granules + 10)
        let free = BandFile.freeBytes(at: path)
        guard free > needed else {
            throw SampleError(
                "\(options.granules) granules of \(options.size) px need about \(needed >> 20) MB, and the "
                    + "disk of \(options.outputFolder) has \(free >> 20) MB free; make room, or choose a "
                    + "smaller --size"
            )
        }
    }
}

/// The folder of a sample: made beside its place, under a name that says so, and moved there when it is
/// whole.
private struct OutputFolder {
    private let path: String
    private let part: String
    private let old: String

    init(_ path: String) {
        let url = URL(filePath: path, directoryHint: .isDirectory).standardizedFileURL
        self.path = url.path(percentEncoded: false).trimmedOfSlash
        let parent = url.deletingLastPathComponent().path(percentEncoded: false).trimmedOfSlash
        part = "\(parent)/.\(url.lastPathComponent).part"
        old = "\(parent)/.\(url.lastPathComponent).old"
    }

    /// - Throws: `SampleError` unless the place is free, empty, or with `force` holds a sample and nothing
    ///   else.
    func checkFree(force: Bool) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
        guard isFolder.boolValue else {
            throw SampleError("\(path) is a file; choose another folder with --out")
        }
        let entries = try FileManager.default.contentsOfDirectory(atPath: path)
        if entries.isEmpty { return }
        guard force else {
            throw SampleError(
                "\(path) is not empty; choose another folder with --out, or replace it with --force")
        }
        for entry in entries where !isGranule("\(path)/\(entry)") {
            throw SampleError(
                "\(path) holds \(entry), which is no granule of a sample; --force replaces samples only, so "
                    + "choose another folder with --out")
        }
    }

    private func isGranule(_ folder: String) -> Bool {
        guard let data = FileManager.default.contents(atPath: "\(folder)/labels.json") else { return false }
        do {
            return try JSONDecoder().decode(GranuleLabels.self, from: data).generator
                == GranuleLabels.generator
        } catch {
            return false  // somebody else's labels
        }
    }

    /// Makes the folder to work in.
    func begin() throws -> String {
        do {
            if FileManager.default.fileExists(atPath: part) {
                try FileManager.default.removeItem(atPath: part)
            }
            try FileManager.default.createDirectory(atPath: part, withIntermediateDirectories: true)
        } catch {
            throw SampleError("cannot write in \(part): \(error.localizedDescription); choose another --out")
        }
        return part
    }

    /// Moves the finished sample into place; an old one goes only when the new one is there.
    func finish() throws {
        let files = FileManager.default
        do {
            if files.fileExists(atPath: old) { try files.removeItem(atPath: old) }
            if files.fileExists(atPath: path) { try files.moveItem(atPath: path, toPath: old) }
            try files.moveItem(atPath: part, toPath: path)
            if files.fileExists(atPath: old) { try files.removeItem(atPath: old) }
        } catch {
            throw SampleError("cannot put \(path) in place: \(error.localizedDescription)")
        }
    }

    /// Removes what was made; a folder that cannot be removed is replaced by the next run.
    func discard() {
        do {
            try FileManager.default.removeItem(atPath: part)
        } catch {
            FileHandle.standardError.write(
                Data("could not remove \(part): \(error.localizedDescription)\n".utf8))
        }
    }
}

extension String {
    fileprivate var trimmedOfSlash: String { count > 1 && hasSuffix("/") ? String(dropLast()) : self }
}
