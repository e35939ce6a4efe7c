import GRDB

/// A failure of the journal as a sentence: what failed, which file, why, what to do.
public struct JournalError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
    /// The disk has no room: the node goes on and takes no new role (PROTOCOL.md, section 3, "No room").
    public let isFull: Bool

    init(_ what: String, _ error: any Error) {
        let failure = error as? DatabaseError
        isFull = failure?.resultCode == .SQLITE_FULL
        let reason = failure?.message ?? "\(error)"
        let remedy =
            switch failure?.resultCode {
            case .SQLITE_FULL: "free some space"
            case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
                "make the folder and let this user write in it"
            case .SQLITE_BUSY, .SQLITE_LOCKED: "another process uses it; end that one first"
            default: "check the disk"
            }
        description = "\(what): \(reason); \(remedy)"
    }
}
