import Mosaic

/// How much of this machine a job may use.
public struct MachineLimits: Sendable {
    /// Worker threads, at least 1.
    public var threads: Int
    /// Bytes.
    public var memory: Int

    public init(threads: Int, memory: Int) {
        self.threads = threads
        self.memory = memory
    }
}

/// Where a job stands, for a progress line.
public struct JobProgress: Sendable, Hashable {
    /// What the workers do now.
    public enum Phase: String, Sendable, Codable { case rendering, assembling }

    public var phase = Phase.rendering
    public var tasksTotal = 0
    /// Reused and failed ones included.
    public var tasksDone = 0
    /// Found in the store.
    public var tasksReused = 0
    public var tasksFailed = 0
    public var pixelsTotal = 0
    public var pixelsDone = 0
    /// Compressed bytes read from sources.
    public var bytesRead = 0
    /// Output bytes written, and how many there will be about; only while assembling.
    public var bytesWritten = 0
    public var bytesExpected = 0

    public init() {}
}

/// What a job came to.
public struct JobSummary: Sendable, Codable {
    /// `partial`: some tasks could not be made, and their pixels are marked.
    public enum State: String, Sendable, Codable { case done, partial }

    /// One output index.
    public struct Product: Sendable, Codable {
        public var name: String
        public var counts: ReasonCounts
        /// Over the valid pixels; nil when there is none.
        public var minimum: Double?
        public var maximum: Double?
        public var mean: Double?
        public var standardDeviation: Double?
        /// Names in the output folder.
        public var files: [String]
    }

    public var state: State
    public var output: String
    /// Names of all files written there, in the order of their making.
    public var files: [String]
    public var columns: Int
    public var rows: Int
    public var crs: String
    public var products: [Product]
    /// Wall time from the end of planning.
    public var seconds: Double
    /// Of these, the phase that reads, renders and compresses tasks.
    public var renderSeconds: Double
    public var bytesRead: Int
    /// Bytes of all output files.
    public var bytesWritten: Int
    public var tasks: Int
    public var tasksReused: Int
    public var tasksFailed: Int
    /// Source blocks decoded; each block once when the cache sufficed.
    public var blocksDecoded: Int
    /// Sentences about sources that could not be read.
    public var failures: [String]
    public var warnings: [String]
}
