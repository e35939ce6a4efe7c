// What happens next. Everything in a simulation is an event in this queue, and two events of one moment keep
// the order in which they were made, so a run depends on its seed alone (PROTOCOL section 7, S14).

/// One thing that happens at one moment of true time.
struct Event {
    enum Kind: UInt8 {
        /// `a` = machine, `b` = generation: its node's timer.
        case timer
        /// `a` = packet slot.
        case datagram
        /// `a` = link, `b` = direction: the head of that direction's queue arrives.
        case pump
        /// `a` = dial slot: the first packet of a dial reaches the host.
        case dial
        /// `a` = machine, `b` = slot of an input that waits for this moment.
        case input
        /// `b` = slot of something that a shell does for a job.
        case work
        /// `a` = machine: a stall is over.
        case wake
        /// `a` = index into the schedule.
        case fault
        case sweep
    }

    let time: Int64
    let number: UInt64
    let kind: Kind
    let a: Int32
    let b: Int32

    @inline(__always)
    static func < (x: Event, y: Event) -> Bool {
        x.time < y.time || (x.time == y.time && x.number < y.number)
    }
}

/// A four-ary heap: shallower than a binary one, and its children share a cache line or two.
struct EventQueue {
    private var heap: [Event] = []
    private var made: UInt64 = 0

    var count: Int { heap.count }

    /// The moment of the next event.
    var nextTime: Int64 { heap.first?.time ?? .max }

    mutating func push(_ kind: Event.Kind, at time: Int64, _ a: Int, _ b: Int = 0) {
        made += 1
        let event = Event(
            time: time, number: made, kind: kind, a: Int32(truncatingIfNeeded: a),
            b: Int32(truncatingIfNeeded: b))
        heap.append(event)
        heap.withUnsafeMutableBufferPointer { cells in
            var at = cells.count - 1
            while at > 0 {
                let parent = (at - 1) >> 2
                guard event < cells[parent] else { break }
                cells[at] = cells[parent]
                at = parent
            }
            cells[at] = event
        }
    }

    mutating func pop() -> Event? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        heap.withUnsafeMutableBufferPointer { cells in
            let count = cells.count
            var at = 0
            while true {
                let child = at << 2 + 1
                if child >= count { break }
                var least = child
                var other = child + 1
                while other < min(child + 4, count) {
                    if cells[other] < cells[least] { least = other }
                    other += 1
                }
                guard cells[least] < last else { break }
                cells[at] = cells[least]
                at = least
            }
            cells[at] = last
        }
        return first
    }
}

/// Values that wait in numbered slots, so that events stay small.
struct Slots<Value> {
    private var values: [Value?] = []
    private var free: [Int] = []

    mutating func put(_ value: Value) -> Int {
        if let slot = free.popLast() {
            values[slot] = value
            return slot
        }
        values.append(value)
        return values.count - 1
    }

    mutating func take(_ slot: Int) -> Value {
        guard let value = values[slot] else { preconditionFailure("slot \(slot) of \(Value.self) is empty") }
        values[slot] = nil
        free.append(slot)
        return value
    }
}
