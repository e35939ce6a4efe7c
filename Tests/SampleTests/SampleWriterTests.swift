import Foundation
import Mosaic
import Raster
import Testing

@testable import Sample

@Suite struct SampleWriterTests {
    /// A folder that is gone when the test is over.
    private final class Scratch {
        let path = FileManager.default.temporaryDirectory.path + "/arbutus-sample-\(UUID().uuidString)"

        init() throws {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }

        deinit {
            do { try FileManager.default.removeItem(atPath: path) } catch { print("left \(path): \(error)") }
        }
    }

    /// Every file below a folder with its bytes.
    private func contents(_ folder: String) throws -> [String: Data] {
        let walk = try #require(FileManager.default.enumerator(atPath: folder))
        var files: [String: Data] = [:]
        for case let path as String in walk {
            guard walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular else { continue }
            files[path] = FileManager.default.contents(atPath: "\(folder)/\(path)")
        }
        return files
    }

    @Test(arguments: SampleFormat.allCases)
    func theSameOptionsGiveTheSameBytes(_ format: SampleFormat) throws {
        let scratch = try Scratch()
        for name in ["a", "b"] {
            let options = SampleOptions(outputFolder: "\(scratch.path)/\(name)", size: 130, format: format)
            _ = try SampleWriter(options).write()
        }
        let first = try contents("\(scratch.path)/a")
        #expect(try first == contents("\(scratch.path)/b"))
        #expect(first.count == (format == .cog ? 2 * 9 : 2 * 11))
        let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
        #expect(left.sorted() == ["a", "b"])
    }

    @Test func aFolderOfBandsHasTheGridsAndTheLabelsCount() throws {
        let scratch = try Scratch()
        let options = SampleOptions(outputFolder: "\(scratch.path)/s", size: 200, seed: 5)
        let paths = try SampleWriter(options).write()
        #expect(
            paths.map { ($0 as NSString).lastPathComponent } == [
                "S2A_33TWM_20240710_0_L2A", "S2B_33TXM_20240715_0_L2A",
            ])
        for (path, left) in zip(paths, [499_980, 499_980 + 182 * 10]) {
            for (band, resolution) in [("B02", 10), ("B08", 10), ("B11", 20), ("SCL", 20)] {
                let dataset = try Dataset(opening: "\(path)/\(band).tif")
                #expect(dataset.size == (2000 / resolution, 2000 / resolution))
            }
            let data = try #require(FileManager.default.contents(atPath: "\(path)/labels.json"))
            let labels = try JSONDecoder().decode(GranuleLabels.self, from: data)
            #expect(labels.sclPixels.reduce(0, +) == 100 * 100)
            #expect(labels.ndvi.validPixels > 0 && abs(labels.ndvi.mean) <= 1)
            let name = (path as NSString).lastPathComponent
            let item = try #require(FileManager.default.contents(atPath: "\(path)/\(name).json"))
            let text = String(decoding: item, as: UTF8.self)
            #expect(text.contains("\"earthsearch:boa_offset_applied\" : false"))
            #expect(text.contains("\"offset\" : -0.1"))
            #expect(text.contains("\(left)"))
        }
    }

    @Test func bothGranulesShowTheSameLandWhereTheyOverlap() throws {
        let options = SampleOptions(outputFolder: "unused", size: 1000)
        let west = try Granule(0, of: options)
        let east = try Granule(1, of: options)
        let shift = (east.originX - west.originX) / 10
        #expect(shift == 910)
        #expect(west.position(x: Double(shift) + 3.5, y: 7.5) == east.position(x: 3.5, y: 7.5))
        let land = Landscape(size: 1000, seed: 1)
        let at = east.position(x: 3, y: 4)
        #expect(land.relief(at.x, at.y).elevation == land.relief(at.x, at.y).elevation)
    }

    @Test func theNeighbourInTheNextZoneLiesBeside() throws {
        let options = SampleOptions(outputFolder: "unused", size: 10_980, warp: true)
        let west = try Granule(0, of: options)
        let east = try Granule(1, of: options)
        #expect(west.crs == CRS("EPSG:32633") && east.crs == CRS("EPSG:32634"))
        // The centre of the eastern granule lies 10002 pixels east of that of the western.
        let centre = east.position(x: 5490, y: 5490)
        #expect(abs(centre.x - Landscape.origin - 5490 - 10_002) < 2)
        #expect(abs(centre.y - Landscape.origin - 5490) < 2)
        // Between the nodes the bilinear way is within half a metre of PROJ's.
        let there = try CoordinateTransform(from: east.crs, to: west.crs)
        let pixel = (x: 1234.5, y: 9876.5)
        let exact = try #require(
            there.transform(x: Double(east.originX) + pixel.x * 10, y: Double(east.originY) - pixel.y * 10))
        let ours = east.position(x: pixel.x, y: pixel.y)
        #expect(abs(ours.x - Landscape.origin - (exact.x - Double(west.originX)) / 10) < 0.05)
        #expect(abs(ours.y - Landscape.origin - (Double(west.originY) - exact.y) / 10) < 0.05)
    }

    @Test func aFolderWithSomethingElseIsLeftAlone() throws {
        let scratch = try Scratch()
        try Data("mine".utf8).write(to: URL(filePath: "\(scratch.path)/letter.txt"))
        var options = SampleOptions(outputFolder: scratch.path, size: 64, granules: 1)
        #expect(throws: SampleError.self) { try SampleWriter(options).write() }
        options.force = true
        let error = #expect(throws: SampleError.self) { try SampleWriter(options).write() }
        #expect(error?.description.contains("letter.txt, which is no granule of a sample") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["letter.txt"])
    }

    @Test func aSampleIsReplacedByForceOnly() throws {
        let scratch = try Scratch()
        var options = SampleOptions(outputFolder: "\(scratch.path)/s/", size: 64, granules: 1)
        _ = try SampleWriter(options).write()
        options.seed = 2
        #expect(throws: SampleError.self) { try SampleWriter(options).write() }
        options.force = true
        _ = try SampleWriter(options).write()
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["s"])
    }

    @Test(arguments: [(63, 2), (0, 2), (-4, 2), (10_982, 2), (101, 2), (128, 0), (128, 13)])
    func impossibleSizesAreRefused(_ size: Int, _ granules: Int) {
        let options = SampleOptions(outputFolder: "unused", size: size, granules: granules)
        #expect(throws: SampleError.self) { try SampleWriter(options).write() }
    }
}

@Suite struct GranuleNamesTests {
    @Test func squaresAreThoseOfTheMilitaryGrid() {
        #expect(GranuleNames.square(zone: 33, x: 510_000, y: 5_190_000) == "WM")
        #expect(GranuleNames.square(zone: 33, x: 610_000, y: 5_190_000) == "XM")
        #expect(GranuleNames.square(zone: 34, x: 310_000, y: 5_190_000) == "CS")
        #expect(GranuleNames.square(zone: 10, x: 410_000, y: 5_490_000) == "DV")
    }

    @Test func theProductIsNamedAsESADoes() throws {
        let names = GranuleNames(try Granule(0, of: SampleOptions(outputFolder: "unused")))
        #expect(names.product == "S2A_MSIL2A_20240710T095031_N0510_R079_T33TWM_20240710T142512.SAFE")
        #expect(names.item == "S2A_33TWM_20240710_0_L2A")
        #expect(names.datatake == "GS2A_20240710T095031_047280_N05.10")
    }
}
