/// Why bytes from another node, or from a disk, are no message.
///
/// All but `unknown` are the sender's fault. What is unknown may be said by a newer version, so the message
/// is ignored and the link stays (PROTOCOL section 6: N and N−1 talk).
public enum WireError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No Protocol Buffers of this message, or nested more deeply than any of ours.
    case malformed(String)
    /// A field without which the message says nothing.
    case missing(String)
    /// A case or a value that this version does not know.
    case unknown(String)
    /// A field outside its bounds, and how.
    case refused(String, String)

    /// A sentence for the log.
    public var description: String {
        switch self {
        case .malformed(let message): "bytes that are no \(message) of the protocol"
        case .missing(let field): "a message without its \(field)"
        case .unknown(let field): "a \(field) that this version does not know; a newer node may send it"
        case .refused(let field, let why): "a message whose \(field) is refused: \(why)"
        }
    }
}
