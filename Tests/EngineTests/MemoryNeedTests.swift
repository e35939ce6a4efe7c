import Testing

@testable import Engine

@Suite struct MachineLimitsTests {
    @Test func aSummaryIsCodable() {
        #expect(JobProgress().tasksTotal == 0)
    }
}
