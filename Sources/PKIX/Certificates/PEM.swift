internal import FoundationEssentials
internal import SwiftASN1

extension Certificate {
    /// The certificate in PEM (RFC 7468).
    public var pemEncoded: String { PEM.encode("CERTIFICATE", derEncoded) }

    /// Reads the first certificate of a text in PEM.
    ///
    /// - Throws: `malformed`, also where there is none.
    public init(pemEncoded text: String) throws(PKIXError) {
        guard let first = try Certificate.all(pemEncoded: text).first else {
            throw PKIXError(.malformed, "no certificate in the text")
        }
        self = first
    }

    /// Reads all certificates of a text in PEM, such as a chain or a bundle. Other things in it are left out.
    ///
    /// - Throws: `malformed`.
    public static func all(pemEncoded text: String) throws(PKIXError) -> [Certificate] {
        let documents = try decoded("PEM") { try PEMDocument.parseMultiple(pemString: text) }
        var certificates: [Certificate] = []
        for document in documents where document.discriminator == "CERTIFICATE" {
            certificates.append(try Certificate(derEncoded: document.derBytes))
        }
        return certificates
    }
}

extension CertificateRequest {
    /// The request in PEM (RFC 7468).
    public var pemEncoded: String { PEM.encode("CERTIFICATE REQUEST", derEncoded) }

    /// Reads a request in PEM.
    ///
    /// - Throws: `malformed`, also where there is none.
    public init(pemEncoded text: String) throws(PKIXError) {
        let documents = try decoded("PEM") { try PEMDocument.parseMultiple(pemString: text) }
        let names = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"]
        guard let document = documents.first(where: { names.contains($0.discriminator) }) else {
            throw PKIXError(.malformed, "no certificate request in the text")
        }
        try self.init(derEncoded: document.derBytes)
    }
}

private enum PEM {
    /// Lines of 64 characters (RFC 7468, section 3). swift-asn1 counts what is left for each of them.
    static func encode(_ label: String, _ bytes: [UInt8]) -> String {
        var text = "-----BEGIN \(label)-----\n"
        let base64 = Array(Data(bytes).base64EncodedString().utf8)
        for start in stride(from: 0, to: base64.count, by: 64) {
            text += String(decoding: base64[start..<min(start + 64, base64.count)], as: UTF8.self) + "\n"
        }
        return text + "-----END \(label)-----"
    }
}
