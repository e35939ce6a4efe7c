// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "arbutus",
    targets: [
        .target(name: "Cluster"),
        .testTarget(name: "ClusterTests", dependencies: ["Cluster"]),
    ],
    swiftLanguageModes: [.v6]
)
