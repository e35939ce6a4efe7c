/// Reads an event stream piece by piece (https://html.spec.whatwg.org/multipage/server-sent-events.html).
struct ServerSentEvents {
    /// One event.
    struct Event: Equatable, Sendable {
        var name = "message"
        var data = ""
    }

    /// Of the last event that had one: where to go on after a break.
    private(set) var lastID: String?
    private var line: [UInt8] = []
    private var event = Event()
    private var hasData = false

    /// Bytes of a line at most; a longer one is no event of ours.
    static let lineLimit = 4 << 20

    /// Takes the next bytes.
    ///
    /// - Returns: the events that they complete.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            guard byte == 0x0A else {
                if byte != 0x0D, line.count < Self.lineLimit { line.append(byte) }
                continue
            }
            if let whole = end(of: String(decoding: line, as: UTF8.self)) { events.append(whole) }
            line = []
        }
        return events
    }

    /// A line is complete; an empty one ends an event.
    private mutating func end(of line: String) -> Event? {
        guard !line.isEmpty else {
            defer { (event, hasData) = (Event(), false) }
            return hasData ? event : nil
        }
        guard let colon = line.firstIndex(of: ":") else { return nil }
        var value = line[line.index(after: colon)...]
        if value.first == " " { value = value.dropFirst() }
        switch line[..<colon] {
        case "id": lastID = String(value)
        case "event": event.name = String(value)
        case "data":
            event.data += (hasData ? "\n" : "") + value
            hasData = true
        default: break  // comments, `retry`
        }
        return nil
    }
}
