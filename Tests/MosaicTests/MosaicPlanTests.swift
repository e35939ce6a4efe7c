import Testing

@testable import Mosaic

@Suite struct MosaicPlanTests {
    @Test func tasksCoverTheGridOnceAndFollowTheCurve() throws {
        let grid = TinyPlan.grid(1100, 700)
        let plan = try TinyPlan.plan(grid, [TinyPlan.scene("a", grid)])
        #expect(plan.tasks.map(\.number) == Array(0..<6))
        #expect(plan.tasks.reduce(0) { $0 + $1.window.count } == 1100 * 700)
        #expect(plan.tasks[0].window == PixelWindow(x: 0, y: 0, width: 512, height: 512))
        let last = try #require(plan.tasks.first { $0.window.x == 1024 && $0.window.y == 512 })
        #expect(last.window == PixelWindow(x: 1024, y: 512, width: 76, height: 188))
        let square = TinyPlan.grid(2048, 2048)
        let tasks = try TinyPlan.plan(square, [TinyPlan.scene("a", square)]).tasks
        for (a, b) in zip(tasks, tasks.dropFirst()) {
            #expect(abs(a.window.x - b.window.x) + abs(a.window.y - b.window.y) == 512)
        }
    }

    @Test func aTaskNamesTheScenesThatTouchItAndEmptyCellsHaveNone() throws {
        let grid = TinyPlan.grid(1024, 1024)
        let left = TinyPlan.grid(512, 512)
        // One pixel beyond the middle line.
        let wide = TinyPlan.grid(513, 512)
        let plan = try TinyPlan.plan(grid, [TinyPlan.scene("l", left), TinyPlan.scene("w", wide)])
        #expect(plan.tasks.map(\.scenes) == [[0, 1], [1]])
        #expect(plan.tasks[1].window == PixelWindow(x: 512, y: 0, width: 512, height: 512))
    }

    @Test func aSceneOutsideTheGridTouchesNothing() throws {
        let far = TinyPlan.grid(10, 10, left: 0, top: 0)
        #expect(try TinyPlan.plan(TinyPlan.grid(512, 512), [TinyPlan.scene("far", far)]).tasks == [])
    }
}

@Suite struct PlannerTests {
    private let crs = TinyPlan.crs

    private func grid(
        _ placements: [Placement], area: Bounds? = nil, change: (inout MosaicRequest) -> Void = { _ in }
    ) throws -> Grid {
        var request = MosaicRequest()
        change(&request)
        return try Planner.grid(request: request, crs: crs, placements: placements, area: area)
    }

    @Test func theFirstSceneGivesThePhase() throws {
        let first = TinyPlan.grid(8, 8, left: 600_003, top: 5_100_007)
        let second = TinyPlan.grid(8, 8, left: 600_040, top: 5_100_000)
        // The second reaches to x 600120: 11.7 pixels of 10 m from 600003, so 12; down to 5099920: 8.7, so 9.
        #expect(
            try grid([first, second].map(TinyPlan.placement))
                == TinyPlan.grid(12, 9, left: 600_003, top: 5_100_007))
    }

    @Test func anAreaIsExtendedOutwardOnThatPhase() throws {
        let scene = TinyPlan.grid(100, 100, left: 600_005, top: 5_100_005)
        let area = Bounds(left: 600_020, bottom: 5_099_950, right: 600_041, top: 5_099_991)
        // Columns from (20 − 5) / 10 = 1.5 → 1 to 3.6 → 4; rows from 1.4 → 1 to 5.5 → 6.
        #expect(
            try grid([TinyPlan.placement(scene)], area: area)
                == TinyPlan.grid(3, 5, left: 600_015, top: 5_099_995))
    }

    @Test func resolutionSnapsToItsMultiples() throws {
        let scene = TinyPlan.grid(8, 8, left: 600_005, top: 5_100_005)
        let snapped = try grid([TinyPlan.placement(scene)]) { $0.resolution = 20 }
        // 600005…600085 → 600000…600100; 5099925…5100005 → 5099920…5100020.
        #expect(snapped == TinyPlan.grid(5, 5, left: 600_000, top: 5_100_020, pixel: 20))
        let named = try grid([TinyPlan.placement(scene)]) { $0.crs = "EPSG:32633" }
        #expect(named == TinyPlan.grid(9, 9, left: 600_000, top: 5_100_010))
    }

    @Test func theFinestSceneGivesTheResolution() throws {
        let coarse = TinyPlan.grid(4, 4, pixel: 20)
        let fine = TinyPlan.grid(8, 8)
        #expect(try grid([coarse, fine].map(TinyPlan.placement)) == TinyPlan.grid(8, 8))
    }

    @Test func anAreaOutsideAllScenesAndAbsurdSizesAreSentences() {
        let scene = TinyPlan.placement(TinyPlan.grid(8, 8))
        let beside = Bounds(left: 600_080, bottom: 5_099_900, right: 600_200, top: 5_100_000)
        #expect { try grid([scene], area: beside) } throws: {
            "\($0)".contains("lies outside all scenes") && "\($0)".contains("--bbox")
        }
        #expect { try grid([scene]) { $0.resolution = 1e-9 } } throws: { "\($0)".contains("coarser") }
        #expect(throws: PlanError.self) {
            try Planner.checkTasks(columns: 2_000_000_000, rows: 2_000_000_000, edge: 2048)
        }
    }

    @Test func tasksAreLargeOnlyWhereManyAreLeft() {
        #expect(Planner.taskEdge(columns: 1, rows: 1) == 512)
        #expect(Planner.taskEdge(columns: 5 * 1024, rows: 5 * 1024) == 1024)
        #expect(Planner.taskEdge(columns: 20_982, rows: 10_980) == 1024)
        #expect(Planner.taskEdge(columns: 100_000, rows: 100_000) == 2048)
    }
}

@Suite struct SelectionOrderTests {
    private func scene(_ id: String, day: Double? = nil, cloud: Double? = nil) -> Scene {
        var scene = TinyPlan.scene(id, TinyPlan.grid(1, 1))
        scene.acquired = day.map { $0 * 86_400 }
        scene.cloudCover = cloud
        return scene
    }

    @Test func ordersWithTiesInTheRequestsOrder() throws {
        let scenes = [
            scene("a", day: 1, cloud: 20), scene("b", day: 3, cloud: 5), scene("c", day: 3, cloud: 20),
            scene("d", day: 2, cloud: 0),
        ]
        #expect(try SelectionRule.first.order(scenes) == [0, 1, 2, 3])
        #expect(try SelectionRule.last.order(scenes) == [3, 2, 1, 0])
        #expect(try SelectionRule.newest.order(scenes) == [1, 2, 3, 0])
        #expect(try SelectionRule.leastCloud.order(scenes) == [3, 1, 0, 2])
        #expect(try SelectionRule.median.order(scenes) == [0, 1, 2, 3])
    }

    @Test func aMissingFigureIsNamed() {
        let scenes = [scene("a", day: 1, cloud: 20), scene("b")]
        #expect { try SelectionRule.newest.order(scenes) } throws: {
            "\($0)".contains("scene b has no acquisition date")
        }
        #expect { try SelectionRule.leastCloud.order(scenes) } throws: {
            "\($0)".contains("scene b has no cloud figure")
        }
    }
}
