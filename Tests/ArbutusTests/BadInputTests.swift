import CGDAL
import Foundation
import Testing

@testable import arbutus

/// What a clumsy user gives the program ends in a sentence, the right exit code, and a clean output folder.
@Suite(.enabled(if: Program.isBuilt, "the arbutus executable does not lie beside the tests"), .serialized)
struct BadInputTests {
    private let scenes: HostileScenes

    init() throws { scenes = try HostileScenes() }

    /// Runs, and expects one sentence with these words, this exit code, and nothing in the output folder.
    private func expectRefusal(
        _ words: [String], _ parts: String..., code: Int32 = 1, location: SourceLocation = #_sourceLocation
    ) throws {
        let ending = try Program.run(words)
        #expect(ending.code == code, sourceLocation: location)
        #expect(ending.output.isEmpty, sourceLocation: location)
        let sentence = ending.words.split(separator: "\n").last { $0.hasPrefix("arbutus: ") } ?? ""
        for part in parts { #expect(sentence.contains(part), "\(sentence)", sourceLocation: location) }
        #expect(try scenes.outputs == [], sourceLocation: location)
    }

    @Test func filesThatAreNoScenes() throws {
        let place = scenes.path
        try Data().write(to: URL(filePath: place + "/zero.tif"))
        try Data("hello world\n".utf8).write(to: URL(filePath: place + "/text.tif"))
        for name in ["zero.tif", "text.tif"] {
            try expectRefusal(
                scenes.words("\(place)/\(name)"), name, "not a raster that GDAL can read", "drop")
        }
        try expectRefusal(
            scenes.words(place + "/no.tif"), "no.tif", "no such file or folder", "check the path")
        #expect(mkfifo(place + "/pipe", 0o600) == 0)
        try expectRefusal(scenes.words(place + "/pipe"), "it is a pipe, a socket or a device")
        let file = try scenes.write("cut.tif")
        try scenes.cut(file, to: 0.0001)
        try expectRefusal(scenes.words(file), "cut.tif: ", "drop the file from the job")
    }

    @Test func rastersThatNoMosaicCanUse() throws {
        try expectRefusal(
            scenes.words(scenes.write("a.tif", crs: nil)), "a.tif", "no coordinate reference system")
        let rotated = try scenes.write("b.tif", transform: [600_000, 9, 3, 5_100_000, 3, -9])
        try expectRefusal(scenes.words(rotated), "b.tif", "rotated", "gdalwarp")
        let southUp = try scenes.write("c.tif", transform: [600_000, 10, 0, 5_100_000, 0, 10])
        try expectRefusal(scenes.words(southUp), "c.tif", "south-up", "gdalwarp")
        try expectRefusal(
            scenes.words(scenes.write("d.tif", type: GDT_CFloat32)), "d.tif", "CFloat32 samples")
        try expectRefusal(scenes.words(scenes.write("e.tif", bands: 1)), "e.tif", "band 2 as nir", "--bands")
    }

    @Test(arguments: [0.3, 0.6, 0.999])
    func aCutSceneLeavesMarkedHolesOrFailsAsAsked(share: Double) throws {
        let file = try scenes.write()
        try scenes.cut(file, to: share)
        try expectRefusal(scenes.words(file, "--on-error", "fail"), "scene.tif at pixel", "restore the file")
        let partial = try Program.run(scenes.words(file, "--json"))
        #expect(partial.code == 3)
        let json = try JSONSerialization.jsonObject(with: Data(partial.output.utf8)) as? [String: Any]
        #expect(json?["state"] as? String == "partial")
        #expect((json?["failures"] as? [String])?.first?.contains("scene.tif at pixel") == true)
        #expect(try scenes.outputs.count == 7)
    }

    @Test func foldersThatCannotTakeOutputs() throws {
        let scene = try scenes.write()
        try Data().write(to: URL(filePath: scenes.out))
        for out in [scenes.out, scenes.out + "/below", "/proc/arbutus"] {
            let ending = try Program.run(scenes.words(scene, "--out", out))
            #expect(ending.code == 1)
            #expect(ending.words.contains("cannot write in the output folder \(out): "))
            #expect(ending.words.contains("choose another with --out"))
        }
    }

    /// A mosaic of one's own mosaics is a likely command; its input must outlive it.
    @Test func anOutputNeverReplacesAnInput() throws {
        let scene = try scenes.write("ndvi.tif")
        let before = try Data(contentsOf: URL(filePath: scene))
        let ending = try Program.run(scenes.words(scene, "--out", scenes.path + "/."))
        #expect(ending.code == 1)
        #expect(ending.words.contains("ndvi.tif: it is one of the files that the job reads"))
        #expect(try Data(contentsOf: URL(filePath: scene)) == before)
    }

    @Test func aFolderInAnOutputsPlaceIsFoundBeforeTheWork() throws {
        let scene = try scenes.write()
        try FileManager.default.createDirectory(
            atPath: scenes.out + "/ndvi.png", withIntermediateDirectories: true)
        let ending = try Program.run(scenes.words(scene))
        #expect(ending.code == 1)
        #expect(ending.words.contains("/ndvi.png: a folder has that name"))
        #expect(try scenes.outputs == ["ndvi.png"])
    }

    @Test(
        arguments: [
            (">&-", 1, "cannot write to stdout"), ("> /dev/full", 1, "No space left"), ("| true", 141, ""),
        ] as [(String, Int32, String)])
    func outputThatDoesNotArriveIsNoSuccess(shell: String, code: Int32, words: String) throws {
        let ending = try Program.run(["run", "--print-request-schema"], shell: shell)
        #expect(ending.code == code)
        #expect(words.isEmpty ? ending.words.isEmpty : ending.words.contains(words))
    }

    /// The next file opened would get the number of a closed stream, and words would end up in it.
    @Test(arguments: ["2>&-", "<&-", "2>&- <&-"])
    func closedStreamsDoNotSpoilTheMosaic(shell: String) throws {
        let scene = try scenes.write()
        _ = try Program.run(scenes.words(scene, "--out", scenes.path + "/plain"))
        let ending = try Program.run(scenes.words(scene, "--store", scenes.path + "/other"), shell: shell)
        #expect(ending.code == 0)
        for name in ["ndvi.tif", "ndvi.png"] {
            let found = try Data(contentsOf: URL(filePath: "\(scenes.out)/\(name)"))
            #expect(try found == Data(contentsOf: URL(filePath: "\(scenes.path)/plain/\(name)")))
        }
    }

    @Test func wordsThatAreNotUTF8() throws {
        let ending = try Program.run(["plan"], shell: "$'/tmp/a\\xff.tif'")
        #expect(ending.code == 2)
        #expect(ending.words.contains("argument 2, '/tmp/a\u{FFFD}.tif', is not UTF-8"))
    }

    @Test func requestsThatCannotBeRead() throws {
        for (path, reason) in [("/nowhere.json", "No such file"), ("/tmp", "Is a directory")] {
            try expectRefusal(
                ["run", "--request", path, "--out", scenes.out], path, reason, "give --request a file",
                code: 2)
        }
    }

    /// A square in degrees around the scene's middle, as GeoJSON.
    private func clip(_ name: String, _ text: String) throws -> String {
        let file = "\(scenes.path)/\(name)"
        try Data(text.utf8).write(to: URL(filePath: file))
        return file
    }

    private func box(_ west: Double, _ south: Double, _ east: Double, _ north: Double) -> String {
        "{\"type\":\"Polygon\",\"coordinates\":[[[\(west),\(south)],[\(east),\(south)],[\(east),\(north)],"
            + "[\(west),\(north)],[\(west),\(south)]]]}"
    }

    @Test func clipsThatCutNothing() throws {
        let scene = try scenes.write()
        let cases = [
            ("not json", "no GeoJSON"),
            ("{\"type\":\"FeatureCollection\",\"features\":[]}", "holds no polygon"),
            ("{\"type\":\"Point\",\"coordinates\":[16.3,46]}", "holds no polygon"),
            ("{\"type\":\"Polygon\",\"coordinates\":[[[16.3,46]]]}", "holds no polygon"),
            (String(repeating: "[", count: 100_000), "no GeoJSON"), (box(1, 1, 2, 2), "outside the mosaic"),
        ]
        for (number, (text, words)) in cases.enumerated() {
            try expectRefusal(scenes.words(scene, "--clip", clip("c\(number)", text)), words, "--clip")
        }
        try expectRefusal(scenes.words(scene, "--clip", scenes.path), "it is a folder")
        try expectRefusal(scenes.words(scene, "--clip", "/nowhere"), "/nowhere", "no such file")
    }

    /// Projected whole, a polygon around the world turns inside out and cuts everything away.
    @Test(arguments: [[-180.0, -90, 180, 90], [-170, 10, 170, 80], [375, 40, 378, 50]])
    func aClipLargerThanTheMosaicCutsNothingAway(corners: [Double]) throws {
        let clip = try clip("large", box(corners[0], corners[1], corners[2], corners[3]))
        let ending = try Program.run(scenes.words(scenes.write(), "--clip", clip, "--json"))
        #expect(ending.code == 0)
        let json = try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any]
        let counts = (json?["products"] as? [[String: Any]])?.first?["counts"] as? [String: Any]
        #expect(counts?["valid"] as? Int == 512 * 512, "\(ending.output)")
    }

    @Test func twoNamesOfOneScene() throws {
        let scene = try scenes.write()
        symlink("scene.tif", scenes.path + "/link.tif")
        try expectRefusal(
            scenes.words(scene, scenes.path + "/link.tif"), "link.tif' are the same; name it once")
    }

    @Test func degreesOffTheGlobe() throws {
        let scene = try scenes.write(crs: 4326, transform: [500, 0.001, 0, 460, 0, -0.001])
        try expectRefusal(scenes.words(scene), "scene.tif", "are not on the globe")
    }

    @Test func absurdSizes() throws {
        let scene = try scenes.write()
        try expectRefusal(scenes.words(scene, "--resolution", "0.000001"), "100 times finer than the scenes")
        try expectRefusal(scenes.words(scene, "--resolution", "1e9"), "is out of range", code: 2)
        try expectRefusal(scenes.words(scene, "--threads", "0"), "--threads", code: 2)
        try expectRefusal(scenes.words(scene, "--memory", "1MB"), "at least 128MB", code: 2)
        try expectRefusal(
            scenes.words(scene, "--bbox", "16.4,45.9,16.2,46.1"), "the long way round the globe", code: 2)
        try expectRefusal(scenes.words(scene, "--range=-1e308,1e308"), "too narrow or too wide", code: 2)
    }

    /// The rest of the product says what its bytes were; nothing else can tell.
    @Test func aChangedByteOfAProductIsFoundWhenAskedFor() throws {
        let made = try Program.run(
            ["sample", "--format", "safe", "--size", "64", "--granules", "1", "--out", scenes.path + "/safe"])
        let product = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
        let words = [
            "run", product, "--out", scenes.out, "--store", scenes.path + "/store", "--verify-inputs",
        ]
        let sound = try Program.run(words)
        #expect(sound.code == 0 && sound.words.contains("3 of 3 input files have the size and the checksum"))
        Program.remove(scenes.out)
        let files = try FileManager.default.subpathsOfDirectory(atPath: product)
        let band = try #require(files.first { $0.hasSuffix("_B08_10m.jp2") })
        var bytes = try Data(contentsOf: URL(filePath: "\(product)/\(band)"))
        bytes[bytes.count * 3 / 4] ^= 1
        try bytes.write(to: URL(filePath: "\(product)/\(band)"))
        try expectRefusal(words, "_B08_10m.jp2 is damaged: its SHA3-256 is ", "download the product again")
        try expectRefusal(["plan"] + words[1...1] + ["--verify-inputs"], "_B08_10m.jp2 is damaged")
    }
}
