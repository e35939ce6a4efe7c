import Foundation
import Mosaic

/// The two streams of a command: data on stdout, words on stderr.
enum Terminal {
    /// Writes data, with a line end, to stdout.
    ///
    /// - Throws: `LostOutput` when not all of it could be written.
    static func print(_ text: String) throws {
        let failure = write(text + "\n", to: .standardOutput)
        if failure != 0 { throw LostOutput(code: failure) }
    }

    /// Writes words, with a line end, to stderr. Nobody can be told when they do not arrive.
    static func say(_ text: String) { write(text + "\n", to: .standardError) }

    /// Writes all of the text.
    ///
    /// - Returns: 0, or the system's reason why it could not be written.
    @discardableResult
    static func write(_ text: String, to stream: FileHandle) -> Int32 {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes {
                Foundation.write(stream.fileDescriptor, $0.baseAddress, $0.count)
            }
            if written < 0, errno == EINTR { continue }
            if written < 0, errno == EAGAIN {
                // Someone made the terminal non-blocking: wait until it takes more.
                var poll = pollfd(fd: stream.fileDescriptor, events: Int16(POLLOUT), revents: 0)
                Foundation.poll(&poll, 1, -1)
                continue
            }
            guard written > 0 else { return errno }
            bytes = bytes.dropFirst(written)
        }
        return 0
    }

    /// Makes the standard streams safe to use. A stream that the caller closed would give its number to the
    /// next file opened, and words would be written into a mosaic: it is bound to a device that refuses
    /// instead. A reader that goes away must not kill a job in the middle, so that writing fails with `EPIPE`
    /// rather than by signal.
    static func secureStreams() {
        signal(SIGPIPE, SIG_IGN)
        for (number, mode) in [
            (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY),
        ]
        where fcntl(number, F_GETFD) < 0 {
            // The lowest free number is given, and all below it are in use.
            _ = open("/dev/null", mode)
        }
    }

    /// The text with every control character replaced, so that a file's name cannot steer the terminal.
    static func printable(_ text: String) -> String {
        String(
            text.unicodeScalars.map { scalar in
                let isControl = scalar.properties.generalCategory == .control
                return isControl ? "?" : Character(scalar)
            })
    }

    /// Whether stderr is a terminal that can redraw a line.
    static var canRedraw: Bool {
        isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// Whether colours are welcome on stderr (https://no-color.org).
    static var wantsColour: Bool {
        canRedraw && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
    }

    /// Columns of stderr's terminal; 80 when it does not tell.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}

/// What a command had to say on stdout did not arrive.
struct LostOutput: Error, CustomStringConvertible {
    /// The system's reason.
    let code: Int32

    /// The reader has gone away, as `head` does when it has enough: no failure to talk about.
    var isDesired: Bool { code == EPIPE }

    var description: String { "cannot write to stdout: \(String(cString: strerror(code)))" }
}
