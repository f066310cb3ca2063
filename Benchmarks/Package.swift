// swift-tools-version: 6.3
// Measurements of Strongroom beside its C twins and its peers. A package of its own: importers never see it.
import PackageDescription

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "strongroom", path: ".."),
        .package(url: "https://github.com/apple/swift-certificates.git", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
    ],
    targets: [
        .systemLibrary(name: "CLibCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CTwins", dependencies: ["CLibCrypto"], linkerSettings: [.linkedLibrary("ssl")]),
        .executableTarget(
            name: "benchmarks",
            dependencies: [
                "CTwins",
                .product(name: "AtRest", package: "strongroom"),
                .product(name: "Certificates", package: "strongroom"),
                .product(name: "HSMEmulation", package: "strongroom"),
                .product(name: "InTransit", package: "strongroom"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SQLiteRecordStorage", package: "strongroom"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "X509", package: "swift-certificates"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
