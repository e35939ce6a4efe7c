import Cluster
import Foundation
import Sodium

// The key file makes a node the same node after a restart. A cloned machine would make two of them, so the
// file names the machine that it was made on, and on another machine a new key is made instead; the old file
// stays beside it, for whoever moved a disk on purpose.
//
//     arbutus node key 1
//     machine 4c4c4544…
//     seed 9d61b19d…

/// A node's key on disk: one file, readable by its owner only.
public struct NodeKeyFile: Sendable {
    /// What `load` found, for the log.
    public enum Origin: Equatable, Sendable, CustomStringConvertible {
        /// The file was there.
        case kept
        /// There was none: this is the node's first start.
        case made
        /// The file was made on another machine; it was moved to this path.
        case replaced(NodeID, keptAt: String)

        public var description: String {
            switch self {
            case .kept: "the node's key was read"
            case .made: "a new node key was made"
            case .replaced(let old, let path):
                "the key of node \(old) was made on another machine, so this machine got a new one; "
                    + "the old key is at \(path), move it back and remove its machine line to use it here"
            }
        }
    }

    /// Why a key could not be read or made; a sentence.
    public struct Failure: Error, Equatable, CustomStringConvertible {
        /// What failed, which file, why, and what to do.
        public let description: String
    }

    /// Where the file is.
    public let path: String
    /// What names this machine; empty where nothing does, and then no machine is wrong.
    public let machine: String

    private static let heading = "arbutus node key 1"

    /// - Parameter machine: what names this machine; `machineName()` in a real node.
    public init(path: String, machine: String) {
        self.path = path
        self.machine = machine.isEmpty ? "" : Self.fingerprint(machine)
    }

    /// systemd's machine id, or the D-Bus one; empty in a container that has neither.
    public static func machineName(
        paths: [String] = ["/etc/machine-id", "/var/lib/dbus/machine-id"]
    ) -> String {
        for path in paths {
            guard let bytes = FileManager.default.contents(atPath: path) else { continue }
            let name = String(decoding: bytes.prefix(128), as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            if !name.isEmpty, name != "uninitialized" { return name }
        }
        return ""
    }

    /// The node's identity, made on the first start.
    ///
    /// - Throws: `Failure` when the file cannot be read or written, can be read by others, or is damaged.
    public func load() throws(Failure) -> (identity: NodeIdentity, origin: Origin) {
        guard let (seed, owner) = try read() else { return (try make(), .made) }
        let identity = NodeIdentity(seed: Secret(copying: seed))
        guard !owner.isEmpty, !machine.isEmpty, owner != machine else { return (identity, .kept) }
        let aside = "\(path).of-\(identity.id)"
        guard rename(path, aside) == 0 else { throw failure("cannot move", "to \(aside)", errno) }
        return (try make(), .replaced(identity.id, keptAt: aside))
    }

    /// The seed and the machine; nil when there is no file.
    private func read() throws(Failure) -> (seed: [UInt8], machine: String)? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("cannot read", "", errno)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure("cannot read", "", errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(description: "the node key \(path) is no file")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw Failure(
                description: "the node key \(path) can be read by others; run chmod 600 on it, "
                    + "or remove it if they may have copied it, and the node becomes a new one")
        }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { throw failure("cannot read", "", errno) }
        return try parse(String(decoding: bytes.prefix(count), as: UTF8.self))
    }

    private func parse(_ text: String) throws(Failure) -> (seed: [UInt8], machine: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
        func field(_ name: String) -> Substring? {
            lines.first { $0.hasPrefix(name + " ") }?.dropFirst(name.count + 1)
        }
        let digits = (field("seed") ?? "").compactMap(\.hexDigitValue)
        guard lines.first == Self.heading[...], digits.count == 2 * SigningKey.seedByteCount else {
            throw Failure(
                description: "the node key \(path) is damaged; restore it from a copy, "
                    + "or remove it, and the node becomes a new one")
        }
        let seed = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        return (seed, String(field("machine") ?? ""))
    }

    /// Whole or not at all: a temporary file, on disk, then its name.
    private func make() throws(Failure) -> NodeIdentity {
        let seed = RandomBytes.make(SigningKey.seedByteCount)
        let digits = seed.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let text = Self.heading + "\n" + (machine.isEmpty ? "" : "machine \(machine)\n") + "seed \(digits)\n"
        let temporary = "\(path).\(getpid()).part"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure("cannot make", "", errno) }
        let bytes = Array(text.utf8)
        let isWritten = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        let reason = errno
        close(file)
        // A link, not a rename: two first starts at once must not both believe that theirs is the key.
        guard isWritten, link(temporary, path) == 0 else {
            let code = isWritten ? errno : reason
            unlink(temporary)
            throw failure("cannot make", "", code)
        }
        unlink(temporary)
        syncFolder()
        return NodeIdentity(seed: Secret(copying: seed))
    }

    private func syncFolder() {
        let folder = open(URL(filePath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    private func failure(_ what: String, _ extra: String, _ code: Int32) -> Failure {
        let words = String(cString: strerror(code))
        return Failure(
            description: "\(what) the node key \(path)\(extra.isEmpty ? "" : " " + extra): \(words); "
                + "check the data folder's owner and its free space")
    }

    /// A hash, so that the machine id, which is meant to be kept to the machine, is not copied about.
    private static func fingerprint(_ machine: String) -> String {
        Blake2b.digest(Array("arbutus machine".utf8), Array(machine.utf8), size: 16)
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
