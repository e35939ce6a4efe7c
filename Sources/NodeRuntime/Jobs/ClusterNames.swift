import Cluster

/// A job plan as the protocol has it: keys, costs and sizes.
typealias ClusterPlan = JobPlan

/// What a node offers to jobs.
typealias ClusterEngine = Engine
