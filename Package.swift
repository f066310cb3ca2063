// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "strongroom",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "Cryptography", targets: ["Cryptography"]),
        .library(name: "AWSCompatibility", targets: ["AWSCompatibility"]),
        .library(name: "AccessPolicy", targets: ["AccessPolicy"]),
        .library(name: "AtRest", targets: ["AtRest"]),
        .library(name: "Auditing", targets: ["Auditing"]),
        .library(name: "Certificates", targets: ["Certificates"]),
        .library(name: "HSMEmulation", targets: ["HSMEmulation"]),
        .library(name: "InTransit", targets: ["InTransit"]),
        .library(name: "InTransitNIO", targets: ["InTransitNIO"]),
        .library(name: "KeyManagement", targets: ["KeyManagement"]),
        .library(name: "KeyManagementNIO", targets: ["KeyManagementNIO"]),
        .library(name: "PKIX", targets: ["PKIX"]),
        .library(name: "RecordStorage", targets: ["RecordStorage"]),
        .library(name: "SQLiteRecordStorage", targets: ["SQLiteRecordStorage"]),
    ],
    traits: [
        .trait(name: "NIO", description: "TLS in pipelines of SwiftNIO, and HTTPS to external key stores."),
        .trait(name: "SQLite", description: "Record storage on the system's SQLite."),
        .default(enabledTraits: ["SQLite"]),
    ],
    dependencies: [
        // DER of certificates, and in tests a second opinion on ours.
        .package(url: "https://github.com/apple/swift-asn1.git", exact: "1.7.4"),
        // Event loops, with the trait NIO alone.
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CStrongroomOpenSSL",
            pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"])]
        ),
        // Apart, so that whoever needs no TLS does not link libssl.
        .systemLibrary(name: "CStrongroomLibSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "CStrongroomLibSSLShims", dependencies: ["CStrongroomLibSSL"]),
        .target(
            name: "TLSShim",
            dependencies: ["CStrongroomLibSSL", "CStrongroomLibSSLShims", "OpenSSLShim"]),
        .target(name: "InTransit", dependencies: ["Certificates", "Cryptography", "PKIX", "TLSShim"]),
        .target(
            name: "InTransitNIO",
            dependencies: [
                "InTransit",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["NIO"])),
            ]),
        .target(
            name: "KeyManagementNIO",
            dependencies: [
                "InTransitNIO", "KeyManagement",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["NIO"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["NIO"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["NIO"])),
            ]),
        .target(name: "CStrongroomOpenSSLShims", dependencies: ["CStrongroomOpenSSL"]),
        .target(name: "OpenSSLShim", dependencies: ["CStrongroomOpenSSL", "CStrongroomOpenSSLShims", "SystemCalls"]),
        .target(name: "Cryptography", dependencies: ["OpenSSLShim"]),
        .target(
            name: "PKIX",
            dependencies: ["Cryptography", "IPAddresses", .product(name: "SwiftASN1", package: "swift-asn1")]),
        .target(
            name: "Certificates",
            dependencies: ["Auditing", "Cryptography", "PKIX", "RecordIntegrity", "RecordStorage"]),
        .target(name: "RecordStorage"),
        .target(name: "RecordIntegrity", dependencies: ["Cryptography", "RecordStorage"]),
        .target(
            name: "HSMEmulation", dependencies: ["Auditing", "Cryptography", "RecordIntegrity", "RecordStorage"]),
        .target(name: "IPAddresses"),
        .target(name: "AWSCompatibility", dependencies: ["AWSSignature", "Auditing", "KeyManagement"]),
        .target(name: "AWSSignature", dependencies: ["Cryptography"]),
        .target(name: "AccessPolicy", dependencies: ["IPAddresses"]),
        .target(name: "CStrongroomSystemCalls"),
        .target(name: "SystemCalls", dependencies: ["CStrongroomSystemCalls"]),
        .target(
            name: "Console", dependencies: ["AtRest", "Cryptography", "KeyManagement", "SystemCalls"],
            path: "Documentation/Examples/Console"),
        .executableTarget(
            name: "quickstart", dependencies: ["AtRest", "Console", "SQLiteRecordStorage"],
            path: "Documentation/Examples/Quickstart"),
        .executableTarget(
            name: "sealed-folder", dependencies: ["AtRest", "Console", "SQLiteRecordStorage"],
            path: "Documentation/Examples/SealedFolder"),
        .target(
            name: "PrivateSite",
            dependencies: [
                "HSMEmulation", "InTransit", "InTransitNIO",
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["NIO"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["NIO"])),
            ],
            path: "Documentation/Examples/PrivateSite"),
        .executableTarget(
            name: "private-https", dependencies: ["Console", "PrivateSite", "SQLiteRecordStorage"],
            path: "Documentation/Examples/PrivateHTTPS"),
        .target(
            name: "LocalKMS",
            dependencies: [
                "AWSCompatibility", "AWSSignature", "Auditing", "InTransit", "KeyManagement", "KeyManagementNIO",
                "SystemCalls",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["NIO"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["NIO"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["NIO"])),
            ],
            path: "Documentation/Examples/LocalKMS"),
        .executableTarget(
            name: "local-kms", dependencies: ["Console", "LocalKMS", "SQLiteRecordStorage"],
            path: "Documentation/Examples/LocalKMSCommand"),
        .target(name: "AtRest", dependencies: ["KeyManagement", "Cryptography", "SystemCalls"]),
        .target(
            name: "KeyManagement",
            dependencies: [
                "AWSSignature", "AccessPolicy", "Auditing", "Cryptography", "PKIX", "RecordIntegrity", "RecordStorage",
                "SystemCalls",
            ]),
        .target(name: "Auditing", dependencies: ["Cryptography", "RecordStorage", "SystemCalls"]),
        .systemLibrary(name: "CStrongroomSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(
            name: "SQLiteRecordStorage",
            dependencies: [
                "RecordStorage",
                .target(name: "CStrongroomSQLite", condition: .when(traits: ["SQLite"])),
            ]
        ),
        .target(
            name: "StrongroomTestSupport",
            dependencies: ["Auditing", "Cryptography", "RecordStorage", "StrongroomPropertyTesting"],
            path: "Tests/StrongroomTestSupport"),
        .testTarget(name: "CryptographyTests", dependencies: ["Cryptography", "StrongroomTestSupport"]),
        .target(name: "StrongroomPropertyTesting", path: "Tests/StrongroomPropertyTesting"),
        .testTarget(
            name: "CertificatesTests", dependencies: ["Certificates", "HSMEmulation", "StrongroomTestSupport"]),
        .testTarget(
            name: "PKIXTests", dependencies: ["PKIX", "StrongroomPropertyTesting", "StrongroomTestSupport"]),
        .testTarget(
            name: "PropertyTests",
            dependencies: [
                "AccessPolicy", "AtRest", "Auditing", "Cryptography", "KeyManagement", "RecordStorage",
                "StrongroomPropertyTesting", "StrongroomTestSupport",
                .product(name: "SwiftASN1", package: "swift-asn1"),
            ]),
        .testTarget(name: "AWSSignatureTests", dependencies: ["AWSSignature", "StrongroomTestSupport"]),
        .testTarget(name: "AccessPolicyTests", dependencies: ["AccessPolicy"]),
        .testTarget(
            name: "AuditingTests",
            dependencies: [
                "Auditing", "Cryptography", "RecordStorage", "StrongroomPropertyTesting", "StrongroomTestSupport",
            ]),
        .testTarget(
            name: "DurabilityTests",
            dependencies: [
                "FaultyDisk", "KeyManagement", "SQLiteRecordStorage", "StrongroomPropertyTesting",
                "StrongroomTestSupport",
            ]),
        .target(
            name: "FaultyDisk",
            dependencies: [.target(name: "CStrongroomSQLite", condition: .when(traits: ["SQLite"]))],
            path: "Tests/FaultyDisk",
            cSettings: [.define("STRONGROOM_SQLITE", .when(traits: ["SQLite"]))]),
        .testTarget(
            name: "ExampleTests",
            dependencies: [
                "Console", "InTransitNIO", "KeyManagement", "LocalKMS", "PrivateSite", "StrongroomTestSupport",
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["NIO"])),
            ]),
        .testTarget(name: "AtRestTests", dependencies: ["AtRest", "StrongroomTestSupport"]),
        .testTarget(
            name: "Interoperability",
            dependencies: [
                "AtRest", "Certificates", "HSMEmulation", "InTransit", "KeyManagementNIO", "LocalKMS",
                "StrongroomTestSupport",
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["NIO"])),
            ],
            path: "Tests/Interoperability", exclude: ["Peers"]),
        .testTarget(
            name: "HSMEmulationTests",
            dependencies: [
                "HSMEmulation", "KeyManagement", "SQLiteRecordStorage", "StrongroomPropertyTesting",
                "StrongroomTestSupport",
            ]),
        .testTarget(
            name: "InTransitTests",
            dependencies: ["HSMEmulation", "InTransit", "StrongroomPropertyTesting", "StrongroomTestSupport"]),
        .testTarget(
            name: "InTransitNIOTests",
            dependencies: [
                "InTransitNIO", "KeyManagement", "StrongroomTestSupport",
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["NIO"])),
            ]),
        .testTarget(
            name: "KeyManagementTests",
            dependencies: ["AWSCompatibility", "KeyManagement", "StrongroomPropertyTesting", "StrongroomTestSupport"]),
        .testTarget(
            name: "RecordStorageTests",
            dependencies: ["RecordStorage", "SQLiteRecordStorage", "StrongroomTestSupport"]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// One loop, so that no target drifts from the others.
for target in package.targets where target.type != .system && target.type != .plugin {
    var settings = target.swiftSettings ?? []
    settings += [
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("ImmutableWeakCaptures"),
        .enableExperimentalFeature("Lifetimes"),
    ]
    target.swiftSettings = settings
}
