import Cluster

/// A job plan as the protocol has it: keys, costs and sizes.
typealias ClusterPlan = JobPlan
