import Cluster

/// What survives a process: the facts that were written, and the ways in which disks betray (PROTOCOL section
/// 7, 6).
struct VirtualDisk {
    /// A write takes this long; a kill inside it tears it, and the old fact stays.
    static let writeSpan = Span.milliseconds(2)
    /// Copying a large file with fsync, as measured (PLATFORM).
    static let bytesPerSecond = 500e6

    private(set) var epoch: UInt32 = 0
    private(set) var peers: [NodeID: AliveRecord] = [:]
    private(set) var keys: KeyTable
    var isFull = false
    /// An image of the whole disk, as a virtual machine's snapshot keeps it.
    private var image: (epoch: UInt32, peers: [NodeID: AliveRecord], keys: KeyTable)?

    init(keys: KeyTable) { self.keys = keys }

    /// Writes a fact whole; false when the disk is full.
    mutating func write(_ fact: DurableFact) -> Bool {
        if isFull { return false }
        switch fact {
        case .epoch(let number): epoch = number
        case .keys(let table): keys = table
        case .gone(let id): peers[id] = nil
        case .peer(let record):
            if peers.count < 64 || peers[record.id] != nil { peers[record.id] = record }
        }
        return true
    }

    mutating func takeImage() { image = (epoch, peers, keys) }

    /// Back to the image; false if none was taken.
    mutating func rollBack() -> Bool {
        guard let image else { return false }
        (epoch, peers, keys) = image
        return true
    }

    /// What a process reads when it starts.
    var content: Persisted {
        Persisted(epoch: epoch, peers: peers.values.sorted { $0.id < $1.id }, keys: keys)
    }
}
