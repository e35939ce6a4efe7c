import Foundation

/// Copies the outputs of a job into a folder. A file appears under its name when it is whole and matches its
/// checksum; what was interrupted is continued by the next fetch, also from another node.
public struct JobFetch: Sendable {
    /// How far it is.
    public struct Progress: Equatable, Sendable {
        /// The file on its way.
        public var file = ""
        /// Bytes of all files that are here, and that there will be.
        public var bytesDone = 0
        public var bytesTotal = 0
        public var filesDone = 0
        public var filesTotal = 0
    }

    /// A file that is here now.
    public struct File: Codable, Equatable, Sendable {
        public let name: String
        public let path: String
        public let bytes: Int
        /// It was here before and matches.
        public let wasHere: Bool
    }

    /// The STAC item, in which the checksums of the others stand.
    static let item = "mosaic.json"

    private let client: ClusterClient
    private let job: String
    private let folder: String

    /// - Parameters:
    ///   - job: its whole id.
    ///   - folder: made when it is missing.
    public init(_ client: ClusterClient, job: String, into folder: String) {
        (self.client, self.job, self.folder) = (client, job, folder)
    }

    /// Returns when all files are here.
    ///
    /// - Parameter report: called as bytes arrive.
    /// - Throws: `ClientError`: no outputs yet, nobody answers, a file that does not match its checksum, a
    ///   disk that is full; `CancellationError`.
    public func run(_ report: @Sendable (Progress) -> Void) async throws -> [File] {
        var call = ClusterClient.Call("/jobs/\(job)/results")
        call.isSlow = true
        var offered = try await client.value([String: OutputReport].self, call)
        for name in offered.keys where !Self.isSound(name) {
            throw ClientError.file(
                "job \(job) has an output named '\(name)', which is no name of a file")
        }
        try makeFolder()
        var progress = Progress()
        (progress.filesTotal, progress.bytesTotal) = (offered.count, offered.values.sum(\.size))
        var files: [File] = []
        if let output = offered.removeValue(forKey: Self.item) {
            let file = try await copy(Self.item, output, &progress, report)
            try vouch(for: &offered, by: file)
            files.append(file)
        }
        for (name, output) in offered.sorted(by: { $0.key < $1.key }) {
            files.append(try await copy(name, output, &progress, report))
        }
        return files.sorted { $0.name < $1.name }
    }

    /// A name from the network never leads out of the folder.
    static func isSound(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count) && !name.hasPrefix(".")
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    }

    private func makeFolder() throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw ClientError.file(
                "cannot make the folder \(folder): \(error.localizedDescription); give another with --out")
        }
    }

    /// The item's checksums decide; an offer that contradicts them is refused.
    private func vouch(for offered: inout [String: OutputReport], by file: File) throws {
        struct Item: Decodable {
            let assets: [String: OutputReport]
        }
        let item: Item
        do {
            item = try JSONDecoder().decode(
                Item.self, from: Data(contentsOf: URL(filePath: file.path)))
        } catch {
            throw ClientError.file("\(file.path) is no STAC item: \(error)")
        }
        for asset in item.assets.values {
            let name = String(asset.href.hasPrefix("./") ? asset.href.dropFirst(2) : asset.href[...])
            guard let other = offered[name], let checksum = asset.checksum else { continue }
            guard other.checksum == nil || other.checksum == checksum else {
                throw ClientError.file(
                    "the node offers another \(name) of job \(job) than \(Self.item) names; verify the job"
                )
            }
            var known = other
            (known.checksum, known.size) = (checksum, asset.size ?? other.size)
            offered[name] = known
        }
    }

    private func copy(
        _ name: String, _ output: OutputReport, _ progress: inout Progress,
        _ report: @Sendable (Progress) -> Void
    ) async throws -> File {
        progress.file = name
        report(progress)
        let before = progress.bytesDone
        var now = progress
        let transfer = FileTransfer(client, output, to: "\(folder)/\(name)")
        let (bytes, wasHere) = try await transfer.run { done in
            now.bytesDone = before + done
            report(now)
        }
        progress.bytesDone = before + bytes
        progress.filesDone += 1
        report(progress)
        return File(name: name, path: "\(folder)/\(name)", bytes: bytes, wasHere: wasHere)
    }
}

extension Collection where Element == OutputReport {
    /// The sum of what is known.
    fileprivate func sum(_ value: (OutputReport) -> Int?) -> Int { reduce(0) { $0 + (value($1) ?? 0) } }
}
