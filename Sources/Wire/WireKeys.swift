import Cluster

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The table of cluster keys, for the journal; on a link it is a frame.
public enum WireKeys {
    /// The table's bytes, secrets included.
    public static func encode(_ table: KeyTable) -> [UInt8] { Field.write(ProtoKeyTable(table)) }

    /// Reads a table.
    public static func decode(_ bytes: [UInt8]) throws(WireError) -> KeyTable {
        try KeyTable(Field.read(ProtoKeyTable.self, bytes, "key table"))
    }
}

extension ProtoKeyTable {
    init(_ table: KeyTable) {
        self.init()
        keys = table.keys.map { key in
            .with {
                $0.id = key.id.bits
                $0.stage = ProtoKeyStage(key.stage)
                $0.secret = Data(key.secret)
            }
        }
        useKey = table.use.key.bits
        useRound = table.use.round
        useAuthor = table.use.author.short
        denied = table.denied.map(\.short)
    }
}

extension KeyTable {
    init(_ proto: ProtoKeyTable) throws(WireError) {
        try Field.count(proto.keys.count, most: KeyTable.mostKeys, "keys.keys")
        try Field.count(proto.denied.count, most: KeyTable.mostDenied, "keys.denied")
        var keys: [ClusterKey] = []
        for key in proto.keys {
            let id = KeyID(bits: try Field.given(key.hasID, key.id, "keys.id"))
            keys.append(ClusterKey(id: id, secret: [UInt8](key.secret), stage: try key.stage.core()))
        }
        let use = Use(
            key: KeyID(bits: try Field.given(proto.hasUseKey, proto.useKey, "keys.useKey")),
            round: proto.useRound,
            author: try Field.node(proto.hasUseAuthor, proto.useAuthor, "keys.useAuthor"))
        guard let table = KeyTable(keys: keys, use: use, denied: proto.denied.map(NodeID.init(short:))) else {
            throw .refused("keys", "a name comes twice, a secret is too long or a round too high")
        }
        self = table
    }
}

extension ProtoKeyStage {
    init(_ stage: ClusterKey.Stage) {
        self =
            switch stage {
            case .installed: .installed
            case .narrowed: .narrowed
            case .retired: .retired
            }
    }

    func core() throws(WireError) -> ClusterKey.Stage {
        switch self {
        case .unspecified: throw .missing("keys.stage")
        case .installed: .installed
        case .narrowed: .narrowed
        case .retired: .retired
        case .UNRECOGNIZED(let number): throw .unknown("stage \(number) of a key")
        }
    }
}
