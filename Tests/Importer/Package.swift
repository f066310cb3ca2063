// swift-tools-version: 6.3
// A package that imports AtRest as a stranger would: nothing but documented names, and nothing fetched that it does not use.
import PackageDescription

let package = Package(
    name: "importer",
    dependencies: [.package(name: "strongroom", path: "../..")],
    targets: [
        .executableTarget(
            name: "importer",
            dependencies: [
                .product(name: "AtRest", package: "strongroom"),
                .product(name: "SQLiteRecordStorage", package: "strongroom"),
            ])
    ]
)
