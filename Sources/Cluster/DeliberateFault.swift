// Protocol faults that the tests switch on one at a time, to prove that the simulator's checks can fail. They
// are part of the shipped code only so that what is broken is the shipped code; no configuration file reaches
// them.

/// A fault in this node's protocol, and the invariant of PROTOCOL section 7 that must notice it.
///
/// | fault | what is wrong | noticed by |
/// |---|---|---|
/// | `lowerVersionAccepted` | an older alive record replaces a newer one | S1 |
/// | `epochReused` | a start does not raise the epoch on disk | S1 |
/// | `recordMadeForAnother` | a node signs a fresh record for a member it heard from | S2 |
/// | `deadRevivedBySync` | a table that calls a dead member alive is believed | S3 |
/// | `frameRevivesTheDead` | hearing from a dead member makes it alive without a new incarnation | S3 |
/// | `datagramOverfull` | packing ignores the 1200 bytes | S11 |
/// | `rumourToItsSubject` | a member's own alive rumour is sent to it | S11 |
/// | `relayUnbounded` | probes relayed for others are not bounded | S11 |
/// | `selfInTable` | our own record is taken into our table | S2 |
/// | `replayedAckAccepted` | an ack counts without its random | S12 |
/// | `suspicionNeverEnds` | a suspect is never declared dead | L1 |
/// | `deadForgottenAtOnce` | a dead member is not redialled | L6 |
/// | `seedsTriedOnce` | a seed that does not answer is given up | L6 |
/// | `neverRefutes` | a node lets others call it suspect or dead | L6 |
/// | `refutesWithoutRaise` | a refutation keeps its incarnation | L6 |
/// | `noAntiEntropy` | tables are never compared | L6 |
/// | `clonesBothStay` | no clone gives way | L1 |
/// | `rollbackNotNoticed` | a restored snapshot goes on with its old epoch | L1 |
/// | `restartSaysLeft` | a restarting node says that it left | S2 |
/// | `keyUsedTooEarly` | a key is used before every live node holds it | L5 |
/// | `keyRetiredTooEarly` | a key is retired while a member lacks its successor | L5 |
/// | `deniedLetIn` | a denied node's frames are accepted | S12 |
public enum DeliberateFault: String, CaseIterable, Sendable {
    case lowerVersionAccepted, epochReused, recordMadeForAnother, deadRevivedBySync, frameRevivesTheDead
    case datagramOverfull, rumourToItsSubject, relayUnbounded, selfInTable, replayedAckAccepted
    case suspicionNeverEnds, deadForgottenAtOnce, seedsTriedOnce, neverRefutes, refutesWithoutRaise
    case noAntiEntropy, clonesBothStay, rollbackNotNoticed, restartSaysLeft
    case keyUsedTooEarly, keyRetiredTooEarly, deniedLetIn
}
