import Cipher

// What passes over a link once it stands, each frame sealed under the link's own keys and in their order:
//
//     length 4 | kind 1 | stream 4 | sealed payload, `length` bytes with its tag
//
// The nine bytes in clear are part of the seal. A length is believed only within the kind's limit, and even
// then memory grows with the bytes that arrive.

/// What a frame is for.
public enum FrameKind: UInt8, Sendable, CaseIterable {
    /// A message of the protocol.
    case control = 1
    /// Bulk bytes, raw.
    case data = 2
    /// The link ends on purpose; one byte says why.
    case goodbye = 3
    /// Nothing to say, still here.
    case alive = 4

    /// Bytes of a payload at most.
    public var payloadLimit: Int {
        switch self {
        case .control: 1 << 20
        case .data: 256 << 10
        case .goodbye, .alive: 64
        }
    }
}

/// Why a link's bytes were refused. The link ends with it.
public enum FrameError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A kind that this version does not know.
    case kind(UInt8)
    /// A length beyond the kind's limit, or too short for a seal.
    case length(FrameKind, Int)
    /// The seal does not fit.
    case seal(NoiseError)

    public var description: String {
        switch self {
        case .kind(let kind): "a frame of unknown kind \(kind)"
        case .length(let kind, let length): "a \(kind) frame that claims \(length) bytes"
        case .seal(let error): "a frame: \(error)"
        }
    }
}

/// The part of a frame that is in clear.
struct FrameHeader: Equatable, Sendable {
    static let byteCount = 9

    let kind: FrameKind
    let stream: UInt32
    /// Bytes of the sealed payload, its tag included.
    let sealedCount: Int

    init(kind: FrameKind, stream: UInt32, payloadCount: Int) {
        precondition(
            payloadCount <= kind.payloadLimit, "a \(kind) frame of \(payloadCount) bytes is too long")
        self.kind = kind
        self.stream = stream
        sealedCount = payloadCount + ChaChaPoly.tagByteCount
    }

    /// Reads nine bytes from the network.
    init(_ bytes: UnsafeRawBufferPointer) throws(FrameError) {
        let length = Int(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
        guard let kind = FrameKind(rawValue: bytes[4]) else { throw .kind(bytes[4]) }
        let allowed = ChaChaPoly.tagByteCount...(kind.payloadLimit + ChaChaPoly.tagByteCount)
        guard allowed.contains(length) else { throw .length(kind, length) }
        self.kind = kind
        stream = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 5, as: UInt32.self))
        sealedCount = length
    }

    func write(to memory: UnsafeMutableRawBufferPointer) {
        memory.storeBytes(of: UInt32(sealedCount).bigEndian, as: UInt32.self)
        memory[4] = kind.rawValue
        memory.storeBytes(of: stream.bigEndian, toByteOffset: 5, as: UInt32.self)
    }
}
