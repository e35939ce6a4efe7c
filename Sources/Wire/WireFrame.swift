import Cluster

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The payload of a control frame on a link.
public enum WireFrame {
    /// The payload's bytes.
    public static func encode(_ frame: Frame) -> [UInt8] {
        var proto = ProtoFrame()
        proto.says =
            switch frame {
            case .hello(let record, let root, let keys, let rumour, let seenAt):
                .hello(ProtoHello(record, root, keys: keys, ofYou: rumour, seenAt: seenAt))
            case .packet(let message, let rumours): .packet(ProtoDatagram(message, rumours))
            case .buckets(let digests): .buckets(.with { $0.digests = digests })
            case .entries(let entries, let wanted):
                .entries(
                    .with {
                        $0.entries = entries.map(ProtoTableEntry.init)
                        $0.wanted = Data(wanted)
                    })
            case .keys(let table): .keys(ProtoKeyTable(table))
            case .job(let message): .job(ProtoJobMessage(message))
            case .book(let message): .book(ProtoBookMessage(message))
            }
        return Field.write(proto)
    }

    /// Reads a payload. Signatures of records are not verified.
    public static func decode(_ bytes: [UInt8]) throws(WireError) -> Frame {
        let proto = try Field.read(ProtoFrame.self, bytes, "frame")
        switch try Field.known(proto.says, "frame") {
        case .hello(let hello): return try hello.core()
        case .packet(let packet):
            let (message, rumours) = try packet.core()
            return .packet(message, rumours)
        case .buckets(let buckets):
            try Field.count(buckets.digests.count, most: 256, "buckets.digests")
            return .buckets(buckets.digests)
        case .entries(let entries):
            try Field.count(entries.wanted.count, most: 256, "entries.wanted")
            var rows: [TableEntry] = []
            for entry in entries.entries { rows.append(try TableEntry(entry)) }
            return .entries(rows, wanted: [UInt8](entries.wanted))
        case .keys(let table): return .keys(try KeyTable(table))
        case .job(let message): return .job(try JobMessage(message))
        case .book(let message): return .book(try BookMessage(message))
        }
    }

    /// The records in a frame, whose signatures the shell verifies before the core sees the frame.
    public static func records(in frame: Frame) -> [AliveRecord] {
        switch frame {
        case .hello(let record, _, _, let rumour, _): [record] + records(in: rumour.map { [$0] } ?? [])
        case .packet(_, let rumours): records(in: rumours)
        case .entries(let entries, _): entries.map(\.record)
        case .buckets, .keys, .job, .book: []
        }
    }

    /// The records in rumours, likewise.
    public static func records(in rumours: [Rumour]) -> [AliveRecord] {
        rumours.compactMap { rumour in
            if case .alive(let record) = rumour { record } else { nil }
        }
    }
}

extension ProtoHello {
    init(
        _ record: AliveRecord, _ root: MemberTable.Root, keys: UInt64, ofYou rumour: Rumour?, seenAt: Address?
    ) {
        self.init()
        self.record = Data(record.sealed)
        tableHigh = root.high
        tableLow = root.low
        self.keys = keys
        if let rumour { ofYou = ProtoRumour(rumour) }
        if let seenAt { self.seenAt = seenAt.text }
    }

    func core() throws(WireError) -> Frame {
        if record.isEmpty { throw .missing("hello.record") }
        let rumours = try Rumour.known(hasOfYou ? [ofYou] : [])
        let seen = hasSeenAt ? Address(try Field.text(seenAt, most: 255, "hello.seenAt")) : nil
        return .hello(
            try WireRecord.decode([UInt8](record)), MemberTable.Root(high: tableHigh, low: tableLow),
            keys: keys, ofYou: rumours.first, seenAt: seen)
    }
}

extension ProtoTableEntry {
    init(_ entry: TableEntry) {
        self.init()
        record = Data(entry.record.sealed)
        epoch = entry.version.epoch
        incarnation = entry.version.incarnation
        standing =
            switch entry.standing {
            case .alive: .alive
            case .suspect: .suspect
            case .dead: .dead
            case .left: .left
            }
    }
}

extension TableEntry {
    init(_ proto: ProtoTableEntry) throws(WireError) {
        if proto.record.isEmpty { throw .missing("entry.record") }
        let standing: Standing =
            switch proto.standing {
            case .unspecified: throw .missing("entry.standing")
            case .alive: .alive
            case .suspect: .suspect
            case .dead: .dead
            case .left: .left
            case .UNRECOGNIZED(let number): throw .unknown("standing \(number) of a member")
            }
        self.init(
            record: try WireRecord.decode([UInt8](proto.record)),
            version: try Field.version(proto.epoch, proto.incarnation, "entry.version"), standing: standing)
    }
}
