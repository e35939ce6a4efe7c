import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Raster
@testable import Scenes

/// The disk of this machine, as if it were another node's.
private struct DiskSource: PeerFileSource {
    func status(node: String, path: String) throws -> PeerFileStatus? {
        guard node == "5f1c", let found = VirtualFile.status(path) else { return nil }
        return PeerFileStatus(
            size: found.isFolder ? 0 : found.size, modified: found.modified, isFolder: found.isFolder,
            version: 1)
    }

    func read(node: String, path: String, version: UInt64, offset: Int, count: Int) throws -> [UInt8] {
        let bytes = try VirtualFile.read(path, limit: 16 << 20)
        return Array(bytes[min(offset, bytes.count)..<min(offset + count, bytes.count)])
    }

    func list(node: String, path: String) throws -> [String] { try VirtualFile.list(path) }
}

/// Scenes on another node's disk are what they are on its own (issue 4, /vsipeer).
@Suite struct PeerScenesTests {
    private let folder: TemporaryFolder
    private let needed: Set = ["red", "nir", "swir16"]

    init() throws {
        folder = try TemporaryFolder()
        PeerFileSystem.use(DiskSource(), onlyFor: "5f1c")
    }

    private func pixels(_ address: String) throws -> [UInt16] {
        let dataset = try #require(GDALOpen(address, GA_ReadOnly), "cannot open \(address)")
        defer { GDALClose(dataset) }
        let (width, height) = (GDALGetRasterXSize(dataset), GDALGetRasterYSize(dataset))
        var samples = [UInt16](repeating: 0, count: Int(width * height))
        let code = GDALRasterIO(
            GDALGetRasterBand(dataset, 1), GF_Read, 0, 0, width, height, &samples, width, height, GDT_UInt16,
            0,
            0)
        #expect(code == CE_None)
        return samples
    }

    private func expectSame(_ local: Scene, _ remote: Scene) throws {
        #expect(remote.id == local.id)
        #expect(remote.datatake == local.datatake)
        #expect(remote.bands.keys.sorted() == local.bands.keys.sorted())
        #expect(remote.warnings == local.warnings)
        let (mask, otherMask) = (try #require(local.classification), try #require(remote.classification))
        #expect(try pixels(otherMask.file.address) == pixels(mask.file.address))
        for (name, band) in local.bands {
            let other = try #require(remote.bands[name])
            #expect(other.grid == band.grid)
            #expect(other.radiometry == band.radiometry)
            #expect(other.file.address.contains("/vsipeer/5f1c/"))
            #expect(try pixels(other.file.address) == pixels(band.file.address))
        }
    }

    @Test func aSAFEProductOfAnotherNodeIsTheSame() throws {
        let path = try TinySafe.write(in: folder)
        let local = try resolve(path, needed: needed)[0]
        try expectSame(
            local, try resolve(PeerFileSystem.address(node: "5f1c", path: path), needed: needed)[0])
    }

    @Test func aZippedProductOfAnotherNodeIsTheSame() throws {
        try TinySafe.write(in: folder)
        let zip = "\(folder.path)/product.zip"
        try folder.zip(TinySafe.name, to: zip)
        let local = try resolve(zip, needed: needed)[0]
        try expectSame(local, try resolve(PeerFileSystem.address(node: "5f1c", path: zip), needed: needed)[0])
    }

    @Test func aProductThatIsNotThereIsSaidInASentence() throws {
        let missing = PeerFileSystem.address(node: "77", path: "/data/none.SAFE")
        #expect(sentence { try resolve(missing) }.contains(missing))
    }
}
