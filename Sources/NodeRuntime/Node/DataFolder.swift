import Foundation

/// A node's folder: journal, key, tile store. One process uses it at a time; the lock ends with the process,
/// however that dies.
struct DataFolder {
    let path: String
    private let lock: Int32

    /// Makes the folder and locks it.
    ///
    /// - Parameter patience: seconds to wait for a process that is shutting down (PROTOCOL.md, section 1).
    /// - Throws: `RuntimeError` when another process keeps the folder, or it cannot be made.
    init(_ path: String, patience: Double = 30) throws {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw RuntimeError(
                "cannot make the data folder \(path): \(error.localizedDescription); choose another with "
                    + "node.data")
        }
        lock = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw RuntimeError(
                "cannot write in the data folder \(path): \(String(cString: strerror(errno))); choose "
                    + "another with node.data")
        }
        let end = Date(timeIntervalSinceNow: patience)
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR, Date() < end else {
                close(lock)
                throw RuntimeError(
                    "another node uses the data folder \(path); stop it, or choose another folder with "
                        + "node.data"
                )
            }
            Thread.sleep(forTimeInterval: 0.1)
        }
    }

    /// Gives the folder free.
    func release() { close(lock) }

    /// A file or folder in it.
    func path(_ name: String) -> String { "\(path)/\(name)" }
}
