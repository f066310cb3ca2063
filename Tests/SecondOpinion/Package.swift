// swift-tools-version: 6.3
// Path validation beside swift-certificates: generated chains, each with one defect or none. A package of its own, since its peer
// takes minutes to build: swift run -c release --package-path Tests/SecondOpinion second-opinion [CHAINS]
import PackageDescription

let package = Package(
    name: "second-opinion",
    dependencies: [
        .package(name: "strongroom", path: "../.."),
        .package(url: "https://github.com/apple/swift-certificates.git", exact: "1.21.1"),
    ],
    targets: [
        .executableTarget(
            name: "second-opinion",
            dependencies: [
                .product(name: "PKIX", package: "strongroom"), .product(name: "X509", package: "swift-certificates"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
