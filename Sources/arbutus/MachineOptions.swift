import ArgumentParser
import Engine
import Foundation
import Mosaic

/// What a job may use of this machine, and where its files are.
struct MachineOptions: ParsableArguments {
    @Option(
        parsing: .unconditional, help: ArgumentHelp("Worker threads (default: all cores).", valueName: "n"))
    var threads: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Memory to stay below: 2GB, 512MB, 60% (default: the smaller of 2GB and 60%).", valueName: "size")
    )
    var memory: String?

    @Flag(
        help: ArgumentHelp(
            "Compare the files of SAFE products with their manifests before the start.",
            discussion: """
                Reads every band file that the job uses and compares size and checksum (MD5 or SHA3-256) \
                with the product's manifest.safe. Files that were cut, and damaged GeoTIFFs, are found \
                while reading in any case. A JPEG 2000 file with changed bytes decodes without an error, \
                to wrong pixels: only this option finds it, and nothing does for files outside a product \
                with a manifest.
                """))
    var verifyInputs = false

    @OptionGroup var place: StoreOptions

    /// Does what `--verify-inputs` asks for; says on stderr what was found sound and what nobody can check.
    ///
    /// - Throws: a sentence about the first damaged file.
    func verify(_ plan: MosaicPlan) throws {
        guard verifyInputs else { return }
        for line in try InputCheck.run(plan, threads: threadCount()).lines {
            Terminal.say("arbutus: " + Terminal.printable(line))
        }
    }

    /// What a job may use of this machine.
    func limits() throws -> MachineLimits {
        MachineLimits(threads: try threadCount(), memory: try memoryBytes())
    }

    /// Worker threads, from 1.
    func threadCount(cores: Int = ProcessInfo.processInfo.activeProcessorCount) throws -> Int {
        guard let threads else { return cores }
        guard let count = Int(threads), (1...1024).contains(count) else {
            throw RequestError(
                "--threads \(RequestError.quoted(threads)) is no number of threads; give 1 to 1024")
        }
        return count
    }

    /// Bytes of memory to stay below.
    func memoryBytes(of installed: Int = MemorySize.installed()) throws -> Int {
        guard let memory else { return min(2_000_000_000, MemorySize.share(60, of: installed)) }
        let bytes = try MemorySize.bytes(memory, of: installed)
        guard bytes >= MemorySize.least else {
            throw RequestError("--memory \(memory) is too little to work with; give at least 128MB")
        }
        guard bytes <= installed else {
            throw RequestError(
                "--memory \(memory) is more than this machine has (\(Quantity.bytes(installed))); give less")
        }
        return bytes
    }
}

/// Where decoded results are kept for later runs.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder of finished tasks (default: $XDG_CACHE_HOME/arbutus, else ~/.cache/arbutus).",
            valueName: "dir"),
        completion: .directory)
    var store: String?

    /// The store's folder. A relative `XDG_CACHE_HOME` is ignored (XDG Base Directory Specification).
    func folder(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> String {
        if let store {
            guard !store.isEmpty else { throw RequestError("--store has an empty name; give a folder") }
            return store
        }
        if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return cache + "/arbutus" }
        if let home = environment["HOME"], home.hasPrefix("/") { return home + "/.cache/arbutus" }
        return FileManager.default.homeDirectoryForCurrentUser.path + "/.cache/arbutus"
    }
}

/// Amounts of memory as people write them.
enum MemorySize {
    /// Less than this leaves no room for a task of each thread.
    static let least = 128_000_000

    private static let units: [String: Double] = [
        "": 1, "B": 1, "K": 1e3, "KB": 1e3, "M": 1e6, "MB": 1e6, "G": 1e9, "GB": 1e9, "T": 1e12, "TB": 1e12,
        "KIB": 1024, "MIB": 1_048_576, "GIB": 1_073_741_824, "TIB": 1_099_511_627_776,
    ]

    /// `2GB`, `1.5 GiB`, `512MB`, `60%` or plain bytes.
    static func bytes(_ text: String, of installed: Int) throws -> Int {
        let upper = text.filter { $0 != " " }.uppercased()
        let digits = upper.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = String(upper.dropFirst(digits.count))
        let wrong = RequestError(
            "--memory \(RequestError.quoted(text)) is no size; write for example 2GB, 512MB or 60%")
        guard let number = Double(digits), number.isFinite else { throw wrong }
        if unit == "%" {
            guard number <= 100 else { throw wrong }
            return share(number, of: installed)
        }
        guard let factor = units[unit], number * factor < 1e18 else { throw wrong }
        return Int(number * factor)
    }

    static func share(_ percent: Double, of installed: Int) -> Int { Int(Double(installed) * percent / 100) }

    /// Memory of the machine, or of the control group that this process may not outgrow.
    static func installed() -> Int {
        let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        let known = limits.compactMap { path in
            FileManager.default.contents(atPath: path).flatMap { bytes in
                Int(String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
            }
        }
        return ([Int(ProcessInfo.processInfo.physicalMemory)] + known).min() ?? 0
    }
}
