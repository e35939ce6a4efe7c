// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "arbutus",
    products: [
        .library(name: "Cluster", targets: ["Cluster"]),
        .library(name: "Simulator", targets: ["Simulator"]),
    ],
    targets: [
        .target(name: "Cluster"),
        .target(name: "Simulator", dependencies: ["Cluster"]),
        .testTarget(name: "ClusterTests", dependencies: ["Cluster"]),
        .testTarget(name: "SimulatorTests", dependencies: ["Cluster", "Simulator"]),
    ],
    swiftLanguageModes: [.v6]
)
