import Foundation
import Testing

@testable import Transport

@Suite struct SceneRootsTests {
    /// A folder with scenes, and beside it what nobody may read.
    private let base = NSTemporaryDirectory() + "arbutus-roots-\(UInt64.random(in: 0 ... .max))"
    private var root: String { base + "/scenes" }
    private var roots: SceneRoots { SceneRoots([root + "/"]) }

    init() throws {
        for folder in ["/scenes/S2A.SAFE/IMG", "/scenes-secret"] {
            try FileManager.default.createDirectory(atPath: base + folder, withIntermediateDirectories: true)
        }
        try Data((0..<1000).map { UInt8($0 % 251) }).write(to: URL(filePath: root + "/S2A.SAFE/IMG/B04.jp2"))
        try Data("secret".utf8).write(to: URL(filePath: base + "/scenes-secret/key"))
        for (link, target) in [
            ("/out", base + "/scenes-secret"), ("/out-file", base + "/scenes-secret/key"),
            ("/in", "S2A.SAFE"),
            ("/self", "self"),
        ] { try FileManager.default.createSymbolicLink(atPath: root + link, withDestinationPath: target) }
        #expect(mkfifo(root + "/pipe", 0o600) == 0)
    }

    private func removeAll() {
        do { try FileManager.default.removeItem(atPath: base) } catch { Issue.record("\(error)") }
    }

    @Test func filesBelowARootAreReadByRange() throws {
        defer { removeAll() }
        let path = root + "/S2A.SAFE/IMG/B04.jp2"
        let status = try roots.status(path)
        #expect((status.size, status.isFolder) == (1000, false))
        #expect(try roots.read(path, version: status.version, offset: 0, count: 3) == [0, 1, 2])
        #expect(try roots.read(path, version: status.version, offset: 998, count: 100) == [245, 246])
        #expect(try roots.read(path, version: status.version, offset: 5000, count: 100) == [])
        #expect(try roots.read(path, version: status.version, offset: 0, count: .max).count == 1000)
        #expect(try roots.status(root).isFolder)
        #expect(try roots.list(root) == ["S2A.SAFE"], "links and pipes are not even named")
        #expect(try roots.list(root + "//S2A.SAFE/") == ["IMG"])
        #expect(throws: SceneRefusal.wrongKind(path)) { try roots.list(path) }
        #expect(throws: SceneRefusal.wrongKind(root)) {
            try roots.read(root, version: 0, offset: 0, count: 1)
        }
    }

    @Test func aChangedFileIsAnotherVersion() throws {
        defer { removeAll() }
        let path = root + "/S2A.SAFE/IMG/B04.jp2"
        let before = try roots.status(path).version
        try Data(repeating: 7, count: 1000).write(to: URL(filePath: path))
        #expect(throws: SceneRefusal.changed(path)) {
            try roots.read(path, version: before, offset: 0, count: 1)
        }
        #expect(try roots.read(path, version: roots.status(path).version, offset: 0, count: 1) == [7])
    }

    @Test func whatLeadsElsewhereIsRefused() throws {
        defer { removeAll() }
        func refusal(_ path: String) -> SceneRefusal? {
            do throws(SceneRefusal) {
                _ = try roots.status(path)
                return nil
            } catch {
                return error
            }
        }
        for path in ["/etc/passwd", base + "/scenes-secret/key", base, "scenes/x", "", "/", root + "\0/x"] {
            #expect(refusal(path) == .outside(path))
        }
        for name in [
            "/../scenes-secret/key", "/S2A.SAFE/../../scenes-secret/key", "/./S2A.SAFE", "/out", "/out/key",
            "/out-file", "/in", "/in/IMG", "/self",
        ] {
            #expect(refusal(root + name) == .detour(root + name), "\(name)")
        }
        #expect(refusal(root + "/pipe") == .wrongKind(root + "/pipe"))
        #expect(refusal(root + "/none") == .absent(root + "/none"))
        #expect(refusal(root + "/S2A.SAFE/IMG/B04.jp2/x") == .absent(root + "/S2A.SAFE/IMG/B04.jp2/x"))
        #expect(SceneRoots(["relative"]).refuses("/etc/passwd"))
        #expect(SceneRoots(["/dev"]).refuses("/dev/zero"))
        #expect(SceneRoots([]).refuses(root))
    }
}

extension SceneRoots {
    fileprivate func refuses(_ path: String) -> Bool {
        do throws(SceneRefusal) {
            _ = try status(path)
            return false
        } catch {
            return true
        }
    }
}
