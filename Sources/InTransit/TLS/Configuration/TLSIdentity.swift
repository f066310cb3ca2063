internal import OpenSSLShim
internal import TLSShim

/// Who one side is: a certificate with the chain above it, and the key, which may be anywhere.
public struct TLSIdentity: Sendable {
    /// The certificates, its own first; an anchor at the end may be left out.
    public let certificates: [Certificate]
    /// The private key: software, in an HSM, at a key service.
    public let key: any Signer

    /// The kind of key, of which a side has one identity each.
    let algorithm: KeyAlgorithm

    /// Takes a chain and its key. A ``SynchronousSigner`` signs in the middle of a handshake; with any other, the connection
    /// pauses and asks by ``TLSEvent/signature(_:)``.
    ///
    /// - Throws: `invalidConfiguration` for an empty chain, one whose certificates do not follow each other, and a key that
    ///   is not the first certificate's.
    public init(_ certificates: [Certificate], key: any Signer) throws(TLSError) {
        guard let own = certificates.first else {
            throw TLSError(.invalidConfiguration, "a chain without certificates")
        }
        for (lower, upper) in zip(certificates, certificates.dropFirst()) where lower.issuer != upper.subject {
            throw TLSError(.invalidConfiguration, "\(upper) has not issued \(lower)")
        }
        do {
            let info = try key.subjectPublicKeyInfo
            guard info == own.subjectPublicKeyInfo else {
                throw TLSError(.invalidConfiguration, "the key is not that of \(own)")
            }
            algorithm = try KeyAlgorithm(subjectPublicKeyInfo: info.span)
        } catch let error as TLSError {
            throw error
        } catch {
            throw TLSError(.invalidConfiguration, "the key of \(own): \(error)")
        }
        self.certificates = certificates
        self.key = key
    }

    /// The schemes in which the key signs.
    var schemes: [SignatureScheme] {
        TLSPolicy.allSchemes.filter { scheme in scheme.algorithm.map(key.signatureAlgorithms.contains) ?? false }
    }

    /// What libssl needs. The anchor is not sent: whoever trusts it has it.
    ///
    /// - Parameter index: which of a side's identities it is.
    func native(_ index: Int) throws(TLSError) -> NativeTLSIdentity {
        let hasAnchor = certificates.count > 1 && certificates[certificates.count - 1].isSelfIssued
        let sent = hasAnchor ? certificates.dropLast() : certificates[...]
        do throws(NativeError) {
            let signer = try NativeSigner(
                subjectPublicKeyInfo: certificates[0].subjectPublicKeyInfo, index: index, sign: signsAtOnce)
            return NativeTLSIdentity(chain: sent.map(\.derEncoded), signer: signer)
        } catch { throw TLSError(error) }
    }

    /// Signs in the middle of a handshake; nil for a key that answers later.
    private var signsAtOnce: NativeSigner.Sign? {
        guard let key = key as? any SynchronousSigner else { return nil }
        return { scheme, message in
            guard let algorithm = SignatureScheme(rawValue: scheme).algorithm else {
                throw TLSError(.internalFailure, "a scheme that is not known")
            }
            return try key.sign(message, using: algorithm)
        }
    }
}
