// swift-tools-version: 6.3
// Fuzz targets for every parser, over the public API alone. How to run one: README.md.
import PackageDescription

let package = Package(
    name: "fuzzing",
    dependencies: [.package(name: "strongroom", path: "../..")],
    targets: [
        .target(name: "CFuzzer"),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CFuzzer",
                .product(name: "AWSCompatibility", package: "strongroom"),
                .product(name: "AtRest", package: "strongroom"),
                .product(name: "AccessPolicy", package: "strongroom"),
                .product(name: "Auditing", package: "strongroom"),
                .product(name: "Cryptography", package: "strongroom"),
                .product(name: "InTransit", package: "strongroom"),
                .product(name: "KeyManagement", package: "strongroom"),
                .product(name: "PKIX", package: "strongroom"),
                .product(name: "RecordStorage", package: "strongroom"),
                .product(name: "SQLiteRecordStorage", package: "strongroom"),
            ]),
    ]
)
