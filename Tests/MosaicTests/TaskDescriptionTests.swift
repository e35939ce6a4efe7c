import Testing

@testable import Mosaic

@Suite struct CanonicalBytesTests {
    @Test func sequencesOfOtherValuesHaveOtherBytes() {
        func bytes(_ body: (inout CanonicalBytes) -> Void) -> [UInt8] {
            var made = CanonicalBytes("k")
            body(&made)
            return made.bytes
        }
        let sequences = [
            bytes { $0.append("ab") },
            bytes {
                $0.append("a")
                $0.append("b")
            },
            bytes {
                $0.append("")
                $0.append("ab")
            },
            bytes {
                $0.append("ab")
                $0.append("")
            },
            bytes { $0.append(nil as String?) }, bytes { $0.append("" as String?) },
            bytes {
                $0.append(nil as Double?)
                $0.append(0)
            }, bytes { $0.append(0.5 as Double?) },
            bytes { $0.append(1) }, bytes { $0.append(1.0) }, bytes { $0.append(-1) },
            bytes { $0.append(256) }, bytes { $0.append(true) },
        ]
        #expect(Set(sequences).count == sequences.count)
        #expect(bytes { $0.append(0.0) } == bytes { $0.append(-0.0) })
        #expect(bytes { $0.append(1) } == [1, 0, 0, 0, 0, 0, 0, 0, 107, 1, 0, 0, 0, 0, 0, 0, 0])
    }
}

/// A task's description changes exactly with what decides its bytes.
@Suite struct TaskDescriptionTests {
    private let grid = TinyPlan.grid(1024, 512)
    private let plan: MosaicPlan
    /// The left task's, which scene `a` alone touches.
    private let left: [UInt8]

    init() throws {
        let scenes = [
            TinyPlan.scene("a", TinyPlan.grid(1024, 512)),
            TinyPlan.scene("b", TinyPlan.grid(512, 512, left: 605_120)),
        ]
        plan = try TinyPlan.plan(grid, scenes)
        left = plan.description(of: plan.tasks[0]).bytes
    }

    private func changed(_ change: (inout MosaicPlan) -> Void) -> [UInt8] {
        var other = plan
        change(&other)
        return other.description(of: other.tasks[0]).bytes
    }

    @Test func whatDecidesNoByteLeavesTheKey() throws {
        let same: [(String, (inout MosaicPlan) -> Void)] = [
            ("the scene elsewhere", { $0.scenes[1].bands["red"]!.file.size = 7 }),
            (
                "names and figures",
                {
                    $0.scenes[0].id = "other"
                    $0.scenes[0].cloudCover = 3
                    $0.scenes[0].warnings = ["x"]
                    $0.scenes[0].bands["red"]!.radiometry.origin = .option
                }
            ),
            ("bands that no index uses", { $0.scenes[0].bands["blue"] = $0.scenes[0].bands["red"] }),
            ("the order's name", { $0.rules.select = .newest }),
            ("the task's number", { $0.tasks[0].number = 5 }),
            ("the size of the mosaic", { $0.grid.rows = 4000 }),
        ]
        for (what, change) in same { #expect(changed(change) == left, "\(what)") }
        var shown = MosaicRequest()
        shown.colormap = .viridis
        let colours = try SpectralIndex.resolve(shown)
        #expect(changed { $0.indices = colours } == left, "colours are the assembler's")
    }

    @Test func whatDecidesAByteChangesTheKey() throws {
        var request = MosaicRequest()
        request.range = ValueRange(low: 0, high: 1)
        let ranged = try SpectralIndex.resolve(request)
        request.indices = ["ndvi", "ndwi"]
        let two = try SpectralIndex.resolve(request)
        var different: [(String, (inout MosaicPlan) -> Void)] = [
            ("origin", { $0.grid.originX += 1 }), ("pixel", { $0.grid.pixelHeight *= 2 }),
            ("CRS", { $0.grid.crs = CRS("EPSG:32634") }), ("window", { $0.tasks[0].window.width -= 1 }),
            ("edge", { $0.taskEdge = 1024 }), ("scenes", { $0.tasks[0].scenes = [0, 1] }),
            ("order", { $0.tasks[0].scenes = [1] }), ("rule", { $0.rules.select = .median }),
            ("no mask", { $0.rules.mask = .none }), ("classes", { $0.rules.mask = .classes([3]) }),
            ("more classes", { $0.rules.mask = .classes([3, 9]) }),
            ("buffer", { $0.rules.maskBuffer = 2 }), ("clamp", { $0.rules.clamp = .keep }),
            ("resampling", { $0.rules.resampling = .cubic }), ("clip", { $0.rules.clip = "{}" }),
            ("provenance", { $0.rules.provenance = true }), ("range", { $0.indices = ranged }),
            ("indices", { $0.indices = two }), ("no SCL", { $0.scenes[0].classification = nil }),
        ]
        let ofBand: [(String, (inout Band) -> Void)] = [
            ("address", { $0.file.address = "/x" }), ("size", { $0.file.size = 1001 }),
            ("unknown size", { $0.file.size = nil }), ("version", { $0.file.version = "2" }),
            ("number", { $0.number = 2 }), ("grid", { $0.grid.columns += 1 }),
            ("sample", { $0.sample = .int16 }), ("nodata", { $0.nodata = 0 }),
            ("scale", { $0.radiometry.scale = 1 }), ("offset", { $0.radiometry.offset = 0 }),
        ]
        for (what, change) in ofBand {
            different.append(("nir's \(what)", { change(&$0.scenes[0].bands["nir"]!) }))
        }
        different.append(("SCL's file", { $0.scenes[0].classification!.file.version = "9" }))
        var seen: [[UInt8]: String] = [left: "unchanged"]
        for (what, change) in different {
            let bytes = changed(change)
            #expect(seen[bytes] == nil, "\(what) is as \(seen[bytes] ?? "")")
            seen[bytes] = what
        }
    }

    @Test func classesInAnyOrderAreOneMask() {
        let one = changed { $0.rules.mask = .classes([9, 3]) }
        #expect(one == changed { $0.rules.mask = .classes([3, 9]) })
    }

    /// A list stands with its length, so that no number behind it can be taken for a member.
    @Test func aListOfClassesHasALength() {
        let short = changed { $0.rules.mask = .classes([0]) }
        let long = changed { $0.rules.mask = .classes([0, 1]) }
        #expect(long.count == short.count + 8)
        #expect(Array(long.prefix(short.count)) != short)
        let first = zip(short, long).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        let member = changed { $0.rules.mask = .classes([5]) }
        let firstMember = zip(short, member).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        #expect(first! < firstMember!, "the length comes before the members")
    }
}
