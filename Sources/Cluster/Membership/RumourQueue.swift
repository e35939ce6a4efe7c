// Which rumours still have to be told. The queue holds names only; what is said about a member is read from
// the table when the packet is made, so a newer belief replaces an older one without a search.

/// What to gossip about, most urgent class first, within a class the never told before the told
/// (SWIM section 4.1; PROTOCOL section 2: refutation, dead, suspect, alive).
struct RumourQueue: Sendable {
    struct Entry: Equatable, Sendable {
        let subject: NodeID
        /// Equal to the member's `rumour`, or the entry is void.
        let number: UInt32
    }

    /// One first-in first-out list without moving what remains at every removal.
    private struct Line: Sendable {
        var entries: [Entry] = []
        var head = 0
        var count: Int { entries.count - head }

        mutating func popFirst() -> Entry? {
            guard head < entries.count else { return nil }
            let first = entries[head]
            head += 1
            if head == entries.count {
                entries.removeAll(keepingCapacity: true)
                head = 0
            } else if head >= 64, head * 2 >= entries.count {
                entries.removeFirst(head)
                head = 0
            }
            return first
        }
    }

    /// Lines 0…5: deaths never told, told; suspicions; arrivals.
    private var lines = [Line](repeating: Line(), count: 6)
    private var lastNumber: UInt32 = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Queues a rumour and returns the number that makes earlier entries about the subject void.
    mutating func add(_ subject: NodeID, _ standing: Standing) -> UInt32 {
        lastNumber &+= 1
        let line =
            switch standing {
            case .dead, .left: 0
            case .suspect: 2
            case .alive: 4
            }
        lines[line].entries.append(Entry(subject: subject, number: lastNumber))
        count += 1
        return lastNumber
    }

    /// Takes the next entry, and the line that it stood in.
    mutating func next() -> (entry: Entry, line: Int)? {
        guard count > 0 else { return nil }
        for line in lines.indices {
            if let entry = lines[line].popFirst() {
                count -= 1
                return (entry, line)
            }
        }
        return nil
    }

    /// Puts an entry back that did not fit or has rounds left; `told` puts it behind those never told.
    mutating func putBack(_ entry: Entry, line: Int, told: Bool) {
        lines[told ? line | 1 : line].entries.append(entry)
        count += 1
    }

    /// Drops entries that are void, when they have piled up.
    mutating func compact(isCurrent: (Entry) -> Bool) {
        count = 0
        for line in lines.indices {
            let kept = lines[line].entries[lines[line].head...].filter(isCurrent)
            lines[line] = Line(entries: Array(kept))
            count += kept.count
        }
    }
}
