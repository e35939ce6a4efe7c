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

@Suite struct SHA3Tests {
    /// Examples of NIST (csrc.nist.gov, "SHA3-256", messages of 0, 24 and 1600 bits), and one of exactly a
    /// block.
    @Test func theDigestsOfNISTsExamples() {
        #expect(
            SHA3.hex(Data()) == "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a")
        #expect(
            SHA3.hex(Data("abc".utf8)) == "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532")
        #expect(
            SHA3.hex(Data(repeating: 0xA3, count: 200))
                == "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787")
    }
}
