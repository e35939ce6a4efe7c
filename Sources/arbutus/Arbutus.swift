import ArgumentParser
import Engine
import Foundation
import Mosaic
import Raster

@main
struct Arbutus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "arbutus",
        abstract: "Turns satellite scenes into mosaics of NDVI, NDSI and other indices.",
        discussion: """
            Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partial (some tasks failed; holes are marked), \
            130 stopped, 141 the reader of stdout went away.
            """,
        subcommands: [
            RunCommand.self, PlanCommand.self, ExplainCommand.self, SampleCommand.self, SimulateCommand.self,
            StoreCommand.self, NodeCommand.self, SubmitCommand.self, JobsCommand.self, JobCommand.self,
            WatchCommand.self, CancelCommand.self, ResumeCommand.self, FetchCommand.self, VerifyCommand.self,
            MembersCommand.self, DrainCommand.self, KeyCommand.self, VersionCommand.self,
            RenderTaskCommand.self, MeasureTransferCommand.self,
        ])

    /// Runs the command of this process and ends it with the command's exit code.
    static func main() {
        Terminal.secureStreams()
        LargeBuffers.returnWhenFreed()
        guard let number = undecodable() else {
            Foundation.exit(execute(Array(CommandLine.arguments.dropFirst())))
        }
        let word = Terminal.printable(CommandLine.arguments[number])
        Terminal.say("arbutus: argument \(number), '\(word)', is not UTF-8; rename the file")
        Foundation.exit(ExitStatus.usage)
    }

    /// The first argument whose bytes are no UTF-8: Swift would repair it and look for a file of another
    /// name.
    private static func undecodable() -> Int? {
        (1..<max(1, Int(CommandLine.argc))).first { number in
            CommandLine.unsafeArgv[number].map { String(validatingCString: $0) == nil } ?? false
        }
    }

    /// Runs one command line: data go to stdout, words to stderr.
    ///
    /// - Returns: the exit code that INTERFACES.md promises.
    static func execute(_ arguments: [String]) -> Int32 {
        do {
            var command = try parseAsRoot(GroupedNumbers.joined(arguments))
            try command.run()
            return ExitStatus.done
        } catch {
            let ending = Ending(error)
            if !ending.complaint.isEmpty { Terminal.say(ending.complaint) }
            return ending.output.isEmpty ? ending.status : printed(ending)
        }
    }
}

extension Arbutus {
    /// Prints help or a completion script.
    private static func printed(_ ending: Ending) -> Int32 {
        do {
            try Terminal.print(ending.output)
            return ending.status
        } catch {
            let lost = Ending(error)
            if !lost.complaint.isEmpty { Terminal.say(lost.complaint) }
            return lost.status
        }
    }
}

/// How a command ends; a contract with scripts (INTERFACES.md).
enum ExitStatus {
    static let done: Int32 = 0
    static let failed: Int32 = 1
    static let usage: Int32 = 2
    /// The mosaic was written, with holes where tasks failed.
    static let partial: Int32 = 3
    /// 128 + SIGINT, as shells count.
    static let stopped: Int32 = 130
    /// 128 + SIGPIPE: the reader of stdout went away before it had all.
    static let unread: Int32 = 141
}

/// What is left to say when a command ended with an error, which help and completions do too.
struct Ending: Equatable {
    var status: Int32
    /// For stdout.
    var output = ""
    /// For stderr.
    var complaint = ""

    init(_ error: any Error) {
        switch Arbutus.exitCode(for: error) {
        case .success:
            status = ExitStatus.done
            output = Arbutus.message(for: error)
        case .validationFailure:
            status = ExitStatus.usage
            complaint = "arbutus: " + Arbutus.message(for: error)
            if let hint = Self.hint(error) { complaint += "\n" + hint }
        case let code:
            if let code = error as? ExitCode {
                status = code.rawValue
                return
            }
            switch error {
            case is RequestError, is SettingsError: status = ExitStatus.usage
            case is JobCancelled, is ClientStopped: status = ExitStatus.stopped
            case let lost as LostOutput where lost.isDesired:
                status = ExitStatus.unread
                return
            default: status = code.rawValue
            }
            complaint = "arbutus: " + Terminal.printable(Self.sentence(error))
        }
    }

    /// `See 'arbutus run --help' for more information.`
    private static func hint(_ error: any Error) -> String? {
        let lines = Arbutus.fullMessage(for: error).split(separator: "\n")
        return lines.last { $0.contains("--help'") }.map { $0.drop { $0 == " " }.description }
    }

    /// Our own errors are sentences already; those of Foundation hide theirs.
    private static func sentence(_ error: any Error) -> String {
        type(of: error) is NSError.Type || error is CocoaError ? error.localizedDescription : "\(error)"
    }
}
