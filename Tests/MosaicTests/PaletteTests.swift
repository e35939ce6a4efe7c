import Testing

@testable import Mosaic

@Suite struct PaletteTests {
    @Test(arguments: Colormap.allCases) func everyPaletteHas256EntriesAndItsAnchors(colormap: Colormap) {
        let palette = colormap.palette
        #expect(palette.entries.count == 256)
        #expect(palette.entries[0] == RGB(0, 0, 0))
        for anchor in palette.anchors { #expect(palette.entries[anchor.entry] == anchor.colour) }
    }

    @Test func rdylgnIsLinearBetweenItsAnchorsWithHalvesRoundedUp() {
        let entries = Colormap.rdylgn.palette.entries
        // One step of 63 from (165, 0, 38) to (248, 142, 82): 166.32, 2.25, 38.70.
        #expect(entries[2] == RGB(166, 2, 39))
        // One step of 63 from (254, 254, 189) to (134, 203, 102): 252.10, 253.19, 187.62.
        #expect(entries[129] == RGB(252, 253, 188))
        // 32 of 64 steps from (248, 142, 82) to (254, 254, 189): 251, 198, 135.5.
        #expect(entries[96] == RGB(251, 198, 136))
    }

    @Test func greyRisesFromBlackToWhite() {
        let entries = Colormap.grey.palette.entries
        // 127 of 254 steps: 127.5.
        #expect(entries[128] == RGB(128, 128, 128))
        #expect(entries[1] == RGB(0, 0, 0) && entries[255] == RGB(255, 255, 255))
    }

    /// Colours of matplotlib 3.11's viridis table at the same positions.
    @Test(arguments: [
        (1, RGB(68, 1, 84)), (65, RGB(58, 82, 139)), (128, RGB(33, 144, 140)), (191, RGB(91, 200, 99)),
        (255, RGB(253, 231, 37)),
    ])
    func viridisIsWithinTwoLevels(entry: Int, colour: RGB) {
        let ours = Colormap.viridis.palette.entries[entry]
        for (a, b) in [(ours.red, colour.red), (ours.green, colour.green), (ours.blue, colour.blue)] {
            #expect(abs(Int(a) - Int(b)) <= 2)
        }
    }

    @Test func snowBeginsBlueInTheBlues() {
        // NDSI 0.4 on −1…1: 1 + floor(254 · 0.7 + 0.5) = 179.
        let snow = Colormap.blues.palette.entries[179]
        let land = Colormap.blues.palette.entries[32]
        #expect(snow.blue > snow.red && land.red > land.blue)
        #expect(Palette.position(ofEntry: 128) == 0.5)
    }
}
