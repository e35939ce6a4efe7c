import ArgumentParser
import Client
import Foundation
import Mosaic

struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Hands a job to the cluster and prints its id.",
        usage: "arbutus submit <scene> ... [--node <url>] [--watch] [<options>]",
        discussion: """
            Paths are made absolute here and read by the nodes. With --watch the command stays until the \
            job has ended and exits with 0 done, 1 failed, 3 partial; the job goes on when it is stopped.
            """)

    @OptionGroup(title: "Request")
    var request: RequestOptions

    @OptionGroup(title: "Cluster")
    var cluster: ClientOptions

    @Flag(help: "Follow the job to its end.")
    var watch = false

    mutating func run() throws {
        guard try !request.printsOnly() else { return }
        var wanted = try request.validated()
        let here = FileManager.default.currentDirectoryPath
        wanted.makePathsAbsolute(from: here)
        let body = Data(try JSONText.of(wanted).utf8)
        let id = ClusterClient.newJobID()
        let printer = WatchPrinter(.fitting(json: false))
        let follows = watch
        defer { printer.finish() }
        let ending = try cluster.run(stopping: printer.finish) { client -> JobReport? in
            let copies = try await client.submit(body, id: id)
            try Terminal.print(id)
            if copies < 2 {
                Terminal.say(
                    "arbutus: only \(client.node) knows the job so far; it is lost if that node's disk is")
            }
            return follows ? try await JobWatch(client, job: id).run { printer.report($0) } : nil
        }
        printer.finish()
        if let ending { try WatchPrinter.end(ending) }
    }
}

extension MosaicRequest {
    /// Turns the paths of scenes and of the clip into ones that any process understands.
    ///
    /// - Parameter folder: the current one; absolute.
    mutating func makePathsAbsolute(from folder: String) {
        scenes = scenes.map { Self.absolute($0, from: folder) }
        clip = clip.map { Self.absolute($0, from: folder) }
    }

    /// URLs and GDAL's virtual paths stay as they are.
    private static func absolute(_ path: String, from folder: String) -> String {
        if path.hasPrefix("/") || path.contains("://") { return path }
        return URL(filePath: path, relativeTo: URL(filePath: folder, directoryHint: .isDirectory))
            .standardizedFileURL.path
    }
}
