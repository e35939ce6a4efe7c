import ArgumentParser
import Foundation
import Sample

/// `arbutus sample`: granules to try the program on.
struct SampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Writes realistic synthetic Sentinel-2 granules, for demonstrations and benchmarks.",
        discussion: """
            Two neighbouring tiles seen every five days in turn: mountains, rivers, fields, towns, snow, \
            clouds with their shadows, a swath edge; bands B02 B03 B04 B08 (10 m), B11 B12 SCL (20 m), \
            Level 2A, baseline 05.10 with its offset of -1000. Each granule's labels.json holds the true \
            class shares. The same options give the same bytes on every run.
            """)

    @Option(
        help: ArgumentHelp("The folder that receives a folder for each granule.", valueName: "dir"),
        completion: .directory)
    var out: String

    @Option(help: "Width and height of a granule in pixels of 10 m: even, 64 to 10980 (a whole tile).")
    var size = 1098

    @Option(help: "Another seed is another land with other weather.")
    var seed: UInt32 = 1

    @Option(
        help: "cog: GeoTIFF bands with a STAC item, as Earth Search; safe: JPEG 2000, as ESA ships products.")
    var format = SampleFormat.cog

    @Option(help: "Acquisitions, five days apart, of the two tiles in turn: 1 to 12.")
    var granules = 2

    @Flag(help: "Put the second tile into the next UTM zone, so that a mosaic must warp it.")
    var warp = false

    @Flag(help: "Replace a sample that already lies in the folder.")
    var force = false

    @Flag(help: "Print the granules as JSON.")
    var json = false

    func validate() throws {
        do {
            try options.check()
        } catch let error as SampleError {
            throw ValidationError(error.description)
        }
    }

    func run() throws {
        let begin = ContinuousClock.now
        var shown = ""
        let paths = try SampleWriter(options).write { progress in
            let text = "\(progress.granule): \(progress.activity)"
            if Terminal.canRedraw {
                let percent = String(format: "%3.0f", progress.share * 100)
                Terminal.write("\r\u{1B}[2K\(percent) % \(text)", to: .standardError)
            } else if text != shown && !json {
                Terminal.say(text)
            }
            shown = text
        }
        if Terminal.canRedraw { Terminal.write("\r\u{1B}[2K", to: .standardError) }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try Terminal.print(String(decoding: try encoder.encode(["granules": paths]), as: UTF8.self))
        } else {
            for path in paths { try Terminal.print(path) }
        }
        let seconds = String(format: "%.1f", (ContinuousClock.now - begin) / .seconds(1))
        Terminal.say("\(paths.count) granules of \(size) px in \(seconds) s")
    }

    private var options: SampleOptions {
        SampleOptions(
            outputFolder: out, size: size, granules: granules, seed: seed, format: format, warp: warp,
            force: force)
    }
}

extension SampleFormat: ExpressibleByArgument {}
