import Cluster
import Foundation
import Sodium
import Testing

@testable import Transport

/// Every parser that sees bytes from the network, fed with mutations of what it should see. It may refuse
/// them in any way that it has; it must not trap, hang, or hold memory that the bytes did not earn. A second
/// each; for a longer run set ARBUTUS_FUZZ_SECONDS, and ARBUTUS_FUZZ_SEED for other mutations (both are
/// printed).
@Suite struct FuzzTests {
    private static let seconds =
        ProcessInfo.processInfo.environment["ARBUTUS_FUZZ_SECONDS"].flatMap(Double.init) ?? 1
    private static let seed =
        ProcessInfo.processInfo.environment["ARBUTUS_FUZZ_SEED"].flatMap(UInt64.init) ?? 1

    /// Changes bytes: flips, cuts, doublings, splices, and numbers at their limits.
    struct Mutator {
        var generator: SeededGenerator

        mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
            var result = bytes
            for _ in 0...generator.below(3) { change(&result) }
            return result
        }

        private mutating func change(_ bytes: inout [UInt8]) {
            guard !bytes.isEmpty else {
                bytes = (0..<generator.below(64)).map { _ in UInt8(generator.below(256)) }
                return
            }
            let at = generator.below(bytes.count)
            switch generator.below(8) {
            case 0: bytes[at] ^= 1 << UInt8(generator.below(8))
            case 1: bytes[at] = UInt8(generator.below(256))
            case 2: bytes.removeLast(generator.below(bytes.count) + 1)
            case 3: bytes.removeFirst(at)
            case 4: bytes.insert(contentsOf: bytes[at...].prefix(64), at: at)
            case 5: bytes += (0..<generator.below(300)).map { _ in UInt8(generator.below(256)) }
            case 6: for index in at..<min(at + 4, bytes.count) { bytes[index] = 0xff }
            default: for index in at..<min(at + 8, bytes.count) { bytes[index] = 0 }
            }
        }
    }

    /// Runs `body` with fresh mutators until the time is up.
    private func fuzz(_ what: String, _ body: (inout Mutator) throws -> Void) rethrows {
        var mutator = Mutator(generator: SeededGenerator(seed: Self.seed))
        let end = ContinuousClock.now + .seconds(Self.seconds)
        var runs = 0
        while ContinuousClock.now < end {
            for _ in 0..<20 { try body(&mutator) }
            runs += 20
        }
        print("fuzz: \(what): \(runs) inputs from seed \(Self.seed) in \(Self.seconds) s")
        #expect(runs > 0)
    }

    @Test func datagrams() throws {
        let keys = SealingKeys(Fixture.tableAB)
        let original = SealedDatagram(
            sender: NodeID(short: 1), start: StartID(bits: 2), target: NodeID(short: 3),
            body: [UInt8](repeating: 1, count: 100))
        let packet = try #require(original.sealed(with: keys))
        fuzz("datagrams") { mutator in
            let mutated = mutator.mutate(packet)
            do throws(DatagramError) {
                let opened = try SealedDatagram.open(mutated, with: keys)
                #expect(mutated == packet && opened == original, "a forged datagram was opened")
            } catch {
                #expect(mutated != packet)
            }
        }
    }

    @Test func handshakesAsAnswerer() {
        var meeting = Meeting(Fixture.own(1), Fixture.own(2))
        meeting.run()
        let (first, third) = (meeting.flights[0], meeting.flights[2])
        fuzz("answering") { mutator in
            var answerer = LinkHandshake(answeringAs: Fixture.own(2))
            let mutated = mutator.generator.chance(0.5) ? mutator.mutate(first) : first
            _ = answerer.received(mutated)
            let last = Outcome(answerer.received(mutator.mutate(third)))
            #expect(last.session == nil, "a link without a proof")
        }
    }

    @Test func handshakesAsCaller() {
        var meeting = Meeting(Fixture.own(1), Fixture.own(2))
        meeting.run()
        let answer = meeting.flights[1]
        fuzz("calling") { mutator in
            var (caller, _) = LinkHandshake.call(as: Fixture.own(1, Fixture.tableAB), purpose: .control)
            #expect(Outcome(caller.received(mutator.mutate(answer))).session == nil)
        }
    }

    @Test func whatIsInsideTheHandshake() {
        let good = Introduction(
            publicKey: Fixture.identity(1).publicKey, start: StartID(bits: 1), version: 1, purpose: .bulk,
            features: 7)
        let preamble = Preamble(terms: .current, key: Fixture.keyA)
        fuzz("introductions") { mutator in
            let payload = mutator.mutate(good.bytes)
            do throws(HandshakeFailure) {
                let read = try Introduction(payload)
                #expect(payload.starts(with: read.bytes), "what was read is not what was there")
                _ = NodeID(of: read.publicKey)
                _ = read.publicKey.agreementKey
            } catch {
                #expect(error == .malformed)
            }
            let head = mutator.mutate(preamble.bytes)
            do throws(HandshakeFailure) {
                #expect(try Preamble(head).bytes == Array(head.prefix(Preamble.byteCount)))
            } catch {
                #expect(error == .malformed || error == .otherProtocol)
            }
        }
    }

    @Test func frames() throws {
        let key = Secret(copying: [UInt8](repeating: 7, count: 32))
        var sealer = FrameSealer(CipherState(key: key))
        var stream: [UInt8] = []
        for size in [0, 5, 300, 5000] {
            var frame = [UInt8](repeating: 0, count: FrameSealer.size(payloadCount: size))
            try [UInt8](repeating: 3, count: size).withUnsafeBytes { payload in
                try frame.withUnsafeMutableBytes {
                    try sealer.seal(.control, stream: UInt32(size), payload, into: $0)
                }
            }
            stream += frame
        }
        fuzz("frames") { mutator in
            let mutated = mutator.mutate(stream)
            let opener = FrameOpener(CipherState(key: key))
            var (rest, sizes) = (mutated[...], [Int]())
            do throws(FrameError) {
                while !rest.isEmpty {
                    let piece = Array(rest.prefix(1 + mutator.generator.below(2000)))
                    rest = rest.dropFirst(piece.count)
                    let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 1)
                    defer { raw.deallocate() }
                    raw.copyBytes(from: piece)
                    try opener.feed(UnsafeRawBufferPointer(raw)) { _, _, payload in
                        sizes.append(payload.count)
                        return true
                    }
                }
            } catch {
                #expect(mutated != stream)
            }
            #expect([0, 5, 300, 5000].starts(with: sizes), "a forged frame was opened")
            #expect(opener.capacity <= 2 * max(mutated.count, 8192) + 4096)
        }
    }

    @Test func keyFilesAndAddresses() throws {
        let folder = NSTemporaryDirectory() + "arbutus-fuzz-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/node.key"
        let id = try NodeKeyFile(path: path, machine: "m").load().identity.id
        let good = try #require(FileManager.default.contents(atPath: path))
        try fuzz("key files and addresses") { mutator in
            try Data(mutator.mutate(Array(good))).write(to: URL(filePath: path))
            chmod(path, 0o600)
            do throws(NodeKeyFile.Failure) {
                _ = try NodeKeyFile(path: path, machine: "").load()
            } catch {
                #expect(error.description.contains(path))
            }
            let text = String(decoding: mutator.mutate(Array("[fe80::1]:7480".utf8)), as: UTF8.self)
            if let parts = Address(text).parts { #expect((1...65_535).contains(parts.port)) }
        }
        try FileManager.default.removeItem(atPath: folder)
        #expect(id != NodeID(short: 0))
    }
}
