import Sodium
import Testing

@testable import Transport

@Suite struct FrameTests {
    private let key = Secret(copying: [UInt8](repeating: 7, count: 32))

    private func seal(
        _ payloads: [(FrameKind, UInt32, [UInt8])], framesPerKey: UInt64 = Rekeying.frames
    ) throws -> [UInt8] {
        var sealer = FrameSealer(CipherState(key: key), framesPerKey: framesPerKey)
        return try payloads.flatMap { kind, stream, payload in
            var frame = [UInt8](repeating: 0, count: FrameSealer.size(payloadCount: payload.count))
            try payload.withUnsafeBytes { payload in
                try frame.withUnsafeMutableBytes { try sealer.seal(kind, stream: stream, payload, into: $0) }
            }
            return frame
        }
    }

    private struct Frame: Equatable {
        let kind: FrameKind
        let stream: UInt32
        let payload: [UInt8]
    }

    private func feed(_ opener: FrameOpener, _ bytes: [UInt8]) throws -> [Frame] {
        var frames: [Frame] = []
        try bytes.withUnsafeBytes { bytes in
            try opener.feed(bytes) { kind, stream, payload in
                frames.append(Frame(kind: kind, stream: stream, payload: Array(payload)))
                return true
            }
        }
        return frames
    }

    private let three: [(FrameKind, UInt32, [UInt8])] = [
        (.control, 0, Array("hello".utf8)), (.data, 0x0102_0304, [UInt8](repeating: 9, count: 3000)),
        (.alive, 0, []),
    ]

    @Test func aFrameIsNineBytesOfHeadThenTheSealedPayload() throws {
        let bytes = try seal(three)
        #expect(Array(bytes[..<9]) == [0, 0, 0, 21, 1, 0, 0, 0, 0])
        #expect(bytes.count == 9 + 21 + 9 + 3016 + 9 + 16)
        #expect(Array(bytes[30..<39]) == [0, 0, 0x0b, 0xc8, 2, 1, 2, 3, 4])
    }

    @Test(arguments: [1, 2, 8, 9, 10, 29, 30, 31, 1000, 5000]) func piecesOfAnySizeGiveTheSameFrames(
        size: Int
    ) throws {
        let bytes = try seal(three)
        let opener = FrameOpener(CipherState(key: key))
        var frames: [Frame] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            frames += try feed(opener, Array(bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(frames == three.map { Frame(kind: $0.0, stream: $0.1, payload: $0.2) })
        #expect(opener.partialCount == 0)
    }

    @Test func bothDirectionsRekeyTogether() throws {
        let many = (0..<10).map { (FrameKind.control, UInt32($0), [UInt8($0)]) }
        let bytes = try seal(many, framesPerKey: 3)
        let frames = try feed(FrameOpener(CipherState(key: key), framesPerKey: 3), bytes)
        #expect(frames.map(\.payload) == many.map(\.2))
        #expect(bytes != (try seal(many)), "the key did not change")
        #expect(throws: FrameError.seal(.notAuthentic)) {
            try feed(FrameOpener(CipherState(key: key), framesPerKey: 4), bytes)
        }
    }

    @Test func changedReorderedReplayedAndLostFramesAreRefused() throws {
        let frames = try [seal([three[0]]), Array(seal(three)[30..<3055]), Array(seal(three)[3055...])]
        let orders = [[1], [0, 0], [0, 2], [1, 0]]
        for order in orders {
            let bytes = order.flatMap { frames[$0] }
            #expect(throws: FrameError.seal(.notAuthentic)) {
                try feed(FrameOpener(CipherState(key: key)), bytes)
            }
        }
        for index in 0..<30 where index > 3 {
            var bytes = frames[0]
            bytes[index] ^= 1
            #expect(throws: FrameError.self, "byte \(index)") {
                _ = try feed(FrameOpener(CipherState(key: key)), bytes + frames[1])
            }
        }
    }

    @Test func lengthsAreCheckedBeforeAnythingIsHeld() throws {
        func header(_ length: UInt32, _ kind: UInt8) -> [UInt8] {
            withUnsafeBytes(of: length.bigEndian) { Array($0) } + [kind, 0, 0, 0, 0]
        }
        let cases: [([UInt8], FrameError)] = [
            (header(.max, 1), .length(.control, Int(UInt32.max))),
            (header((1 << 20) + 17, 1), .length(.control, (1 << 20) + 17)),
            (header((256 << 10) + 17, 2), .length(.data, (256 << 10) + 17)),
            (header(15, 1), .length(.control, 15)),
            (header(0, 4), .length(.alive, 0)),
            (header(81, 3), .length(.goodbye, 81)),
            (header(100, 0), .kind(0)),
            (header(100, 9), .kind(9)),
        ]
        for (bytes, error) in cases {
            let opener = FrameOpener(CipherState(key: key))
            #expect(throws: error) { try feed(opener, bytes) }
            #expect(opener.capacity <= 4096)
        }
        // The longest control frame is announced, and little of it comes: memory follows what came.
        let opener = FrameOpener(CipherState(key: key))
        #expect(try feed(opener, header((1 << 20) + 16, 1) + [UInt8](repeating: 0, count: 5000)) == [])
        #expect(opener.partialCount == 5009)
        #expect(opener.capacity <= 16_384)
    }

    @Test func aReceiverMayHaveHeardEnough() throws {
        let bytes = try seal(three)
        var heard = 0
        let opener = FrameOpener(CipherState(key: key))
        try bytes.withUnsafeBytes { bytes in
            try opener.feed(bytes) { _, _, _ in
                heard += 1
                return false
            }
        }
        #expect(heard == 1)
    }
}
