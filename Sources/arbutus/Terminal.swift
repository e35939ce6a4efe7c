import Foundation
import Mosaic

/// The two streams of a command: data on stdout, words on stderr.
enum Terminal {
    /// Writes data, with a line end, to stdout.
    static func print(_ text: String) { write(text + "\n", to: .standardOutput) }

    /// Writes words, with a line end, to stderr.
    static func say(_ text: String) { write(text + "\n", to: .standardError) }

    /// Writes all of the text. A reader that has gone away (`arbutus plan … | head`) is no failure of ours.
    static func write(_ text: String, to stream: FileHandle) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes {
                Foundation.write(stream.fileDescriptor, $0.baseAddress, $0.count)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
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
