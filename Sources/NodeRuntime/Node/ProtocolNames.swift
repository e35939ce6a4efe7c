import Cluster

/// Why a dial led to no link, as far as the protocol cares.
typealias ProtocolDialFailure = DialFailure
