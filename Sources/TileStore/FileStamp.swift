import Foundation

/// A file as it was at a moment: who writes to it, or puts another one in its place, changes that.
///
/// The kernel dates writes by its clock of some milliseconds a tick, so two of them may bear one date. A mark
/// is a date to the nanosecond, which a later write does not get again.
struct FileStamp: Equatable {
    private let device: UInt64
    private let number: UInt64
    private let bytes: Int64
    private let seconds: Int
    private let nanoseconds: Int

    /// The file now; nil when it cannot be asked.
    init?(of file: Int32) {
        var facts = stat()
        guard fstat(file, &facts) == 0 else { return nil }
        (device, number) = (UInt64(facts.st_dev), UInt64(facts.st_ino))
        (bytes, seconds, nanoseconds) = (
            Int64(facts.st_size), facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec
        )
    }

    /// Dates the file now, and remembers it so; nil when the file system keeps no such date, or refuses.
    init?(marking file: Int32) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        guard futimens(file, [now, now]) == 0, let stamp = FileStamp(of: file),
            stamp.seconds == now.tv_sec, stamp.nanoseconds == now.tv_nsec
        else { return nil }
        self = stamp
    }
}
