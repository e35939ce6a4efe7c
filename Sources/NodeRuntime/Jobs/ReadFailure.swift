import Cluster
import Foundation
import Raster

// A source that cannot be reached is waited for, and one that is no good is not: another node tries, and
// three that agree give the task up (PROTOCOL.md, section 4). What a node or a server says decides; that a
// file is elsewhere does not.

extension SceneFinder {
    /// What to make of a task that could not read its sources.
    ///
    /// - Parameters:
    ///   - sentences: what the renderer says.
    ///   - addresses: of all files that the task reads, as this node reaches them.
    ///   - began: when the task began.
    func failure(
        _ sentences: [String], reading addresses: [String], since began: ContinuousClock.Instant
    ) -> FailureKind {
        let owners = Set(addresses.compactMap { PeerAddress.split($0).flatMap { NodeID($0.node) } })
        if let trouble = files.trouble(with: owners, since: began) {
            return trouble.passes ? .input(reason: trouble.sentence) : .error(reason: trouble.sentence)
        }
        let sentences = sentences.map(plain)
        let served = sentences.filter { ServerFailure.isAboutServer($0) }
        let hopeless = sentences.first { !ServerFailure.isAboutServer($0) || ServerFailure.isLasting($0) }
        guard hopeless == nil, let first = served.first else {
            return .error(
                reason: ([hopeless].compactMap { $0 } + sentences.filter { $0 != hopeless })
                    .joined(separator: "; "))
        }
        // The next attempt is to ask the servers, and not GDAL's memory of this one.
        for address in addresses where !PeerAddress.isOnDisk(address) { VirtualFile.forget(address) }
        return .input(reason: first)
    }
}

/// What a sentence about a file on a server says of the next attempt.
enum ServerFailure {
    static func isAboutServer(_ sentence: String) -> Bool {
        ["/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiadls"].contains(where: sentence.contains)
    }

    /// Whether the next attempt would end alike: the server refuses the file or has none, or sends one that
    /// is no good. Server errors (5xx), too many requests (429), timeouts and broken connections pass.
    static func isLasting(_ sentence: String) -> Bool {
        if let code = sentence.firstMatch(of: /(?:[Rr]esponse|[Ee]rror)[ _]code ?[:=] ?([0-9]{3})/).flatMap({
            Int($0.1)
        }) {
            return (400..<500).contains(code) && ![408, 425, 429].contains(code)
        }
        let lasting = [
            "not recognized as a supported file format", "when the job was planned",
            "after the job was planned", "Access denied", "AccessDenied", "InvalidAccessKeyId",
            "SignatureDoesNotMatch", "NoSuchKey", "NoSuchBucket", "has no band",
        ]
        return lasting.contains(where: sentence.contains)
    }
}
