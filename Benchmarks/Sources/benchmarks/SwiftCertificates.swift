import Crypto
import Foundation
import SwiftASN1
import X509

/// swift-certificates, on BoringSSL's curve code.
struct SwiftCertificates {
    private let rootKey = P256.Signing.PrivateKey()
    private let middleKey = P256.Signing.PrivateKey()
    private let leafKey = P256.Signing.PrivateKey()
    private let rootName: DistinguishedName
    private let middleName: DistinguishedName
    private let leafName: DistinguishedName

    init() throws {
        rootName = try DistinguishedName { CommonName("Root") }
        middleName = try DistinguishedName { CommonName("Middle") }
        leafName = try DistinguishedName { CommonName("leaf") }
    }

    func issue() throws { _ = try leaf() }

    private func leaf() throws -> Certificate {
        try certificate(leafName, leafKey, middleName, middleKey) {
            AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: .init(middleKey.publicKey)).keyIdentifier)
            SubjectKeyIdentifier(hash: .init(leafKey.publicKey))
            Critical(KeyUsage(digitalSignature: true))
            try ExtendedKeyUsage([.serverAuth])
            SubjectAlternativeNames([.dnsName("www.example.com")])
        }
    }

    func chain() async throws -> [[UInt8]] {
        let root = try certificate(rootName, rootKey, rootName, rootKey) {
            Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
            Critical(KeyUsage(keyCertSign: true))
        }
        let middle = try certificate(middleName, middleKey, rootName, rootKey) {
            Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
            Critical(KeyUsage(keyCertSign: true))
        }
        return try [leaf(), middle, root].map { certificate in
            var serializer = DER.Serializer()
            try serializer.serialize(certificate)
            return serializer.serializedBytes
        }
    }

    func validate(_ chain: [[UInt8]]) async throws {
        let read = try chain.map { try Certificate(derEncoded: $0) }
        var verifier = Verifier(rootCertificates: CertificateStore([read[2]])) {
            RFC5280Policy()
            ServerIdentityPolicy(serverHostname: "www.example.com", serverIP: nil)
        }
        let result = await verifier.validate(leaf: read[0], intermediates: CertificateStore([read[1]]))
        guard case .validCertificate = result else { preconditionFailure("\(result)") }
    }

    private func certificate(
        _ subject: DistinguishedName, _ key: P256.Signing.PrivateKey, _ issuer: DistinguishedName,
        _ issuerKey: P256.Signing.PrivateKey,
        @ExtensionsBuilder _ extensions: () throws -> Result<Certificate.Extensions, any Error>
    ) throws -> Certificate {
        let now = Date()
        return try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: now.addingTimeInterval(-3600), notValidAfter: now.addingTimeInterval(86400 * 90),
            issuer: issuer, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions(builder: extensions), issuerPrivateKey: .init(issuerKey))
    }
}
