internal import SwiftASN1

extension Certificate {
    /// The certificate in PEM (RFC 7468).
    public var pemEncoded: String { PEMDocument(type: "CERTIFICATE", derBytes: derEncoded).pemString }

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
    public var pemEncoded: String { PEMDocument(type: "CERTIFICATE REQUEST", derBytes: derEncoded).pemString }

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
