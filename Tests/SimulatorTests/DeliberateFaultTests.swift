import Cluster
import Simulator
import Testing

/// Each fault that can be switched on in the protocol must be noticed, by the invariant that its
/// documentation names.
@Suite struct DeliberateFaultTests {
    private let named: [DeliberateFault: String] = [
        .lowerVersionAccepted: "S1", .epochReused: "S1", .recordMadeForAnother: "S2", .selfInTable: "S2",
        .restartSaysLeft: "S2", .deadRevivedBySync: "S3", .frameRevivesTheDead: "S3",
        .datagramOverfull: "S11",
        .rumourToItsSubject: "S11", .relayUnbounded: "S11", .replayedAckAccepted: "S12", .deniedLetIn: "S12",
        .suspicionNeverEnds: "L1", .clonesBothStay: "L1", .rollbackNotNoticed: "L1", .noAntiEntropy: "L6",
        .deadForgottenAtOnce: "L6", .seedsTriedOnce: "L6", .neverRefutes: "L6", .refutesWithoutRaise: "L6",
        .keyUsedTooEarly: "L5", .keyRetiredTooEarly: "L5",
    ]

    @Test(arguments: DeliberateFault.allCases)
    func isNoticed(_ fault: DeliberateFault) {
        var found: [String] = []
        for (tried, options) in FaultScenarios.runs(for: fault).enumerated() {
            guard let violation = Simulation.run(options).violation else { continue }
            found.append(violation.invariant)
            if violation.invariant == named[fault] {
                print("\(fault): \(violation.invariant) after \(tried + 1) runs")
                return
            }
        }
        Issue.record("\(fault) should break \(named[fault] ?? "?") and broke \(found)")
    }
}
