import Transport

/// Why the transport got no link, in its own words; the protocol has a coarser `DialFailure`.
typealias DialProblem = DialFailure
