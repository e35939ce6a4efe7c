// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "arbutus",
    targets: [
        .target(name: "Cluster")
    ],
    swiftLanguageModes: [.v6]
)
