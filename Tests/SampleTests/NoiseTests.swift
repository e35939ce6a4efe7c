import Foundation
import Testing

@testable import Sample

@Suite struct NoiseTests {
    /// Fixed numbers: if one changes, every sample ever written changes.
    @Test func theNoiseIsTheSameEverywhere() {
        #expect(Noise.hash(0, 0, 0) == 0)
        #expect(Noise.hash(1, 2, 3) == 2_857_985_978)
        #expect(Noise.gradient(10.25, 20.5, 7).bitPattern == 3_186_901_969)
    }

    /// At lattice points gradient noise is zero, whatever the gradients are.
    @Test func gradientNoiseIsZeroAtLatticePoints() {
        for seed in UInt32(0)..<20 { #expect(Noise.gradient(5, 9, seed) == 0) }
    }

    @Test func stepIsFlatOutsideAndRisesBetween() {
        #expect(Noise.step(1, 3, 0) == 0)
        #expect(Noise.step(1, 3, 2) == 0.5)
        #expect(Noise.step(1, 3, 4) == 1)
        #expect(Noise.step(3, 1, 0) == 1)  // falls when the ends are swapped
    }
}
