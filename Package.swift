// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "arbutus",
    products: [
        .executable(name: "arbutus", targets: ["arbutus"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0", traits: []),
    ],
    targets: [
        .systemLibrary(name: "CGDAL", pkgConfig: "gdal", providers: [.apt(["libgdal-dev"])]),
        .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off"])]),
        .target(name: "Mosaic"),
        .target(name: "Cluster"),
        .target(name: "Simulator", dependencies: ["Cluster"]),
        .target(name: "Raster", dependencies: ["Mosaic", "CGDAL", "CISAL", "CKernels"]),
        .target(name: "Catalog", dependencies: [.product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "Sodium", dependencies: ["CSodium"]),
        .target(name: "Cipher", dependencies: ["Sodium", "COpenSSL"]),
        .target(name: "TileStore", dependencies: ["Sodium"]),
        .target(
            name: "Transport",
            dependencies: [
                "Cluster", "Sodium", "Cipher",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .target(
            name: "Wire",
            dependencies: ["Cluster", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["Protos"]),
        .target(name: "Scenes", dependencies: ["Mosaic", "Raster"]),
        .target(name: "Sample", dependencies: ["Mosaic", "Raster", "Scenes", "CGDAL"]),
        .target(name: "Engine", dependencies: ["Mosaic", "Raster", "TileStore", "Scenes"]),
        .target(
            name: "NodeRuntime",
            dependencies: [
                "Cluster", "Transport", "Wire", "Sodium", "Cipher", "Engine", "Mosaic", "Raster", "Scenes",
                "TileStore", "Catalog", .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "Web",
            dependencies: [
                "NodeRuntime", "Cluster", "Wire", "Mosaic",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
            ], resources: [.copy("Resources")]),
        .target(
            name: "Client",
            dependencies: [
                "Sodium", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .executableTarget(
            name: "arbutus",
            dependencies: [
                "Mosaic", "Raster", "TileStore", "Scenes", "Engine", "Sample", "Cluster", "Simulator",
                "NodeRuntime", "Web", "Client", "Yams", .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(name: "MosaicTests", dependencies: ["Mosaic"]),
        .testTarget(name: "ClusterTests", dependencies: ["Cluster"]),
        .testTarget(name: "SimulatorTests", dependencies: ["Cluster", "Simulator"]),
        .testTarget(name: "StyleTests"),
        .testTarget(name: "RasterTests", dependencies: ["Raster", "Mosaic", "CKernels", "CGDAL"]),
        .testTarget(name: "CatalogTests", dependencies: ["Catalog"]),
        .testTarget(name: "TileStoreTests", dependencies: ["TileStore"]),
        .testTarget(
            name: "NodeRuntimeTests",
            dependencies: [
                "NodeRuntime", "Cluster", "Transport", "Wire", "Engine", "Mosaic", "Raster", "TileStore",
                "Catalog", "Scenes", "Sample", "CGDAL",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "TransportTests",
            dependencies: [
                "Transport", "Sodium", "Cipher", "CSodium", "Cluster",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .testTarget(name: "WireTests", dependencies: ["Wire", "Cluster"]),
        .testTarget(
            name: "WebTests",
            dependencies: [
                "Web", "NodeRuntime", "Cluster", "Engine", "Mosaic", "Sample",
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "ClientTests",
            dependencies: [
                "Client", "arbutus", "Web", "NodeRuntime", "Cluster", "Engine", "Sample", "Mosaic",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(name: "BrowserTests", dependencies: ["arbutus"], exclude: ["browser.py"]),
        .testTarget(name: "EngineTests", dependencies: ["Engine", "Mosaic", "Raster", "TileStore", "CGDAL"]),
        .testTarget(name: "ScenesTests", dependencies: ["Mosaic", "Raster", "Scenes", "CGDAL"]),
        .testTarget(name: "SampleTests", dependencies: ["Sample", "Mosaic", "Raster"]),
        .testTarget(name: "EndToEndTests", dependencies: ["arbutus", "Raster", "CGDAL"]),
        .testTarget(name: "ArbutusTests", dependencies: ["arbutus", "Mosaic", "Engine", "Raster", "CGDAL"]),
    ],
    swiftLanguageModes: [.v6]
)

// scripts/check and scripts/test turn warnings into errors; a user's build with a newer compiler stays
// possible.
if Context.environment["ARBUTUS_WARNINGS"] == "error" {
    for target in package.targets where [.regular, .executable, .test].contains(target.type) {
        target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
        target.cSettings = (target.cSettings ?? []) + [.treatAllWarnings(as: .error)]
    }
}
