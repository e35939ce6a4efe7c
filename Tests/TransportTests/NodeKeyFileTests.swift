import Foundation
import Testing

@testable import Transport

@Suite struct NodeKeyFileTests {
    private let folder = NSTemporaryDirectory() + "arbutus-key-\(UInt64.random(in: 0 ... .max))"
    private var path: String { folder + "/node.key" }

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func mode() throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? Int) ?? 0
    }

    @Test func aKeyIsMadeOnceAndKeptToItsOwner() throws {
        defer { removeFolder() }
        let first = try NodeKeyFile(path: path, machine: "m1").load()
        #expect(first.origin == .made)
        #expect(try mode() == 0o600)
        let second = try NodeKeyFile(path: path, machine: "m1").load()
        #expect(second.origin == .kept)
        #expect(second.identity.id == first.identity.id)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["node.key"])
        #expect(try !String(contentsOfFile: path, encoding: .utf8).contains("m1"))
    }

    @Test func anotherMachineGetsAnotherKey() throws {
        defer { removeFolder() }
        let first = try NodeKeyFile(path: path, machine: "m1").load().identity.id
        let clone = try NodeKeyFile(path: path, machine: "m2").load()
        #expect(clone.identity.id != first)
        #expect(clone.origin == .replaced(first, keptAt: "\(path).of-\(first)"))
        #expect(clone.origin.description.contains("made on another machine"))
        #expect(try NodeKeyFile(path: path, machine: "").load().identity.id == clone.identity.id)
        #expect(try NodeKeyFile(path: "\(path).of-\(first)", machine: "m1").load().identity.id == first)
    }

    @Test func filesThatOthersReadOrThatAreDamagedAreRefused() throws {
        defer { removeFolder() }
        _ = try NodeKeyFile(path: path, machine: "m1").load()
        chmod(path, 0o644)
        let open = #expect(throws: NodeKeyFile.Failure.self) {
            try NodeKeyFile(path: path, machine: "m1").load()
        }
        #expect(open?.description.contains("chmod 600") == true)
        chmod(path, 0o600)
        for text in [
            "", "arbutus node key 1\nseed 12\n",
            "arbutus node key 2\nseed \(String(repeating: "0", count: 64))",
        ] {
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            let failure = #expect(throws: NodeKeyFile.Failure.self) {
                try NodeKeyFile(path: path, machine: "m1").load()
            }
            #expect(failure?.description.contains("is damaged") == true)
        }
        let nowhere = #expect(throws: NodeKeyFile.Failure.self) {
            try NodeKeyFile(path: folder + "/none/node.key", machine: "m1").load()
        }
        #expect(nowhere?.description.contains("No such file") == true)
    }

    @Test func aMachineIsNamedByTheFirstFileThatSaysSo() throws {
        defer { removeFolder() }
        let (empty, named) = (folder + "/empty", folder + "/named")
        try "\n".write(toFile: empty, atomically: false, encoding: .utf8)
        try "abc\n".write(toFile: named, atomically: false, encoding: .utf8)
        #expect(NodeKeyFile.machineName(paths: [folder + "/none", empty, named]) == "abc")
        #expect(NodeKeyFile.machineName(paths: []) == "")
    }

    @Test func signaturesHoldForTheirPurpose() {
        let identity = Fixture.identity(1)
        let signature = identity.sign([1, 2], purpose: .record)
        #expect(identity.publicKey.verifies(signature, of: [1, 2], purpose: .record))
        #expect(!identity.publicKey.verifies(signature, of: [1, 3], purpose: .record))
        #expect(!identity.publicKey.verifies(signature, of: [1, 2]))
        #expect(!Fixture.identity(2).publicKey.verifies(signature, of: [1, 2], purpose: .record))
        #expect(identity.publicKey.agreementKey == identity.agreementKey.publicKey)
    }

    private func removeFolder() {
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            Issue.record("\(folder) is left behind: \(error)")
        }
    }
}
