import Engine

/// A job plan as the engine has it: pixels, scenes, task keys. (`Cluster` has a `JobPlan` and an `Engine` of
/// its own, so files that see both use these names.)
typealias EnginePlan = JobPlan
typealias EngineTask = TaskEstimate
