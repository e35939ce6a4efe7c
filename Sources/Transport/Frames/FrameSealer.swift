import Cipher

// Sealing takes Noise's own transport cipher, one call a frame, and not libsodium's secretstream: the order
// of frames and the rekeying come with Noise already, a frame needs no stream header, and libcrypto's
// ChaCha20 and Poly1305 take a third of libsodium's time (`ChaChaPoly`).

/// How often both directions change their keys.
enum Rekeying {
    /// Frames under one key: at 256 KiB each that is 256 GiB at most.
    static let frames: UInt64 = 1 << 20
}

/// Seals the frames of one direction.
struct FrameSealer: Sendable {
    private var cipher: CipherState
    private let framesPerKey: UInt64

    init(_ cipher: CipherState, framesPerKey: UInt64 = Rekeying.frames) {
        self.cipher = cipher
        self.framesPerKey = framesPerKey
    }

    /// Bytes of a frame with that payload.
    static func size(payloadCount: Int) -> Int {
        FrameHeader.byteCount + payloadCount + ChaChaPoly.tagByteCount
    }

    /// Writes the whole frame into `output`, which has `size(payloadCount:)` bytes.
    mutating func seal(
        _ kind: FrameKind, stream: UInt32, _ payload: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(NoiseError) {
        precondition(
            output.count == Self.size(payloadCount: payload.count),
            "a frame of \(payload.count) bytes is sealed into \(output.count)")
        let header = UnsafeMutableRawBufferPointer(rebasing: output[..<FrameHeader.byteCount])
        FrameHeader(kind: kind, stream: stream, payloadCount: payload.count).write(to: header)
        try cipher.seal(
            payload, header: UnsafeRawBufferPointer(header),
            into: UnsafeMutableRawBufferPointer(rebasing: output[FrameHeader.byteCount...]))
        if cipher.number % framesPerKey == 0 { cipher.rekey() }
    }
}
