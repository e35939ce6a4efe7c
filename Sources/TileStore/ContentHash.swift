import Sodium

/// BLAKE2b-256 (RFC 7693): what names tasks and proves blobs.
public struct ContentHash: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    public let bytes: [UInt8]

    public static let byteCount = 32

    /// - Parameter bytes: exactly 32.
    public init(bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "a hash of \(bytes.count) bytes")
        self.bytes = bytes
    }

    /// The hash of `data`.
    public init(of data: UnsafeRawBufferPointer) {
        let hasher = ContentHasher()
        hasher.update(data)
        self = hasher.finish()
    }

    public init(of data: [UInt8]) { self = data.withUnsafeBytes { ContentHash(of: $0) } }

    /// A name that nothing has: for blobs that are kept for a while and never found by content.
    public static func random() -> ContentHash {
        ContentHash(bytes: (0..<byteCount).map { _ in UInt8.random(in: 0 ... .max) })
    }

    /// 64 hexadecimal digits.
    public var description: String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }

    /// Reads 64 hexadecimal digits; nil for anything else.
    public init?(hexadecimal text: some StringProtocol) {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 2 * Self.byteCount, text.utf8.count == digits.count else { return nil }
        bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

/// BLAKE2b-256 over pieces, as they pass by. One thread at a time.
public final class ContentHasher {
    private let hash = Blake2b(digestSize: ContentHash.byteCount)

    public init() {}

    /// Takes the next piece.
    public func update(_ data: UnsafeRawBufferPointer) { hash.update(data) }

    /// The hash; the hasher is used up.
    public func finish() -> ContentHash { ContentHash(bytes: hash.finish()) }
}
