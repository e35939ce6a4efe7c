// Protocol faults that the tests switch on one at a time, to prove that the simulator's checks can fail. They
// are part of the shipped code only so that what is broken is the shipped code; no configuration file reaches
// them.

/// A fault in this node's protocol, and the invariant of PROTOCOL section 7 that must notice it. The tests
/// check that it is this one.
///
/// Membership and keys:
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
/// | `forgeryAccepted` | a record is believed without its subject's signature (the shell's check) | S2 |
///
/// Jobs:
///
/// | fault | what is wrong | noticed by |
/// |---|---|---|
/// | `lowerTermObeyed` | an order under a lower term is carried out | S8 |
/// | `termUsedBeforeDisk` | a coordinator speaks before its term is on disk | S8 |
/// | `termsByCounter` | terms are compared by their counters alone | L2 |
/// | `loserStaysCoordinator` | whoever lost the term goes on coordinating | L2 |
/// | `nobodyTakesOver` | a keeper does not replace a dead coordinator | L3 |
/// | `acknowledgedOnOneDisk` | a job counts as on two disks before a keeper confirmed | S10 |
/// | `keepersNeverReplaced` | a dead keeper stays keeper | S10 |
/// | `publishedTooEarly` | a manifest is published before the second copy of the outputs | S10 |
/// | `booksNeverCompared` | what rumours missed is never found | S10 |
/// | `manifestOrderIgnored` | a lower manifest replaces a higher one | S7 |
/// | `cancelNamesNoRun` | a cancel is obeyed by a later run | S7 |
/// | `digestLostInMerge` | a keeper drops a digest that it was told | S6 |
/// | `doneForgottenAtTakeOver` | a keeper that takes over forgets what is done | S6 |
/// | `lostBlobsIgnored` | a done task that nobody holds is not recomputed | S5 |
/// | `mismatchAccepted` | a blob that does not match its digest counts as held | S5 |
/// | `assembledWithHoles` | a job with a task missing is assembled | S9 |
/// | `claimNeverExpires` | a silent node keeps its tasks | S4 |
/// | `releasedTasksLost` | what a node gives up becomes nobody's | S4 |
/// | `lateGrantAccepted` | a grant is taken over 2 s after its request | S4 |
/// | `oldHeartbeatObeyed` | a heartbeat of a lower sequence replaces a later one | S12 |
/// | `pullsUnbounded` | results are pulled without a bound | S11 |
/// | `speculationUncapped` | speculation takes any share of the CPU | S13 |
/// | `tooManyCopies` | a task is copied to every idle node | S13 |
/// | `idleNeverAsks` | an idle node does not ask for work | L7 |
public enum DeliberateFault: String, CaseIterable, Sendable {
    case lowerVersionAccepted, epochReused, recordMadeForAnother, deadRevivedBySync, frameRevivesTheDead
    case datagramOverfull, rumourToItsSubject, relayUnbounded, selfInTable, replayedAckAccepted
    case suspicionNeverEnds, deadForgottenAtOnce, seedsTriedOnce, neverRefutes, refutesWithoutRaise
    case noAntiEntropy, clonesBothStay, rollbackNotNoticed, restartSaysLeft
    case keyUsedTooEarly, keyRetiredTooEarly, deniedLetIn, forgeryAccepted

    case lowerTermObeyed, termUsedBeforeDisk, termsByCounter, loserStaysCoordinator, nobodyTakesOver
    case acknowledgedOnOneDisk, keepersNeverReplaced, publishedTooEarly, booksNeverCompared
    case manifestOrderIgnored, cancelNamesNoRun
    case digestLostInMerge, doneForgottenAtTakeOver
    case lostBlobsIgnored, mismatchAccepted, assembledWithHoles
    case claimNeverExpires, releasedTasksLost, lateGrantAccepted, oldHeartbeatObeyed
    case pullsUnbounded, speculationUncapped, tooManyCopies, idleNeverAsks
}
