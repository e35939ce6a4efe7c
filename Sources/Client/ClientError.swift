/// Why a node could not be asked, or what it answered; as sentences.
public enum ClientError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The address is none of a node; what was given.
    case badAddress(String)
    /// No node of the list answered; a sentence for each.
    case noNode([String])
    /// A node refused, in problem details (RFC 9457).
    case refused(status: Int, detail: String)
    /// A node answered something that this program does not understand; which node, and what is wrong.
    case notUnderstood(String, reason: String)
    /// A file could not be fetched or written; the whole sentence.
    case file(String)

    public var description: String {
        switch self {
        case .badAddress(let text):
            "'\(text)' is no address of a node; write it as http://vm1:8480"
        case .noNode(let reasons):
            "no node answers: \(reasons.joined(separator: "; ")). Start one, or name others with --node"
        case .refused(401, let detail):
            "\(detail); give the file of the nodes' token with --token-file"
        case .refused(_, let detail): detail
        case .notUnderstood(let node, let reason):
            "the answer of \(node) is not understood: \(reason); is it an arbutus node of this version?"
        case .file(let sentence): sentence
        }
    }
}
