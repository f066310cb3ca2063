import Foundation
import SwiftASN1
import X509

/// swift-certificates' verdict on a chain in DER, the leaf first and the root last.
enum Peer {
    static func isValid(_ chain: [[UInt8]], for host: String, at time: Date) async -> Bool {
        guard let read = try? chain.map({ try Certificate(derEncoded: $0) }) else { return false }
        var verifier = Verifier(rootCertificates: CertificateStore([read[read.count - 1]])) {
            RFC5280Policy(fixedValidationTime: time)
            ServerIdentityPolicy(serverHostname: host, serverIP: nil)
        }
        let result = await verifier.validate(
            leaf: read[0], intermediates: CertificateStore(read.dropFirst().dropLast()))
        if case .validCertificate = result { return true }
        return false
    }
}
