import Foundation

/// A process of ours that ends when we say so.
struct ChildProcess {
    let id: pid_t

    /// How it ended.
    enum Ending: Equatable, CustomStringConvertible {
        case exited(Int32)
        case killed(signal: Int32)

        var description: String {
            switch self {
            case .exited(let code): "exit code \(code)"
            case .killed(let signal): "signal \(signal), \(String(cString: strsignal(signal)))"
            }
        }
    }

    /// Starts a command that has one descriptor of ours as its standard input, and our standard error as both
    /// outputs. Our other files and sockets close by themselves (`O_CLOEXEC`).
    ///
    /// - Parameter command: the program's path and its arguments.
    /// - Throws: `RuntimeError` when the system does not start it.
    init(_ command: [String], input: Int32) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, 2, 1)
        let words = command.map { strdup($0) }
        // A trace of its stack would take longer than the task; what it died of, its end tells.
        let own = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        let environment = own.map { strdup("\($0.key)=\($0.value)") }
        defer { for text in words + environment { free(text) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, command[0], &actions, nil, words + [nil], environment + [nil])
        guard code == 0 else {
            throw RuntimeError(
                "cannot start \(command[0]) for a task that processes died of: "
                    + "\(String(cString: strerror(code))); check the installation and the machine's memory")
        }
        self.id = id
    }

    func kill() { Foundation.kill(id, SIGKILL) }

    /// Waits for the end.
    func wait() -> Ending {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7f
        return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal)
    }
}
