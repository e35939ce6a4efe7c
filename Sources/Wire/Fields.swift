import Cluster
internal import SwiftProtobuf

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

// The small steps of every conversion. Those towards the core check; those towards the wire always succeed.

/// Bounds of the wire format that the core does not state itself.
public enum WireLimit {
    /// One past the highest index of a task. The planner makes at most 4,000,000.
    public static let tasks = 1 << 22
    /// Bytes of a reason, a note or another sentence for people.
    public static let sentence = 1024
    /// Seconds a unit of predicted cost.
    public static let secondsPerCost = 1e9
    /// The longest time that one message tells of: a hundred years.
    static let microseconds: UInt64 = 100 * 31_557_600 * 1_000_000
    /// Messages inside each other; ours need five.
    static let depth = 8
}

enum Field {
    /// Reads a whole message. Fields that this version does not know are skipped.
    static func read<Proto: SwiftProtobuf.Message>(
        _ type: Proto.Type, _ bytes: [UInt8], _ name: String
    ) throws(WireError) -> Proto {
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = WireLimit.depth
        options.discardUnknownFields = true
        do {
            return try Proto(serializedBytes: bytes, partial: true, options: options)
        } catch {
            throw .malformed(name)
        }
    }

    /// A message's bytes. Ours have no required fields and no `Any`, so that only a message of 2 GiB could
    /// fail.
    static func write(_ message: some SwiftProtobuf.Message) -> [UInt8] {
        do {
            return try message.serializedBytes()
        } catch {
            preconditionFailure("a message cannot be encoded: \(error)")
        }
    }

    /// The value of an optional field that has to be there.
    static func given<Value>(_ isGiven: Bool, _ value: Value, _ name: String) throws(WireError) -> Value {
        guard isGiven else { throw .missing(name) }
        return value
    }

    /// The value of a case that has to be there. None: a newer version's case, or nothing at all.
    static func known<Value>(_ value: Value?, _ name: String) throws(WireError) -> Value {
        guard let value else { throw .unknown(name) }
        return value
    }

    static func node(_ isGiven: Bool, _ value: UInt64, _ name: String) throws(WireError) -> NodeID {
        NodeID(short: try given(isGiven, value, name))
    }

    /// 32 bytes.
    static func digest(_ bytes: Data, _ name: String) throws(WireError) -> Digest {
        if bytes.isEmpty { throw .missing(name) }
        guard bytes.count == 32 else { throw .refused(name, "\(bytes.count) bytes instead of 32") }
        return digests(bytes)[0]
    }

    static func digest(_ isGiven: Bool, _ bytes: Data, _ name: String) throws(WireError) -> Digest? {
        isGiven ? try digest(bytes, name) : nil
    }

    /// Whole digests, one after the other.
    static func digests(_ bytes: Data) -> [Digest] {
        bytes.withUnsafeBytes { raw in
            (0..<raw.count / 32).map { index in
                func word(_ number: Int) -> UInt64 {
                    UInt64(
                        bigEndian: raw.loadUnaligned(fromByteOffset: index * 32 + number * 8, as: UInt64.self)
                    )
                }
                return Digest(word(0), word(1), word(2), word(3))
            }
        }
    }

    /// 16 bytes.
    static func job(_ bytes: Data, _ name: String) throws(WireError) -> JobID {
        if bytes.isEmpty { throw .missing(name) }
        guard bytes.count == 16 else { throw .refused(name, "\(bytes.count) bytes instead of 16") }
        return jobs(bytes)[0]
    }

    /// Whole job ids, one after the other.
    static func jobs(_ bytes: Data) -> [JobID] {
        bytes.withUnsafeBytes { raw in
            (0..<raw.count / 16).map { index in
                func word(_ number: Int) -> UInt64 {
                    UInt64(
                        bigEndian: raw.loadUnaligned(fromByteOffset: index * 16 + number * 8, as: UInt64.self)
                    )
                }
                return JobID(high: word(0), low: word(1))
            }
        }
    }

    static func task(_ index: UInt32, _ name: String) throws(WireError) -> TaskID {
        guard index < WireLimit.tasks else { throw .refused(name, "no plan has a task \(index)") }
        return TaskID(Int(index))
    }

    static func tasks(_ bytes: Data, _ name: String) throws(WireError) -> TaskSet {
        guard let set = TaskSet(decoding: [UInt8](bytes), count: WireLimit.tasks) else {
            throw .refused(name, "no set of tasks")
        }
        return set
    }

    static func results(
        _ results: ProtoResults, most: Int, _ name: String
    ) throws(WireError) -> [TaskResult] {
        try count(results.tasks.count, most: most, name)
        guard results.digests.count == results.tasks.count * 32 else {
            throw .refused(name, "\(results.digests.count) bytes of digests for \(results.tasks.count) tasks")
        }
        var pairs: [TaskResult] = []
        for (index, digest) in zip(results.tasks, digests(results.digests)) {
            pairs.append(TaskResult(task: try task(index, name), digest: digest))
        }
        return pairs
    }

    static func text(_ text: String, most: Int, _ name: String) throws(WireError) -> String {
        let count = text.utf8.count
        guard count <= most else { throw .refused(name, "\(count) bytes, more than \(most)") }
        return text
    }

    static func speed(_ secondsPerCost: Double, _ name: String) throws(WireError) -> Double {
        guard secondsPerCost >= 0, secondsPerCost <= WireLimit.secondsPerCost else {
            throw .refused(name, "\(secondsPerCost) seconds a unit of cost")
        }
        return secondsPerCost
    }

    static func rate(_ bytesPerSecond: Double, _ name: String) throws(WireError) -> Double {
        guard bytesPerSecond >= 0, bytesPerSecond <= LinkMeasure.fastest else {
            throw .refused(name, "\(bytesPerSecond) bytes a second")
        }
        return bytesPerSecond
    }

    static func span(_ microseconds: UInt64, _ name: String) throws(WireError) -> Span {
        guard microseconds <= WireLimit.microseconds else { throw .refused(name, "over a hundred years") }
        return Span(nanoseconds: Int64(microseconds) * 1000)
    }

    static func count(_ count: Int, most: Int, _ name: String) throws(WireError) {
        guard count <= most else { throw .refused(name, "\(count) of them, more than \(most)") }
    }

    static func int(_ value: UInt64, _ name: String) throws(WireError) -> Int {
        guard let int = Int(exactly: value) else { throw .refused(name, "\(value) is too large") }
        return int
    }

    static func version(
        _ epoch: UInt32, _ incarnation: UInt32, _ name: String
    ) throws(WireError) -> Cluster.Version {
        let version = Cluster.Version(epoch: epoch, incarnation: incarnation)
        guard version.isPlausible else { throw .refused(name, "version \(version) cannot be") }
        return version
    }
}

extension Data {
    init(_ digest: Digest) { self.init([digest]) }

    init(_ digests: some Collection<Digest>) {
        self.init(capacity: 32 * digests.count)
        for digest in digests {
            for word in [digest.words.0, digest.words.1, digest.words.2, digest.words.3] { append(word) }
        }
    }

    init(_ job: JobID) { self.init([job]) }

    init(_ jobs: some Collection<JobID>) {
        self.init(capacity: 16 * jobs.count)
        for job in jobs {
            append(job.high)
            append(job.low)
        }
    }

    init(_ tasks: TaskSet) { self.init(tasks.encoded) }

    private mutating func append(_ word: UInt64) {
        Swift.withUnsafeBytes(of: word.bigEndian) { append(contentsOf: $0) }
    }
}

extension Span {
    /// Whole microseconds, as times are told; never negative.
    var microseconds: UInt64 { UInt64(max(0, nanoseconds / 1000)) }
}

extension TaskID {
    var wire: UInt32 { UInt32(clamping: index) }
}

extension ProtoResults {
    init(_ results: [TaskResult]) {
        self.init()
        tasks = results.map(\.task.wire)
        digests = Data(results.map(\.digest))
    }
}

extension String {
    /// At most as many bytes as a sentence may have; a longer one loses its end.
    var sentence: String {
        guard utf8.count > WireLimit.sentence else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: WireLimit.sentence - 3)
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end]) + "…"
    }
}
