import Catalog
import Cluster
import Engine
import Foundation
import Logging
import TileStore
import Transport

// The parts of a node that take more than a line to make.

extension ClusterNode.Setup {
    /// - Throws: `RuntimeError` for a key or an address of an impossible size.
    func check() throws {
        guard SealingKeys.secretSizes.contains(secret.count) else {
            throw RuntimeError(
                "the cluster key has \(secret.count) bytes; make one with arbutus key new")
        }
        for address in [advertise ?? listen, listen] + seeds
        where address.text.utf8.count > 255 {
            throw RuntimeError(
                "the address \(address.text.prefix(40))… has \(address.text.utf8.count) bytes, and one that "
                    + "nodes tell each other has at most 255; use a shorter name or a number")
        }
    }
}

extension ClusterNode {
    /// Opens the journal, and says in the log what is wrong with it.
    ///
    /// - Parameter isOldNode: the node's key is not new.
    static func journal(_ path: String, isOldNode: Bool, _ logger: Logger) throws -> Journal {
        let journal = try Journal(path: path)
        if let recovery = journal.recovery { logger.warning("\(recovery)") }
        if isOldNode, try journal.recovery == nil && journal.value("epoch") == nil {
            logger.warning(
                """
                the journal of this node is gone, for its key is older than its journal: what only this node \
                knew is lost, and the other nodes tell it the rest
                """)
        }
        return journal
    }
}

extension ClusterNode.Ties {
    /// A transport whose bulk links go to the client, when we dialled, and to a server.
    func transport(
        _ options: Transport.Options, _ bulk: BulkClient,
        server: @escaping @Sendable (BulkLink) -> BulkServer
    ) -> Transport {
        Transport(
            options,
            bulk: { [self] link in
                guard let dial = link.dial else { return server(link) }
                wires?.bulkStands(dial)
                return bulk.linkStands(link)
            }, report: { self.heard($0) })
    }

    /// Watches the node's disks, and tells the protocol of their room.
    func room(_ setup: ClusterNode.Setup, _ store: TileStore, _ engine: ClusterEngine) -> RoomWatch {
        RoomWatch(
            store: store, logger: setup.logger,
            isEnough: { RoomWatch.isEnough(setup.data) && RoomWatch.isEnough(setup.outputs) },
            tell: { [self] hasRoom in
                var engine = engine
                engine.hasRoom = hasRoom
                loop?.post(.job(.engineChanged(engine)))
            })
    }
}
